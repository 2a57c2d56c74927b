"""What studies add to a person's account: events in their list."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts import audit


def register() -> None:
    """To be called once, when the site starts."""
    audit.register(
        {
            "study_created": _("A study was created"),
            "study_opened": _("A study was opened"),
            "study_closed": _("A study was closed"),
            "study_downloaded": _("Results of a study were downloaded"),
            "study_links_downloaded": _("A study’s personal links were downloaded"),
            "study_participant_deleted": _("A participant’s data was deleted from a study"),
            "study_deleted": _("A study was deleted"),
            "study_member_invited": _("Somebody was invited to a study’s team"),
            "study_member_removed": _("Somebody was removed from a study’s team"),
            "study_joined": _("A study’s team was joined"),
            "study_role_changed": _("A role in a study’s team was changed"),
            "study_left": _("A study’s team was left"),
            "study_offered": _("An editor was asked to become a study’s owner"),
            "study_offer_ended": _("A study was not handed over: declined, or taken back"),
            "study_handed_over": _("A study was handed over"),
        },
        mailed={"study_offered", "study_handed_over"},
        shown={"study": ""},
        # Members of a team see each other on its page, too.
        named={
            "study_downloaded",
            "study_links_downloaded",
            "study_joined",
            "study_member_removed",
            "study_role_changed",
            "study_left",
            "study_offered",
            "study_offer_ended",
            "study_handed_over",
        },
    )
