"""How many requests one web process works on at the same time, and whose is next.

Each request has a thread and a connection to the database of its own. Three hundred that came at
once took all of PostgreSQL's connections, and everybody else, workers too, got an error; and with
sixty slow pages of one person between them, another's took ten times as long. So a process works on
``PAGES_AT_ONCE`` requests, and the others wait in a line where people are served in turn.

What brings a photo or a video waits for the decoder in its turn, up to 20 seconds, the address of a
new webhook for whoever answers for its name, up to eight, and a photo that is in a bucket for that,
up to ten: such requests have half of the turns at most, so that pages never wait for them. So do
forms that send a mail, five seconds, and those with a password, which wait for the place to hash
it: a third.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import Resolver404, resolve, reverse

from accounts.sockets import address_of, caller_of
from emotion_site.request_bodies import UPLOAD_PATHS, VIDEO_PATHS
from operations import turns

#: Names of the views that read or write stored files. Those that delete some ask a bucket that
#: said nothing once in half a minute.
IN_BUCKET = {
    "upload_detail", "upload_image", "upload_thumbnail", "face_heat_map",
    "download_export", "video_file",
    "api-upload-image", "api-upload-thumbnail", "api-video-file",
    "api-video-transfer-part", "api-video-transfer-finish",
    "studies:block_file", "studies:change_block", "studies:delete_study", "studies:download",
    "taking_part:stimulus",
    "admin:recognition_upload_blurred", "admin:recognition_upload_photo",
}  # fmt: skip

#: Names of forms that are slow beside those that bring photos and videos.
ALSO_SLOW = ("sample_upload", "webhooks", "api-webhook-list")
#: Names of the views whose forms send a mail and have no password.
WITH_MAIL = {"account_reset_password", "account_email", "studies:team"}
#: Names of the views that hash a password which a form brings.
WITH_PASSWORD = {
    "account_login", "account_signup", "account_reauthenticate", "account_change_password",
    "account_set_password", "account_reset_password_from_key", "delete_account",
    "admin:accounts_user_add", "admin:auth_user_password_change",
}  # fmt: skip


class FairTurns:
    """An ASGI application for HTTP that waits for its turn.

    Of the turns a network address has three quarters at most, and a browser or program there, told
    by its cookies or token, a third. Both can be made up; an address less easily.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        n = settings.PAGES_AT_ONCE
        self._line, self._slow = _line(n), _line(max(1, n // 2))
        self._passwords = _line(max(1, n // 3))
        self._slow_paths = {*UPLOAD_PATHS, *VIDEO_PATHS, *map(reverse, ALSO_SLOW)}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        turn = turns.Turn(address_of(scope), caller_of(scope), *self._lines_for(scope))
        await turns.work_in(turn, lambda: self._application(scope, receive, send))

    def _lines_for(self, scope: dict[str, Any]) -> list[turns.Line]:
        path, is_post = scope["path"], scope["method"] == "POST"
        if is_post and path in self._slow_paths:
            return [self._slow, self._line]
        name = _view_name(path) if is_post or settings.S3_BUCKET else None
        if is_post and name in WITH_PASSWORD:
            return [self._passwords, self._line]
        if is_post and name in WITH_MAIL:
            return [self._slow, self._line]
        if settings.S3_BUCKET and name in IN_BUCKET:
            return [self._slow, self._line]
        return [self._line]


def _view_name(path: str) -> str | None:
    try:
        return resolve(path).view_name
    except Resolver404:
        return None


def _line(n: int) -> turns.Line:
    return turns.Line(n, of_place=max(1, n * 3 // 4), of_caller=max(1, n // 3))
