"""A study may change under a lock, and only until it opens: all who take part see the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.utils.translation import gettext as _

from recognition.refusals import Refusal
from studies.models import Study


class PlanIsFixed(Refusal):
    """The study was opened."""

    code, status = "study_opened", 409


@contextmanager
def changing(study: Study) -> Iterator[Study]:
    """A transaction in which blocks, conditions and their order may change.

    Raises:
        PlanIsFixed: the study was opened.
    """
    with transaction.atomic():
        locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        if locked.status != Study.Status.DRAFT:
            raise PlanIsFixed(
                _(
                    "The study has been opened, so its blocks can’t be changed: all participants "
                    "see the same. As long as nobody has taken part, the owner can turn it back "
                    "into a draft."
                )
            )
        yield locked
