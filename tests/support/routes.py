"""Every address that the site answers, and who gets what of it.

A new address fails `tests/test_routes.py` until its line says who gets what: in :data:`ROUTES` if
it takes an argument, in :data:`PUBLIC` if strangers may open it; any other must send them to sign
in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver, reverse

CHANGING = ("POST", "PUT", "PATCH", "DELETE")
METHODS = ("GET", *CHANGING)
#: Sent to sign in; anything else in the table is a status.
SIGN_IN = "to sign in"
#: What those may get who have no business there.
REFUSALS = {SIGN_IN, 401, 403, 404, 405}


# Addresses ------------------------------------------------------------------------------------


class Address(NamedTuple):
    """An entry of the resolver; `name` is its pattern where it has none."""

    name: str
    pattern: str

    @property
    def takes_an_argument(self) -> bool:
        return re.search(r"<\w", self.pattern) is not None

    @property
    def is_administration(self) -> bool:
        return self.pattern.startswith("admin/")

    def path(self, **arguments: Any) -> str:
        if self.name != self.pattern:
            return reverse(self.name, kwargs=arguments)
        path = self.pattern.removeprefix("^")
        for argument, value in arguments.items():
            path = re.sub(rf"<(\w+:)?{argument}>|\(\?P<{argument}>.*\)\$?", str(value), path)
        return f"/{path}"


def addresses(resolver: URLResolver, prefix: str = "", namespace: str = "") -> Iterator[Address]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield Address(namespace + entry.name if entry.name else pattern, pattern)
        else:
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from addresses(entry, pattern, inner)


#: One that stands before another of the same name and pattern is asked in its place.
ALL = list(dict.fromkeys(addresses(get_resolver())))
WITH_ARGUMENT = [address for address in ALL if address.takes_an_argument]
WITHOUT = [address for address in ALL if not address.takes_an_argument]


# Who gets what ----------------------------------------------------------------------------------


class Answers(NamedTuple):
    """What each gets of something of Alice's: a status, or :data:`SIGN_IN`.

    Staff have no permissions, the operator has all; neither has a way to people's own pages.
    """

    owner: int | str
    other: int | str
    anonymous: int | str
    staff: int | str
    operator: int | str


class Route(NamedTuple):
    """What is behind an address, by its name in :mod:`tests.support.everything`, and who gets
    what of it.

    All other methods are refused to everybody, or, with `any_method`, do what GET does.
    """

    thing: str
    answers: dict[str, Answers]
    body: dict[str, Any]
    any_method: bool = False


def own(thing: str, body: dict[str, Any] | None = None, **owner: int) -> Route:
    """A page for the owner; it does not exist for anybody else."""
    answers = {m: Answers(status, 404, SIGN_IN, 404, 404) for m, status in owner.items()}
    return Route(thing, answers, body or {})


def interface(thing: str, body: dict[str, Any] | None = None, **owner: int) -> Route:
    """The same for programs, which are not sent to a form."""
    answers = {m: Answers(status, 404, 401, 404, 404) for m, status in owner.items()}
    return Route(thing, answers, body or {})


def staff_only(
    thing: str, body: dict[str, Any] | None = None, staff: int = 403, **operator: int
) -> Route:
    """A page of the administration, for those with the permission."""
    answers = {
        m: Answers(SIGN_IN, SIGN_IN, SIGN_IN, 405 if status == 405 else staff, status)
        for m, status in operator.items()
    }
    return Route(thing, answers, body or {}, any_method=operator["GET"] != 405)


def everybody(thing: str, **status: int) -> Route:
    """An address that is opened by a key in it; this one is made up, and opens nothing."""
    answers = {method: Answers(*[answer] * 5) for method, answer in status.items()}
    return Route(thing, answers, {}, any_method=True)


def administered(
    model: str, thing: str, *, change: int = 403, delete: int = 403
) -> dict[str, Route]:
    """The addresses that Django makes for a row: `change` and `delete` are the answers to a POST.

    A change is sent as an empty form: 200 means that it was read and found wanting.
    """
    confirmation = 403 if delete == 403 else 200
    return {
        f"admin:{model}_change": staff_only(thing, GET=200, POST=change),
        f"admin:{model}_delete": staff_only(thing, {"post": "yes"}, GET=confirmation, POST=delete),
        f"admin:{model}_history": staff_only(thing, GET=200, POST=200),
        # Django's way from the bare address to the page, which asks for the permission.
        f"admin/{model.replace('_', '/')}/<path:object_id>/": staff_only(
            thing, staff=302, GET=302, POST=302
        ),
    }


ROUTES: dict[str, Route] = {
    # Pages
    "upload_detail": own("upload", GET=200),
    "upload_image": own("upload", GET=200),
    "upload_thumbnail": own("upload", GET=200),
    "export_upload": own("upload as JSON", GET=200),
    "delete_upload": own("upload", {"sure": "yes"}, POST=302),
    "retry_upload": own("upload", POST=302),
    "correct_face": own("face of the upload", {"label": "sad"}, POST=302),
    "draw_face": own(
        "upload", {"x": 1, "y": 1, "width": 90, "height": 90, "label": "sad"}, POST=302
    ),
    "explain_face": own("first face of the upload", POST=302),
    "face_heat_map": own("first face of the upload", GET=200),
    "cancel_video": own("video", POST=302),
    # Studies, as their owner, and as people who are not in the team. The team is in TEAM below.
    "studies:study": own("study", GET=200),
    "video_file": own("kept video", GET=200),
    "forget_video": own("kept video", POST=302),
    "recording_boxes": own("session", GET=200),
    "studies:results": own("study", GET=200),
    "studies:results_rules": own("study", {"face_percent": 80, "frames_per_second": 2}, POST=302),
    "studies:download": own("study as CSV", GET=200),
    "studies:block_results": own("stimulus of the study", GET=200),
    "studies:study_details": own("study", GET=200, POST=200),
    "studies:study_status": own("study", {"action": "close"}, POST=302),
    "studies:delete_study": own("study", GET=200, POST=302),
    "studies:blocks": own("study", GET=200),
    "studies:new_block": own("study", GET=200, POST=200),
    "studies:set_order": own("study", {"order": "random"}, POST=302),
    "studies:edit_block": own("block of the study", GET=200, POST=200),
    "studies:change_block": own("block of the study", {"action": "duplicate"}, POST=302),
    "studies:block_file": own("block of the study", GET=200),
    "studies:add_condition": own("study", {"name": "control"}, POST=302),
    "studies:delete_condition": own("condition of the study", POST=302),
    "studies:invite": own("study", {"action": "new"}, GET=200, POST=302),
    "studies:personal_links": own("study", GET=200),
    "studies:delete_link": own("link of the study", POST=302),
    "studies:team": own("study", {"email": "no address"}, GET=200, POST=200),
    "studies:change_member": own("member of the study", {"action": "remove"}, POST=302),
    "studies:ownership": own("study", {"action": "decline"}, POST=302),
    "studies:leave_team": own("study", POST=302),
    "studies:study_progress": own("study", GET=200),
    "studies:delete_participant": own("participant of the study", GET=200, POST=302),
    "studies:data_protection": own("study", GET=200),
    "studies:join": Route(
        "key of an invitation",
        {"GET": Answers(404, 404, SIGN_IN, 404, 404), "POST": Answers(302, 302, SIGN_IN, 302, 302)},
        {},
    ),
    "recording_overview": own("session", GET=200),
    "recording_stretches": own("session", GET=200),
    "add_answer": own(
        "session", {"face": 1, "start": "1", "end": "2", "label": "neutral"}, POST=302
    ),
    "delete_answer": own("answer in the session", POST=302),
    "live_session": own("session", GET=200),
    "export_live_session": own("session", GET=200),
    "download_recording": own("session as CSV", GET=200),
    "add_marker": own("session", {"seconds": "1.5", "name": "bell"}, POST=302),
    "delete_marker": own("marker of the session", POST=302),
    "delete_live_session": own("session", POST=302),
    "download_export": own("export", GET=200),
    "delete_export": own("export", POST=302),
    "webhook": own("webhook", GET=200),
    "ping_webhook": own("webhook", POST=302),
    "switch_webhook": own("webhook", POST=302),
    "delete_webhook": own("webhook", POST=302),
    "delete_api_token": own("token", POST=302),
    # The argument is no id: everybody gets a file of what is theirs.
    "export_uploads": Route("as JSON", {"GET": Answers(200, 200, SIGN_IN, 200, 200)}, {}),
    # Ways in
    "account_confirm_email": everybody("key of a mail", GET=200, POST=404),
    "account_reset_password_from_key": everybody("key of a person", GET=200, POST=200, PUT=200),
    "documentation_file": everybody("page of the documentation", GET=404),
    # Studies, for participants: nobody here is one, and where nobody is, all begin, with the
    # information of this version.
    "taking_part:information": everybody("open study", GET=200),
    "taking_part:consent": everybody("open study", GET=302, POST=200),
    "taking_part:personal_information": everybody("personal link", GET=200),
    "taking_part:personal_consent": everybody("personal link", GET=302, POST=200),
    "taking_part:preview": own("study", GET=302, POST=302),
    "taking_part:run": everybody("running study", GET=410),
    "taking_part:end": everybody("running study", GET=410),
    "taking_part:token": everybody("running study", GET=405, POST=410),
    "taking_part:leave": everybody("running study", GET=405, POST=410),
    "taking_part:somebody_else": everybody("open study", GET=405, POST=302),
    "taking_part:left": everybody("running study", GET=405, POST=410),
    "taking_part:shown": everybody("running study", GET=405, POST=410),
    "taking_part:stimulus": everybody("block of the running study", GET=410),
    # API
    "api-upload-detail": interface("upload", GET=200, DELETE=204),
    "api-upload-image": interface("upload", GET=200),
    "api-upload-thumbnail": interface("upload", GET=200),
    "api-upload-retry": interface("upload", POST=409),
    "api-prediction-detail": interface("face", {"correction": "sad"}, GET=200, PATCH=200),
    "api-live-session-detail": interface("session", GET=200, DELETE=204),
    "api-recording-detail": interface("session", GET=200, DELETE=204),
    "api-recording-samples": interface("session", GET=200),
    "api-recording-markers": interface(
        "session", {"time_ms": 1500, "name": "bell"}, GET=200, POST=201
    ),
    "api-recording-marker": interface(
        "marker of the session", {"name": "gong"}, PATCH=200, DELETE=204
    ),
    "api-recording-answers": interface(
        "session", {"face": 1, "start_ms": 0, "end_ms": 900, "label": "sad"}, GET=200, POST=201
    ),
    "api-recording-answer": interface("answer in the session", DELETE=204),
    "api-video-detail": interface("video", GET=200, DELETE=204),
    "api-video-cancel": interface("video", POST=200),
    "api-video-transfer-detail": interface("transfer", GET=200, DELETE=204),
    "api-video-transfer-part": interface("transfer", PUT=400),
    "api-video-transfer-finish": interface("transfer", POST=409),
    "api-video-file": interface("kept video", GET=200, DELETE=204),
    "api-study-detail": interface("study", GET=200),
    "api-study-participants": interface("study", GET=200),
    "api-study-blocks": interface("study", GET=200),
    # Needs the name of a block, which is only asked for where there is a study to read.
    "api-study-curves": interface("study", GET=400),
    "api-webhook-detail": interface(
        "webhook", {"is_active": False}, GET=200, PATCH=200, DELETE=204
    ),
    "api-webhook-ping": interface("webhook", POST=202),
    "api-webhook-deliveries": interface("webhook", GET=200),
    # Administration
    **administered("auth_group", "group, administered", change=200, delete=302),
    **administered("account_emailaddress", "address, administered"),
    **administered("mfa_authenticator", "factor, administered", change=302, delete=302),
    **administered("usersessions_usersession", "sign-in, administered", change=302, delete=302),
    **administered("accounts_apitoken", "token, administered"),
    **administered("accounts_auditevent", "event, administered"),
    **administered("accounts_consent", "consent, administered"),
    **administered("accounts_user", "person, administered", change=200, delete=302),
    **administered("recognition_dataexport", "export, administered"),
    **administered("recognition_recording", "session, administered", delete=302),
    **administered("recognition_liveusage", "usage, administered"),
    **administered("recognition_modelchoice", "choice, administered"),
    **administered("recognition_modelcomparison", "comparison, administered"),
    **administered("recognition_prediction", "face, administered"),
    **administered("recognition_upload", "upload, administered", change=302, delete=302),
    **administered("recognition_webhook", "webhook, administered"),
    **administered("recognition_webhookdelivery", "delivery, administered"),
    **administered("studies_study", "study, administered", delete=302),
    **administered("studies_block", "block, administered"),
    **administered("studies_condition", "condition, administered"),
    **administered("studies_member", "member, administered"),
    **administered("studies_personallink", "link, administered"),
    **administered("studies_participation", "participation, administered"),
    "admin:auth_user_password_change": staff_only("person", GET=200, POST=200),
    "admin:recognition_upload_blurred": staff_only("upload", GET=200, POST=405),
    "admin:recognition_upload_photo": staff_only("upload", GET=405, POST=200),
    "admin:recognition_modelcomparison_cancel": staff_only("comparison", GET=405, POST=302),
    # Leads to the owner's page, which is not there for them.
    "admin:view_on_site": staff_only("page of the upload", staff=302, GET=302, POST=302),
    "admin:app_list": staff_only("application", staff=404, GET=200, POST=200),
    "admin/(?P<url>.*)$": staff_only("nothing", staff=404, GET=404, POST=404),
}  # fmt: skip

#: What an editor and a viewer of the study get, by method; its owner's part is in ROUTES.
TEAM: dict[str, dict[str, tuple[int, int]]] = {
    "studies:study": {"GET": (200, 200)},
    "studies:study_details": {"GET": (200, 404), "POST": (200, 404)},
    "studies:study_status": {"POST": (404, 404)},
    "studies:delete_study": {"GET": (404, 404), "POST": (404, 404)},
    "studies:blocks": {"GET": (200, 200)},
    "studies:new_block": {"GET": (200, 404), "POST": (200, 404)},
    "studies:set_order": {"POST": (302, 404)},
    "studies:edit_block": {"GET": (200, 404), "POST": (200, 404)},
    "studies:change_block": {"POST": (302, 404)},
    "studies:block_file": {"GET": (200, 200)},
    "studies:add_condition": {"POST": (302, 404)},
    "studies:delete_condition": {"POST": (302, 404)},
    "studies:invite": {"GET": (200, 404), "POST": (302, 404)},
    "studies:personal_links": {"GET": (200, 404)},
    "studies:delete_link": {"POST": (302, 404)},
    "studies:team": {"GET": (200, 200), "POST": (404, 404)},
    "studies:change_member": {"POST": (404, 404)},
    "studies:ownership": {"POST": (404, 404)},
    "studies:leave_team": {"POST": (302, 302)},
    "studies:study_progress": {"GET": (200, 200)},
    "studies:delete_participant": {"GET": (404, 404), "POST": (404, 404)},
    "studies:data_protection": {"GET": (200, 200)},
    "studies:join": {"GET": (404, 404), "POST": (302, 302)},
    "studies:results": {"GET": (200, 200)},
    "studies:results_rules": {"POST": (302, 404)},
    "studies:download": {"GET": (200, 200)},
    "studies:block_results": {"GET": (200, 200)},
}

#: What strangers may open.
PUBLIC = {
    "home", "about", "legal", "documentation", "healthz", "healthz_live", "set_language",
    "manifest", "service_worker", "offline",
    "api-docs", "api-schema", "api-errors",
    # Leads to the profile, which asks.
    "accounts/",
    "account_signup", "account_login", "account_logout", "account_inactive",
    "account_email_verification_sent", "account_reset_password", "account_reset_password_done",
    "account_reset_password_from_key_done",
    "taking_part:withdraw",
    # The second steps of signing in: without the first they lead back to it.
    "mfa_authenticate", "account_confirm_login_code",
    # Django's texts for the scripts of the administration's forms.
    "admin:jsi18n", "admin:login", "admin:logout",
}  # fmt: skip

#: What of the administration staff without permissions may open.
FOR_ALL_STAFF = {
    "admin:index", "admin:services", "admin:password_change", "admin:password_change_done",
}  # fmt: skip

#: Lists, and what of Alice's is in hers: so that looking for it in Bob's means something.
LISTS = {
    "history": "upload", "live_sessions": "session", "privacy": "export", "webhooks": "webhook",
    "api_tokens": "token", "api-upload-list": "upload", "api-prediction-list": "upload",
    "api-live-session-list": "session", "api-recording-list": "session",
    "api-video-list": "video", "api-study-list": "study",
    "api-webhook-list": "webhook",
    "studies:studies": "study",
}  # fmt: skip
