"""What a participant gave: consent, camera check, what was shown when, answers. Never a picture."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recognition.models import Recording
from studies.models.blocks import Block
from studies.models.studies import Condition, PersonalLink, Study

#: Whoever has been silent for longer, in minutes, is away, and takes nobody's place.
SILENT_MINUTES = 60


class Participation(models.Model):
    """One person's part in a study. It begins with consent: before, nothing is stored.

    Attributes:
        number: in the study, from 1; what data and pages call the participant.
        code_hash: of the withdrawal code, which only the participant has.
        code_salt: what it is made of beside the key in the participant's cookie; empty where that
            was ``SECRET_KEY``.
        code_shown_at: when a page first showed the code; None before.
        is_code_hidden: the page that showed the code was left: on a shared device the next person
            must not see it.
        key_hash: of the key in the participant's cookie.
        socket_key: which of the participant's sockets is the one in use, the newest of all that any
            web process has; empty before the first.
        external_id: that a panel or a personal link gave.
        attributes: of the participant, by name, as the link gave them.
        is_preview: made by the team to try the study; never in results.
        sequence: primary keys of the blocks in this participant's order.
        place: how many of them are done.
        camera: what the camera check measured, by name: share of frames with a face from 0 to 1,
            frames a second, mean brightness from 0 to 1, height of the face in pixels.
        recording: the series; None until the camera was first on.
        seen_at: when something last came from the participant.
        consent_text: what was agreed to, word for word.
        stored_bytes: what it takes with its visits, answers and clock readings, without the
            recording; `studies/taking_part/room.py` counts.
    """

    class State(models.TextChoices):
        CONSENTED = "consented", _("Consented")
        CHECKED = "checked", _("Passed the camera check")
        RUNNING = "running", _("Taking part")
        FINISHED = "finished", _("Finished")
        LEFT = "left", pgettext_lazy("participant", "Left")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="participations")
    number = models.PositiveIntegerField(_("number"))
    code_hash = models.CharField(max_length=64, unique=True)
    # Also where a process of the version before adds a row during an upgrade.
    code_salt = models.CharField(
        max_length=32, blank=True, default="", db_default="", editable=False
    )
    code_shown_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_code_hidden = models.BooleanField(default=False)
    key_hash = models.CharField(max_length=64, unique=True)
    socket_key = models.CharField(max_length=16, blank=True, default="", editable=False)
    personal_link = models.OneToOneField(
        PersonalLink, on_delete=models.SET_NULL, null=True, blank=True, related_name="participation"
    )
    external_id = models.CharField(_("external id"), max_length=80, blank=True)
    attributes = models.JSONField(default=dict)
    is_preview = models.BooleanField(default=False)
    condition = models.ForeignKey(
        Condition, on_delete=models.SET_NULL, null=True, blank=True, related_name="participations"
    )
    language = models.CharField(_("language"), max_length=10)
    consent_version = models.PositiveIntegerField()
    consent_text = models.TextField()
    consented_at = models.DateTimeField(_("consented"), auto_now_add=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.CONSENTED)
    sequence = models.JSONField(default=list)
    place = models.PositiveIntegerField(default=0)
    camera = models.JSONField(default=dict)
    recording = models.OneToOneField(
        Recording, on_delete=models.SET_NULL, null=True, blank=True, related_name="participation"
    )
    seen_at = models.DateTimeField(_("last seen"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    stored_bytes = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("participation")
        verbose_name_plural = _("participations")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="one_participant_a_number")
        ]

    def __str__(self) -> str:
        return f"P{self.number:03d}"

    @property
    def has_ended(self) -> bool:
        return self.state in HAVE_ENDED


HAVE_ENDED = (Participation.State.FINISHED, Participation.State.LEFT)


class Visit(models.Model):
    """That a participant saw a block, and when, on the time line of the recording.

    Attributes:
        start_ms, end_ms: milliseconds since the start of the recording, by the participant's clock
            and its measured difference to ours; `end_ms` is None while it lasts.
        events: what happened in between, as ``[time_ms, name, value]``: a video that stopped and
            went on, a page that was hidden.
    """

    participation = models.ForeignKey(
        Participation, on_delete=models.CASCADE, related_name="visits"
    )
    block = models.ForeignKey(Block, on_delete=models.CASCADE, related_name="visits")
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField(null=True, blank=True)
    events = models.JSONField(default=list)

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        ordering = ["start_ms", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["participation", "block"], name="one_visit_a_block")
        ]

    def __str__(self) -> str:
        return f"{self.participation_id}: {self.block_id}"


class Answer(models.Model):
    """What a participant answered: a number of a scale from 1, or words."""

    participation = models.ForeignKey(
        Participation, on_delete=models.CASCADE, related_name="answers"
    )
    block = models.ForeignKey(Block, on_delete=models.CASCADE, related_name="given_answers")
    number = models.FloatField(null=True, blank=True)
    text = models.TextField(max_length=2000, blank=True)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["participation", "block"], name="one_answer_a_block")
        ]

    def __str__(self) -> str:
        return self.text or str(self.number)


class ClockReading(models.Model):
    """How a participant's clock differs from ours, measured at each connection.

    Attributes:
        offset_ms: to be added to the participant's clock for milliseconds of the recording.
        round_trip_ms: of the exchange that it was taken from, the shortest of several; the offset
            is wrong by half of it at most.
    """

    participation = models.ForeignKey(
        Participation, on_delete=models.CASCADE, related_name="clock_readings"
    )
    at_ms = models.PositiveIntegerField()
    offset_ms = models.FloatField()
    round_trip_ms = models.FloatField()

    class Meta:
        verbose_name = _("clock reading")
        verbose_name_plural = _("clock readings")
        ordering = ["at_ms", "pk"]

    def __str__(self) -> str:
        return f"{self.offset_ms:+.1f} ms"
