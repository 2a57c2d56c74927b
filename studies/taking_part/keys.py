"""How a participant is known: by a random key in a cookie, and a withdrawal code made of it.

The database has no key and no code: whoever reads it can neither go on as somebody nor withdraw for
them. Nor does the cookie tell the code, which may be hidden from the next one at a shared device:
half of what it is made of is in the database.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.http import HttpResponse
from django.utils.crypto import salted_hmac

from operations import rates
from studies.models import Participation, Study

if TYPE_CHECKING:
    from uuid import UUID

#: Seconds for which a participant may come back: as long as weeks of a study last.
COOKIE_SECONDS = 60 * 24 * 3600
#: Seconds for which a token opens the socket.
TOKEN_SECONDS = 120
#: What the socket answers to, and what a token is offered behind.
SUBPROTOCOL, TOKEN_SUBPROTOCOL = "visage.study", "visage.study.token."
_SALT = "studies.taking_part.token"
#: Bytes of a withdrawal code: 80 bits, written as 16 letters and digits.
_CODE_BYTES = 10


def hash_of(secret: str) -> str:
    """What is stored of a key or a code. A plain hash suffices: they are random."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new() -> str:
    """A key for a new participant's cookie, or a salt for their code: 32 letters and signs."""
    return secrets.token_urlsafe(24)


def of_browser(study: Study, way: str, browser: str) -> str | None:
    """The key of whoever agrees in a browser, the same each time; None where it brings nothing.

    So an answer that is lost, or that comes twice, gives one key. It is made with ``SECRET_KEY``.

    Args:
        study: which one.
        way: by which they came: two people at one device have links or ids of their own.
        browser: the number that :func:`ask` gave it.
    """
    if not browser:
        return None
    told = f"{study.pk.hex} {way} {browser}"
    return salted_hmac("studies.taking_part.key", told, algorithm="sha256").hexdigest()


def code_of(key: str, salt: str) -> str:
    """The withdrawal code, such as ``K7QM-2ABX-RW5C-9TPL``; the same each time it is shown.

    Args:
        key: the one in the participant's cookie.
        salt: the participation's.
    """
    return _written(hashlib.sha256(f"withdrawal code of {key} and {salt}".encode()).digest())


def codes_of(key: str, salt: str) -> Iterator[str]:
    """It, or what it may be without a salt: made with ``SECRET_KEY``, which may have changed."""
    if salt:
        yield code_of(key, salt)
        return
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        salt = "studies.taking_part.code"
        yield _written(salted_hmac(salt, key, secret=secret, algorithm="sha256").digest())


def _written(digest: bytes) -> str:
    text = base64.b32encode(digest[:_CODE_BYTES]).decode()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def hash_of_code(typed: str) -> str:
    """Of a code as people type it: without hyphens, in small letters, 0 for O and 1 for I."""
    text = re.sub(r"[^A-Z0-9]", "", typed.upper())
    return hash_of(text.replace("0", "O").replace("1", "I").replace("8", "B"))


def cookie_name(study_id: UUID) -> str:
    """Of the cookie of one study; outside debug no other host can set it."""
    prefix = "" if settings.DEBUG or not settings.SESSION_COOKIE_SECURE else "__Host-"
    return f"{prefix}part-{study_id.hex[:16]}"


def remember(response: HttpResponse, study: Study, key: str) -> None:
    """Let the browser bring the key with each request: no script can read it."""
    response.set_cookie(
        cookie_name(study.pk),
        key,
        max_age=COOKIE_SECONDS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        # A panel's link leads here from elsewhere, again after a break.
        samesite="Lax",
    )


def asked_name(study_id: UUID) -> str:
    """Of the cookie that the page before consent gives a browser."""
    return cookie_name(study_id).replace("part-", "ask-")


def ask(response: HttpResponse, study: Study, cookies: Mapping[str, str]) -> None:
    """Know whoever reads the page when they agree twice, by a number of their own.

    Args:
        response: the page.
        study: which one.
        cookies: where the number may stand that they have already.
    """
    name = asked_name(study.pk)
    response.set_cookie(
        name,
        cookies.get(name) or new(),
        max_age=COOKIE_SECONDS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def forget(response: HttpResponse, study: Study) -> None:
    response.delete_cookie(cookie_name(study.pk), samesite="Lax")


def find(study: Study, cookies: Mapping[str, str]) -> tuple[Participation, str] | None:
    """Whose key a browser brings for a study, and the key; None where it opens nothing."""
    key = cookies.get(cookie_name(study.pk), "")
    if not key:
        return None
    found = (
        Participation.objects.select_related("study", "condition", "recording")
        .defer("recording__samples")
        .filter(study=study, key_hash=hash_of(key))
        .first()
    )
    return None if found is None else (found, key)


# The socket's token -----------------------------------------------------------------------------


def token_for(participation: Participation) -> str:
    """Opens the socket once, within :data:`TOKEN_SECONDS`, together with the cookie."""
    signed = signing.TimestampSigner(salt=_SALT).sign(
        f"{participation.pk.hex}.{secrets.token_hex(8)}"
    )
    # A subprotocol is a word of letters, digits and a few signs; the colon is none of them.
    return base64.urlsafe_b64encode(signed.encode()).decode().rstrip("=")


def participation_of(token: str) -> str | None:
    """The hexadecimal id that a token is for; None where it is wrong, too old or used already."""
    try:
        signed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        content = signing.TimestampSigner(salt=_SALT).unsign(signed, max_age=TOKEN_SECONDS)
    except (ValueError, signing.BadSignature):
        return None
    if rates.too_often("study-token", content, "1/h") is not None:
        return None
    return content.partition(".")[0]


def token_in(offered: list[str]) -> str:
    """The token among the subprotocols that a browser offers; empty where there is none."""
    for name in offered:
        if name.startswith(TOKEN_SUBPROTOCOL):
            return name.removeprefix(TOKEN_SUBPROTOCOL)
    return ""
