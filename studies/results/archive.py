"""A whole study as one zip archive, which is made while it is sent; no file is in memory whole."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils import timezone

from studies.models import ExclusionRule, Participation, Study
from studies.results import codebook, methods, software, stimuli
from studies.results.downloads import FILES
from studies.results.loading import StudyData

README = """{title}

participants.csv  everybody who took part, and who is left out of results
blocks.csv        figures of each participant, block and label
curves.csv        each participant's curves, ten points a second
answers.csv       what was answered
samples.csv       every sample, as it was recorded
study.json        the study's plan and rules, and the consent texts that were agreed to
methods.txt       a paragraph on methods, in English and German, to be checked and pasted
codebook.md       what every column means
CITATION.cff      how to cite the software
{stimuli}
The data are personal data: keep them where your ethics vote says, and delete them when it says.
Whoever withdraws after this archive was made is still in it; make a new one before you publish.
Made {now} by {name} {version}.
"""


#: Name and content of a file, in pieces: text, or the bytes of a stimulus.
Member = tuple[str, Iterator[str] | Iterator[bytes]]


def members(data: StudyData) -> Iterator[Member]:
    """Names and contents of the archive's files; large ones are made as they are read."""
    shown = stimuli.of(data.blocks)
    readme = README.format(
        title=data.study.title,
        now=timezone.now().isoformat(timespec="minutes"),
        name=software.NAME,
        version=software.VERSION,
        stimuli="".join(f"{one.path}  shown in the block {one.block.name}\n" for one in shown),
    )
    texts = {
        "README.txt": readme,
        "study.json": json.dumps(plan(data), ensure_ascii=False, indent=1) + "\n",
        "methods.txt": methods.in_both_languages(data),
        "codebook.md": codebook.as_markdown(one.row for one in shown),
        "CITATION.cff": software.CITATION,
    }
    yield from ((name, iter([text])) for name, text in texts.items())
    yield from ((name, write(data)) for name, write in FILES.items())
    yield from ((one.path, one.pieces()) for one in shown)


def plan(data: StudyData) -> dict[str, Any]:
    """A study as it was planned and carried out, as JSON knows it."""
    study, rules = data.study, data.rules
    consents = Participation.objects.filter(study=study, is_preview=False).order_by()
    versions = dict(consents.values_list("consent_version", "consent_text").distinct())
    paths = {one.block.pk: one.path for one in stimuli.of(data.blocks)}
    return {
        "id": str(study.pk),
        "title": study.title,
        "question": study.question,
        "responsible": study.responsible_name,
        "institution": study.institution,
        "ethics_reference": study.ethics_reference,
        "status": study.status,
        "order": study.order,
        "opened_at": study.opened_at.isoformat() if study.opened_at else None,
        "closed_at": study.closed_at.isoformat() if study.closed_at else None,
        "n_came": study.n_came,
        "n_withdrawn": study.n_withdrawn,
        "rules": {
            "least_face_share": rules.least_face_share,
            "least_frames_per_second": rules.least_frames_per_second,
            "keeps_unfinished": rules.keeps_unfinished,
            **_changed(study),
        },
        "blocks": [
            {
                "number": block.number,
                "name": block.name,
                "kind": block.kind,
                "condition": block.condition.name if block.condition else None,
                "text": block.text,
                "url": block.url,
                "file": paths.get(block.pk),
                "seconds": block.seconds,
                "answers": block.answers,
            }
            for block in data.blocks
        ],
        "consent_texts": {str(version): text for version, text in sorted(versions.items())},
    }


def _changed(study: Study) -> dict[str, str | None]:
    """When rules were changed last, and by whom: no address, for archives are published."""
    rule = ExclusionRule.objects.filter(study=study).first()
    if rule is None:
        return {"changed_at": None, "changed_by": None}
    who = None
    if rule.changed_by_id is not None:
        who = "owner" if rule.changed_by_id == study.owner_id else "editor"
    return {"changed_at": rule.changed_at.isoformat(), "changed_by": who}


def zipped(files: Iterable[Member]) -> Iterator[bytes]:
    """The bytes of a zip archive, in pieces."""
    pipe = _Pipe()
    moment = timezone.localtime().timetuple()[:6]
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, pieces in files:
            info = zipfile.ZipInfo(name, date_time=moment)
            # Pictures, videos and sounds are compressed as they are.
            is_media = name.startswith(stimuli.FOLDER)
            info.compress_type = zipfile.ZIP_STORED if is_media else zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                for piece in pieces:
                    member.write(piece if isinstance(piece, bytes) else piece.encode())
                    yield pipe.take()
    yield pipe.take()


class _Pipe(io.RawIOBase):
    """Keeps what is written to it until it is taken."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        found = b"".join(self._written)
        self._written.clear()
        return found
