"""The forms of a study: what it is, and what it tells people."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from operations.seen_forms import SeenForm
from studies.models import Study
from studies.planning import wording

#: Days from today to the deletion date that a new study suggests.
DAYS_KEPT = 365

_DATE = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


def _languages() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=_("Languages for participants"),
        choices=settings.LANGUAGES,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one language.")},
    )


class _Details(forms.ModelForm):
    languages = _languages()

    class Meta:
        model = Study
        fields: tuple[str, ...] = ()
        labels = {
            "responsible_name": _("Person responsible"),
            "delete_on": _("Delete everything on"),
        }
        help_texts = {
            "title": _("Participants see it."),
            "question": _("What you want to find out, in one or two sentences."),
            "responsible_name": _("Who answers for the study, with title."),
            "contact_email": _("Where participants can ask questions."),
            "delete_on": _(
                "On this day the study and everything in it is deleted. Download what you need "
                "to keep before then."
            ),
            "ends_on": _("After this day nobody can start. Empty for no end."),
        }
        widgets = {
            "question": forms.Textarea(attrs={"rows": 3}),
            "information": forms.Textarea(attrs={"rows": 10}),
            "consent_text": forms.Textarea(attrs={"rows": 18}),
            "delete_on": _DATE,
            "ends_on": _DATE,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What the browser's calendar offers.
        tomorrow = timezone.now().date() + timedelta(days=1)
        self.fields["delete_on"].widget.attrs["min"] = tomorrow.isoformat()

    def only_for_the_owner(self, name: str) -> None:
        """Show a field to whoever may not change it."""
        if name in self.fields:
            self.fields[name].disabled = True
            self.fields[name].help_text = _("Only the study’s owner can change this.")

    def clean_delete_on(self) -> date | None:
        day: date | None = self.cleaned_data["delete_on"]
        if day is not None and day <= timezone.now().date():
            raise forms.ValidationError(_("Choose a day in the future."))
        self._check_promise(day)
        return day

    def _check_promise(self, day: date | None) -> None:
        """Nothing is kept for longer than whoever gave it was told."""
        told = self.instance.delete_on if self.instance.pk else None
        if told is None or (day is not None and day <= told):
            return
        if self.instance.participations.filter(is_preview=False).exists():
            raise forms.ValidationError(
                _("People agreed that everything is deleted on %(day)s. Choose no later day."),
                params={"day": date_format(told, "DATE_FORMAT")},
            )
        if day is None and self.instance.status == Study.Status.OPEN:
            raise forms.ValidationError(_("Choose the day on which everything is deleted."))


class NewStudy(_Details):
    """What a study begins with; its texts are drafted from it."""

    confirmed = forms.BooleanField(
        label=_(
            "This study is not about people at work or in education, and I will not use it to "
            "judge anybody there."
        ),
        error_messages={"required": _("Please confirm this.")},
    )

    class Meta(_Details.Meta):
        fields = (
            "title", "question", "languages", "responsible_name", "institution", "contact_email",
            "minimum_age", "delete_on",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["delete_on"].initial = timezone.now().date() + timedelta(days=DAYS_KEPT)
        self.fields["delete_on"].required = True


class Details(_Details, SeenForm):
    """All that describes a study and is no block of it."""

    least_percent = forms.IntegerField(
        label=_("Least share of frames with a face, in percent"),
        min_value=0,
        max_value=100,
        help_text=_(
            "Participants below it are left out of results. The rule is named in every report."
        ),
    )
    confirmed = forms.BooleanField(
        label=NewStudy.base_fields["confirmed"].label,
        required=False,
    )

    class Meta(_Details.Meta):
        fields = (
            "title", "question", "languages", "responsible_name", "institution", "contact_email",
            "ethics_reference", "information", "consent_text", "minimum_age", "most_participants",
            "ends_on", "delete_on", "least_percent", "confirmed",
        )  # fmt: skip

    #: Headings and the fields below each.
    GROUPS = (
        (_("The study"), ("title", "question", "languages")),
        (_("Who is responsible"),
         ("responsible_name", "institution", "contact_email", "ethics_reference")),
        (_("What participants read"), ("information", "consent_text")),
        (_("Who takes part, and until when"),
         ("minimum_age", "most_participants", "ends_on", "delete_on", "least_percent")),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["least_percent"].initial = round(self.instance.exclude_below * 100)
        if self.instance.forbidden_uses_confirmed_at:
            del self.fields["confirmed"]

    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """Headings, each with its fields."""
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        last, gone = found.get("ends_on"), found.get("delete_on")
        if last and gone and gone <= last:
            self.add_error("delete_on", _("Choose a day after the last day."))
        told = self.instance.delete_on
        if self.instance.opened_at and told and gone and gone > told:
            languages = self.instance.languages
            if not wording.names_day(found.get("consent_text", ""), languages, gone):
                # Else whoever comes next would agree to a day on which nothing is deleted.
                message = _("Name the new deletion date in the text, too: %(days)s.")
                days = ", ".join(wording.days(languages, gone))
                error = forms.ValidationError(message, params={"days": days})
                self.add_error("consent_text", error)
        return found
