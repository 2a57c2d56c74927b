"""A series, a page at a time: whole moments, and each gap once."""

from __future__ import annotations

from dataclasses import dataclass, field

from recognition.models import Recording
from recognition.series.columns import Gap, Sample
from recognition.series.storing import read


@dataclass(slots=True)
class SeriesPage:
    """A part of a series.

    Attributes:
        gaps: those that begin in it; on the first page also one that reaches into it.
        after_ms: what the next page comes after, in milliseconds; None where this is the last.
    """

    samples: list[Sample] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    after_ms: int | None = None


def read_page(
    recording: Recording,
    size: int,
    *,
    from_ms: int = 0,
    to_ms: int | None = None,
    after_ms: int | None = None,
) -> SeriesPage:
    """Read about so many samples.

    Args:
        recording: whose.
        size: samples, at least 1; the faces of one moment stay together.
        from_ms, to_ms: what is wanted of the series, without `to_ms` itself.
        after_ms: of the page before; None for the first page.

    Raises:
        SeriesDamaged: what is stored is not what was written.
    """
    page = SeriesPage()
    begin = from_ms if after_ms is None else max(from_ms, after_ms + 1)
    for samples, gaps in read(recording, from_ms=begin, to_ms=to_ms):
        page.gaps += [gap for gap in gaps if after_ms is None or gap.start_ms > after_ms]
        for sample in samples:
            is_full = len(page.samples) >= size
            if is_full and sample.time_ms > page.samples[-1].time_ms:
                # A gap is stored before what follows it, so all of this page's are there.
                last = page.after_ms = page.samples[-1].time_ms
                page.gaps = [gap for gap in page.gaps if gap.start_ms <= last]
                return page
            page.samples.append(sample)
    return page
