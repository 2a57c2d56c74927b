"""The list of a study's blocks: add, change, move, duplicate, delete.

All of it under a lock of the study, and only until it opens: whoever takes part later shall see
what those before saw.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from operations.row_locks import lock_to_delete
from recognition.refusals import Refusal
from studies.models import Block, Condition, Study
from studies.planning import files
from studies.planning.drafts import changing

#: Blocks, and conditions, of one study.
MAXIMUM_BLOCKS, MAXIMUM_CONDITIONS = 200, 12
#: Fields of a block that its file alone changes.
OF_FILES = ("file", "media_type", "stored_bytes")


class TooMany(Refusal):
    """A study has so many of something at most."""

    code, status = "too_many", 409


class Changed(Refusal):
    """Somebody else has changed the plan meanwhile."""

    code, status = "plan_changed", 409


def free_name(study: Study, wanted: str) -> str:
    """A block's name like `wanted` that no other of the study's has."""
    taken = set(study.blocks.values_list("name", flat=True))
    stem = re.sub(r"-\d+$", "", wanted)[:34]
    return next(name for n in range(1, 1000) if (name := f"{stem}-{n}") not in taken)


def add(block: Block) -> None:
    """Store a new block as the last one.

    Raises:
        PlanIsFixed: the study was opened.
        TooMany: it has :data:`MAXIMUM_BLOCKS`.
        Changed: another one has got its name meanwhile.
    """
    with changing(block.study) as study:
        _check_number(study)
        _check_name(study, block)
        _forget_deleted_condition(study, block)
        block.number = study.blocks.count() + 1
        block.save()


def save(block: Block) -> None:
    """Store what was changed in a block; its file and its place may have changed meanwhile.

    Raises:
        PlanIsFixed: the study was opened.
        Changed: it was deleted meanwhile, or another one has got its name.
    """
    names = {field.name for field in Block._meta.concrete_fields}
    with changing(block.study) as study:
        _check_is_there(study, block)
        _check_name(study, block)
        _forget_deleted_condition(study, block)
        block.save(update_fields=names - {"id", "study", "number", *OF_FILES})


def move(block: Block, by: int) -> None:
    """Move a block up (-1) or down (1) in the list; at its ends nothing happens.

    Raises:
        PlanIsFixed: the study was opened.
    """
    with changing(block.study) as study:
        order = list(study.blocks.values_list("pk", flat=True))
        if block.pk not in order:
            return
        place = order.index(block.pk)
        other = place + by
        if 0 <= other < len(order):
            order[place], order[other] = order[other], order[place]
        _number(study, order)


def duplicate(block: Block) -> Block:
    """A copy behind the block, with a file of its own.

    Raises:
        PlanIsFixed: the study was opened.
        TooMany: it has :data:`MAXIMUM_BLOCKS`.
        Changed: it was deleted meanwhile.
    """
    with changing(block.study) as study:
        _check_number(study)
        _check_is_there(study, block)
        order = list(study.blocks.values_list("pk", flat=True))
        block = Block.objects.get(pk=block.pk)
        copy = Block.objects.get(pk=block.pk)
        copy.pk = None
        copy.name = free_name(study, block.name)
        copy.file.name = ""
        copy.stored_bytes, copy.media_type = 0, ""
        copy.save()
        order.insert(order.index(block.pk) + 1, copy.pk)
        _number(study, order)
    if block.file:
        with block.file.open("rb") as stored:
            files.keep(copy, stored, block.media_type)
    return copy


def delete(block: Block) -> None:
    """Delete a block with its file.

    Raises:
        PlanIsFixed: the study was opened.
    """
    with changing(block.study) as study:
        rows = Block.objects.filter(pk=block.pk)
        lock_to_delete(rows)
        rows.delete()
        _number(study, list(study.blocks.values_list("pk", flat=True)))


def add_condition(study: Study, name: str) -> None:
    """Add a condition, unless there is one of that name.

    Raises:
        PlanIsFixed: the study was opened.
        TooMany: it has :data:`MAXIMUM_CONDITIONS`.
    """
    with changing(study) as locked:
        if locked.conditions.count() >= MAXIMUM_CONDITIONS:
            raise TooMany(_("A study has at most %(n)d conditions.") % {"n": MAXIMUM_CONDITIONS})
        Condition.objects.get_or_create(study=locked, name=name)


def delete_condition(condition: Condition) -> None:
    """Delete a condition; its blocks are then shown to everybody.

    Raises:
        PlanIsFixed: the study was opened.
    """
    with changing(condition.study):
        condition.blocks.update(condition=None)
        condition.delete()


def set_order(study: Study, order: str) -> None:
    """Choose how blocks that may move are put in order.

    Raises:
        PlanIsFixed: the study was opened.
        ValueError: there is no such order.
    """
    with changing(study) as locked:
        locked.order = Study.Order(order)
        locked.save(update_fields=["order"])


def _check_number(study: Study) -> None:
    if study.blocks.count() >= MAXIMUM_BLOCKS:
        raise TooMany(_("A study has at most %(n)d blocks.") % {"n": MAXIMUM_BLOCKS})


def _check_is_there(study: Study, block: Block) -> None:
    if not study.blocks.filter(pk=block.pk).exists():
        raise Changed(_("This block has been deleted."))


def _forget_deleted_condition(study: Study, block: Block) -> None:
    """As for the other blocks of a condition that was deleted meanwhile: everybody sees it."""
    if block.condition_id and not study.conditions.filter(pk=block.condition_id).exists():
        block.condition = None


def _check_name(study: Study, block: Block) -> None:
    if study.blocks.filter(name=block.name).exclude(pk=block.pk).exists():
        raise Changed(_("Another block has this name."))


def _number(study: Study, order: list[int]) -> None:
    for number, pk in enumerate(order, start=1):
        Block.objects.filter(pk=pk, study=study).exclude(number=number).update(number=number)
