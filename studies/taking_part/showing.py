"""A participant's blocks as their page takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.urls import reverse

from studies.models import Block, Participation, Study

#: Seconds of a baseline whose length nobody chose.
BASELINE_SECONDS = 10.0
_Kind = Block.Kind


#: Kinds of blocks that are looked at with the camera.
WATCHED = frozenset({*Block.STIMULI, _Kind.BASELINE})


def needs_camera(blocks: Iterable[Block]) -> bool:
    """Whether any of them is looked at with the camera."""
    return any(is_watched(block) for block in blocks)


def is_watched(block: Block) -> bool:
    return block.kind in WATCHED


def other_sites(study: Study) -> list[str]:
    """The hosts of the pages that a study shows in a frame: they see a participant's address."""
    addresses = study.blocks.filter(kind=_Kind.PAGE).exclude(url="").values_list("url", flat=True)
    return sorted({urlsplit(address).hostname or "" for address in addresses} - {""})


def plan(participation: Participation, blocks: Sequence[Block]) -> dict[str, Any]:
    """What the page's scripts need to know."""
    study_id = participation.study_id
    addresses = {
        name: reverse(f"taking_part:{name}", args=[study_id]) for name in ("token", "end", "leave")
    }
    return {
        **addresses,
        "id": participation.pk.hex[:12],
        "place": participation.place,
        "blocks": [_block(block, study_id) for block in blocks],
    }


def least_seconds(block: Block) -> float:
    """For how long it is shown at least; 0 where the participant or a file decides."""
    is_played = block.kind in {_Kind.VIDEO, _Kind.SOUND}
    return 0.0 if is_played else _seconds(block) or 0.0


def _seconds(block: Block) -> float | None:
    if block.seconds is None and block.kind == _Kind.BASELINE:
        return BASELINE_SECONDS
    return block.seconds


def _block(block: Block, study_id: UUID) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": block.pk,
        "kind": block.kind,
        "text": block.text,
        "seconds": _seconds(block),
        "watched": is_watched(block),
    }
    if block.kind in Block.WITH_FILE:
        shown["file"] = reverse("taking_part:stimulus", args=[study_id, block.pk])
        shown["bytes"] = block.stored_bytes
    if block.kind == _Kind.PAGE:
        shown["url"] = block.url
    if block.is_question:
        shown |= {
            "answers": block.answers, "steps": block.steps, "required": block.is_required,
        }  # fmt: skip
    return shown
