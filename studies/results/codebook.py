"""What the downloads have in them: the one list, for archive, documentation and tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

#: Column, type, meaning. `p_*` stands for a column for each label.
Columns = Sequence[tuple[str, str, str]]

_WHO: Columns = (
    ("participant", "text", "P001 and so on, in the order of consent"),
    ("condition", "text", "the participant's condition; empty without one"),
    ("excluded", "text", "why the participant is left out of results: none, or no_data, "
     "not_finished, few_faces, few_frames, joined by +"),
)  # fmt: skip

CODEBOOK: dict[str, Columns] = {
    "participants.csv": (
        *_WHO,
        ("state", "text", "consented, checked, running, finished or left"),
        ("language", "text", "in which the participant took part"),
        ("consent_version", "whole number", "of the consent text that was agreed to"),
        ("consented_at", "time", "ISO 8601, UTC"),
        ("finished_at", "time", "ISO 8601, UTC; empty for who did not finish"),
        ("seconds", "number", "from the first frame to the last one"),
        ("n_frames", "whole number", "frames that were looked at"),
        ("frames_per_second", "number", "over the time in which frames came"),
        ("face_share", "number", "share of the frames with a face, from 0 to 1"),
        ("model_version", "text", "of the model that read the expressions"),
        ("external_id", "text", "that a panel or a personal link gave"),
        ("attribute_*", "text", "each attribute that links or lists gave"),
    ),
    "blocks.csv": (
        *_WHO,
        ("block", "text", "name of the block"),
        ("kind", "text", "text, image, video, sound, page, pause or baseline"),
        ("start_ms", "whole number", "when it began, in milliseconds of the recording"),
        ("end_ms", "whole number", "when it ended"),
        ("covered", "number", "share of the block with a known curve, from 0 to 1"),
        ("label", "text", "the expression that the following columns are about"),
        ("mean", "number", "mean probability over the block"),
        ("peak", "number", "highest probability"),
        ("latency", "number", "seconds from the block's start to the peak"),
        ("share", "number", "share of the time at which the label is the likeliest"),
        ("mean_change", "number", "mean, less the mean of the baseline; empty without one"),
        ("peak_change", "number", "peak, less the mean of the baseline"),
    ),
    "curves.csv": (
        *_WHO,
        ("block", "text", "name of the block"),
        ("second", "number", "since the block's start, ten a second"),
        ("p_*", "number", "probability of each label; empty in a gap"),
    ),
    "answers.csv": (
        *_WHO,
        ("block", "text", "name of the question"),
        ("kind", "text", "scale, choice or open"),
        ("number", "number", "what was chosen on a scale, from 1; empty for words"),
        ("text", "text", "what was chosen or written"),
    ),
    "samples.csv": (
        ("participant", "text", "P001 and so on"),
        ("time_ms", "whole number", "milliseconds since the start of the recording"),
        ("face", "whole number", "the face's number, from 1: never an identity"),
        ("label", "text", "the steady label"),
        ("uncertain", "true, false", "the model is less sure than its manifest asks for"),
        ("p_*", "number", "probability of each label"),
        ("x", "whole number", "left edge of the face's box, in pixels of the frame"),
        ("y", "whole number", "upper edge of the box"),
        ("width", "whole number", "of the box"),
        ("height", "whole number", "of the box"),
        ("sharpness", "number", "below 0.06 the face counts as blurred"),
        ("pixels", "whole number", "side of the face"),
        ("turn", "number", "degrees clockwise, from -180 to 180"),
        ("gap_ms", "whole number", "how long nothing was seen before this row"),
        ("gap", "text", "why: none, no_face, dropped or paused, joined by +"),
        (
            "is_participant",
            "true, false",
            "this face is the one that results are made of; of each frame it alone is recorded",
        ),
        ("block", "text", "name of the block at this moment; empty between blocks"),
        ("block_ms", "whole number", "milliseconds since the block's start; empty between blocks"),
        ("excluded", "text", "as in participants.csv"),
    ),
}


def as_markdown(stimuli: Iterable[tuple[str, str, str, int]]) -> str:
    """The codebook as it lies in the archive.

    Args:
        stimuli: files that the archive has beside the tables: path, block, its kind, bytes.
    """
    return "\n".join(_lines(list(stimuli)))


def _lines(stimuli: list[tuple[str, str, str, int]]) -> Iterator[str]:
    yield "# Codebook\n"
    yield "UTF-8, commas, a point in numbers. Text that begins like a formula of a spreadsheet has"
    yield "an apostrophe before it, and so has a line in it, or what comes after a semicolon. An"
    yield "empty cell is something that is not known."
    for name, columns in CODEBOOK.items():
        yield f"\n## {name}\n\n| column | type | meaning |\n| --- | --- | --- |"
        yield from (f"| `{column}` | {kind} | {meaning} |" for column, kind, meaning in columns)
    if stimuli:
        yield "\n## stimuli/\n"
        yield "What participants saw and heard, each file under the name of its block.\n"
        yield "| file | block | kind | bytes |\n| --- | --- | --- | --- |"
    yield from (f"| `{path}` | {block} | {kind} | {size} |" for path, block, kind, size in stimuli)
    yield ""
