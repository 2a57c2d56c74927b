"""What people are asked to agree to. Each app registers its own when the site starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: That an account is kept and worked for at all: without it, nothing else is offered.
ACCOUNT = "account"

#: Purpose to its name, as people read it.
NAMES: dict[str, StrOrPromise] = {}
#: Purpose to the version of its present text. Whoever changes what a text promises changes its
#: version; then everybody is asked again.
VERSIONS: dict[str, str] = {}


def register(purpose: str, name: StrOrPromise, version: str) -> None:
    NAMES[purpose] = name
    VERSIONS[purpose] = version


def choices() -> list[tuple[str, StrOrPromise]]:
    return list(NAMES.items())
