"""The form of a block: what its kind needs, and nothing else."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from studies.models import Block, Condition, Study
from studies.planning.blocks import free_name
from studies.planning.fields import ColumnNameField, HttpsField

Kind = Block.Kind
#: Fields of each kind, between its name and who sees it.
FIELDS: dict[str, tuple[str, ...]] = {
    Kind.TEXT: ("text", "seconds"),
    Kind.IMAGE: ("text", "seconds"),
    Kind.VIDEO: ("text",),
    Kind.SOUND: ("text",),
    Kind.PAGE: ("url", "text", "seconds"),
    Kind.SCALE: ("text", "low", "high", "steps", "is_required"),
    Kind.CHOICE: ("text", "choices", "is_required"),
    Kind.OPEN: ("text", "is_required"),
    Kind.PAUSE: ("text", "seconds"),
    Kind.BASELINE: ("text", "seconds"),
}
#: What cannot be left empty, beside the name.
NEEDED: dict[str, tuple[str, ...]] = {
    Kind.TEXT: ("text",),
    Kind.PAGE: ("url",),
    Kind.SCALE: ("text", "low", "high", "steps"),
    Kind.CHOICE: ("text", "choices"),
    Kind.OPEN: ("text",),
    Kind.PAUSE: ("seconds",),
    Kind.BASELINE: ("seconds",),
}
#: What each kind is, in one sentence.
MEANINGS = {
    Kind.TEXT: _("A text to read, such as an instruction or a story."),
    Kind.IMAGE: _("A picture, for some seconds or until the participant goes on."),
    Kind.VIDEO: _("A video, played once to its end. MP4 or WebM."),
    Kind.SOUND: _("A sound, played once to its end. MP3, M4A, Ogg or WAV."),
    Kind.PAGE: _("A page of another website in a frame. It must allow frames."),
    Kind.SCALE: _("A question with a row of steps between two ends."),
    Kind.CHOICE: _("A question with answers, one of which is chosen."),
    Kind.OPEN: _("A question that is answered in words."),
    Kind.PAUSE: _("An empty screen for some seconds."),
    Kind.BASELINE: _("A cross to look at with a relaxed face. Results can be corrected by it."),
}
#: Seconds that are suggested.
SECONDS = {Kind.IMAGE: 6, Kind.PAUSE: 5, Kind.BASELINE: 10}
MAXIMUM_ANSWERS = 30


class BlockForm(forms.ModelForm):
    """A block of a kind that is known beforehand."""

    low = forms.CharField(label=_("Lowest step"), max_length=80)
    high = forms.CharField(label=_("Highest step"), max_length=80)
    choices = forms.CharField(
        label=_("Answers"),
        max_length=5000,
        help_text=_("One a line."),
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    class Meta:
        model = Block
        fields = (
            "name", "url", "text", "low", "high", "choices", "steps", "seconds", "is_required",
            "condition", "may_move",
        )  # fmt: skip
        help_texts = {
            "name": _("Names its column in downloads. Letters, digits and hyphens."),
            "seconds": _("Empty: until the participant goes on."),
            "condition": _("Only this group sees the block. Empty: everybody."),
            "may_move": _("Otherwise the block keeps its place."),
        }
        labels = {"may_move": _("Changes places when the order is random or a Latin square")}
        field_classes = {"name": ColumnNameField, "url": HttpsField}
        widgets = {"text": forms.Textarea(attrs={"rows": 5})}

    def __init__(self, study: Study, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.study, self.instance.kind = study, kind
        conditions = Condition.objects.filter(study=study)
        shown = ["name", *FIELDS[kind], *(["condition"] if conditions else []), "may_move"]
        for name in [name for name in self.fields if name not in shown]:
            del self.fields[name]
        for name in FIELDS[kind]:
            self.fields[name].required = name in NEEDED.get(kind, ())
        if conditions:
            field = self.fields["condition"]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset, field.empty_label = conditions, str(_("Everybody"))
        if "seconds" in NEEDED.get(kind, ()):
            self.fields["seconds"].help_text = ""
        if self.instance.pk is None:
            self._suggest(study, kind)
        self._show_answers()

    def _suggest(self, study: Study, kind: str) -> None:
        self.initial["name"] = free_name(study, kind)
        self.initial["may_move"] = kind in (*Block.STIMULI, *Block.QUESTIONS)
        if kind in SECONDS:
            self.initial["seconds"] = SECONDS[Kind(kind)]
        if kind == Kind.BASELINE:
            self.initial["text"] = _("Please look at the cross and relax your face.")

    def _show_answers(self) -> None:
        answers = self.instance.answers
        if self.instance.kind == Kind.SCALE and len(answers) == 2:
            self.initial["low"], self.initial["high"] = answers
        elif self.instance.kind == Kind.CHOICE:
            self.initial["choices"] = "\n".join(answers)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = self.instance.study.blocks.exclude(pk=self.instance.pk)
        if others.filter(name=name).exists():
            raise forms.ValidationError(_("Another block has this name."))
        return name

    def clean_choices(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["choices"].splitlines()]
        answers = list(dict.fromkeys(line for line in lines if line))
        if not 2 <= len(answers) <= MAXIMUM_ANSWERS:
            raise forms.ValidationError(
                _("Give 2 to %(most)d answers."), params={"most": MAXIMUM_ANSWERS}
            )
        return answers

    def save(self, commit: bool = True) -> Block:
        """As Django's, with the answers; `commit` must be false, for the list has a lock."""
        block: Block = super().save(commit=commit)
        if block.kind == Kind.SCALE:
            block.answers = [self.cleaned_data["low"], self.cleaned_data["high"]]
        elif block.kind == Kind.CHOICE:
            block.answers = self.cleaned_data["choices"]
        return block


class StimulusForm(forms.Form):
    """A file for a block."""

    block = forms.IntegerField(widget=forms.HiddenInput)
    file = forms.FileField(label=_("File"))


class ConditionForm(forms.Form):
    """A condition's name."""

    name = forms.CharField(label=_("Name"), max_length=60)
