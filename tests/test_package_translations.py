"""What packages say in German and English, where this site says it in their place."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import allauth
import pytest
from django.utils import translation

from tests.support.catalogues import entries, placeholders
from tests.support.site import ROOT

#: Parts of allauth that are not installed.
NOT_INSTALLED = re.compile(
    r"third-party|provider|client|device|scope|_name\)s|grant|response types"
)


def test_nobody_is_addressed_by_two_words_in_german() -> None:
    """The site says "Sie"; django-allauth says "du", but for what is written here in its place."""
    package = Path(allauth.__file__).parent / "locale" / "de" / "LC_MESSAGES" / "django.mo"
    with package.open("rb") as stream:
        keys = gettext.GNUTranslations(stream)._catalog  # type: ignore[attr-defined]
    with translation.override("de"):
        said = {key: translation.gettext(key) for key in keys if isinstance(key, str) and key}
    familiar = re.compile(r"\b(du|dich|dir|dein\w*|gib|lass|wähle|versuche|bestätige|rufe)\b", re.I)
    assert len(said) > 200
    assert [
        key for key, text in said.items() if familiar.search(text) and not NOT_INSTALLED.search(key)
    ] == []


@pytest.mark.parametrize("language", ["de", "en"])
def test_what_is_said_in_a_packages_place_has_its_places(language: str) -> None:
    file = ROOT / "emotion_site" / "packages_locale" / language / "LC_MESSAGES" / "django.po"
    for entry in entries(file):
        assert placeholders(entry.translations[0]) == placeholders(entry.singular), entry.key
