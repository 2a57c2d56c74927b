"""What participants see, do and answer, one step after the other."""

from __future__ import annotations

import secrets

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.studies import Condition, Study


def stimulus_path(block: models.Model, _name: str) -> str:
    """In the folder of its study, under a random name that says nothing of what was sent."""
    return f"studies/{block.study_id}/{secrets.token_hex(16)}"  # type: ignore[attr-defined]


class Block(models.Model):
    """One step of a study.

    Attributes:
        number: its place in the list, from 1.
        name: of its markers and of its columns in downloads; unique within the study.
        condition: of those who see it; None for everybody.
        may_move: whether it changes places with the others that may, if the study's order says so.
        text: what is read: the text, what is said beside a stimulus, or the question.
        file: of an image, a video or a sound.
        media_type: of the file, one of a short list; it is served as that and nothing else.
        url: of a web page in a frame.
        seconds: how long it lasts; None until the participant goes on, or the video or sound ends.
        answers: what can be chosen; for a scale its two ends.
        steps: of a scale.
        is_required: whether a question must be answered.
    """

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        IMAGE = "image", _("Image")
        VIDEO = "video", _("Video")
        SOUND = "sound", _("Sound")
        PAGE = "page", _("Web page")
        SCALE = "scale", _("Question: scale")
        CHOICE = "choice", _("Question: choice")
        OPEN = "open", _("Question: text")
        PAUSE = "pause", _("Pause")
        BASELINE = "baseline", _("Baseline")

    #: Kinds that are a question; their answers are stored, and the camera is not looked at for them
    #: in the results.
    QUESTIONS = (Kind.SCALE, Kind.CHOICE, Kind.OPEN)
    #: Kinds whose curves the results show.
    STIMULI = (Kind.TEXT, Kind.IMAGE, Kind.VIDEO, Kind.SOUND, Kind.PAGE)
    #: Kinds that come with a file.
    WITH_FILE = (Kind.IMAGE, Kind.VIDEO, Kind.SOUND)

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="blocks")
    number = models.PositiveIntegerField(_("place"))
    name = models.SlugField(_("name"), max_length=40)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    condition = models.ForeignKey(
        Condition,
        verbose_name=_("condition"),
        on_delete=models.CASCADE,
        related_name="blocks",
        null=True,
        blank=True,
    )
    may_move = models.BooleanField(_("takes part in the random order"), default=True)
    text = models.TextField(_("text"), max_length=5000, blank=True)
    file = models.FileField(_("file"), upload_to=stimulus_path, max_length=200, blank=True)
    media_type = models.CharField(max_length=40, blank=True, editable=False)
    stored_bytes = models.PositiveBigIntegerField(default=0, editable=False)
    url = models.URLField(_("URL"), blank=True)
    seconds = models.FloatField(
        _("seconds"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.5), MaxValueValidator(3600)],
    )
    answers = models.JSONField(_("answers"), default=list, blank=True)
    steps = models.PositiveSmallIntegerField(
        _("steps"), default=7, validators=[MinValueValidator(2), MaxValueValidator(100)]
    )
    is_required = models.BooleanField(_("must be answered"), default=True)

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        ordering = ["number", "pk"]
        constraints = [models.UniqueConstraint(fields=["study", "name"], name="one_block_a_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_question(self) -> bool:
        return self.kind in self.QUESTIONS
