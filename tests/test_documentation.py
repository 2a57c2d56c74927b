"""The documentation builds as a site: strictly, with every page in its place, and by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.documentation import build

ROOT = Path(__file__).resolve().parent.parent
#: What a browser fetches by itself, as opposed to a link that somebody follows.
FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed|object)\b"
    r"[^>]*?\b(?:src|srcset|data)=\"?([^\" >]+)"
    r"|<link\b[^>]*?\bhref=\"?([^\" >]+)"
)
#: Hosts that scripts of the theme name: vocabularies of XML, and where a library comes from.
NAMED_ONLY = {"bit.ly", "clipboardjs.com", "developer.mozilla.org", "fontawesome.com", "github.com"}
NAMED_ONLY |= {"lunrjs.com", "squidfunk.github.io", "tartarus.org", "www.w3.org"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("documentation"))


def test_every_page_is_in_the_navigation(site: Path) -> None:
    home = (site / "index.html").read_text()
    pages = [page.relative_to(site).as_posix() for page in site.rglob("*.html")]
    assert len(pages) > 25
    for page in pages:
        if page != "index.html":
            assert re.search(rf'href="?{re.escape(page)}"?[ >]', home), page


def test_pages_fetch_nothing_from_elsewhere(site: Path) -> None:
    fetched = [
        first or second
        for page in site.rglob("*.html")
        for first, second in FETCHED.findall(page.read_text())
    ]
    assert len(fetched) > 100
    assert [url for url in fetched if re.match(r"(https?:)?//", url)] == []


def test_styles_and_scripts_fetch_nothing_from_elsewhere(site: Path) -> None:
    styles = [style.read_text() for style in site.rglob("*.css")]
    assert styles
    for style in styles:
        assert not re.search(r"(?:url\(|@import)\s*[\"']?\s*(?:https?:)?//", style)
    scripts = [script.read_text() for script in site.rglob("*.js")]
    assert scripts
    for script in scripts:
        assert set(re.findall(r"https?://([\w.-]+)", script)) <= NAMED_ONLY


def test_pages_hold_no_script_or_style_that_the_policy_refuses(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text()
        scripts = re.findall(r"<script\b([^>]*)>", text)
        assert len(scripts) > 3
        assert [s for s in scripts if "src=" not in s and "application/json" not in s] == []
        assert not re.search(r"<style\b|<[a-z][^>]*\s(?:style|on[a-z]+)=", text), page


def test_links_lead_to_pages_that_are_there(site: Path) -> None:
    for page in site.rglob("*.html"):
        for target in re.findall(r"<a\b[^>]*?\bhref=\"?([^\" >#]+)", page.read_text()):
            if not re.match(r"[a-z]+:", target):
                assert (page.parent / target).exists(), (page.name, target)


def test_every_picture_of_a_page_is_shown() -> None:
    shown = "".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    pictures = [picture.name for picture in (ROOT / "docs" / "screenshots").iterdir()]
    assert [name for name in pictures if f"](screenshots/{name})" not in shown] == []


def test_what_builds_it_is_locked() -> None:
    def lines(name: str) -> list[Requirement]:
        text = (ROOT / "requirements" / name).read_text().splitlines()
        return [Requirement(line) for line in text if line and line[0] != "#"]

    locked = {canonicalize_name(pin.name): str(pin.specifier) for pin in lines("docs.txt")}
    assert all(re.fullmatch(r"==[\w.!+]+", version) for version in locked.values())
    for wanted in lines("docs.in"):
        assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)][2:])
