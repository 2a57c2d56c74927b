"""Forms that know what they were opened with: saved later, they undo nothing done meanwhile."""

from __future__ import annotations

import hashlib
from typing import Any

from django import forms
from django.db.models import Model
from django.utils.translation import gettext_lazy as _


class SeenForm(forms.Form):
    """To be inherited from beside the form itself; its page shows the hidden field `seen`.

    Where that comes back other than it would be shown now, the form is refused; not one that would
    change nothing, such as the second of a double click. Programs that do not send it are believed.
    """

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        if field_name == "seen":
            return self._state()
        return super().get_initial_for_field(field, field_name)

    def clean_seen(self) -> str:
        seen: str = self.cleaned_data["seen"]
        if seen and seen != self._state() and set(self.changed_data) != {"seen"}:
            self.add_error(
                None, _("Somebody has changed this since you opened the page. Open it again.")
            )
        return seen

    def _state(self) -> str:
        shown = {
            name: _plain(super(SeenForm, self).get_initial_for_field(field, name))
            for name, field in self.fields.items()
            if name != "seen"
        }
        return hashlib.sha256(repr(sorted(shown.items())).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Rows by their keys: their names may be in the reader's language."""
    if isinstance(value, list):
        return sorted(repr(_plain(one)) for one in value)
    return value.pk if isinstance(value, Model) else value
