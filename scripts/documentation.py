"""Hooks of mkdocs: pages from outside docs/, links between them, no address of a stranger, and
no script or style within a page, which the site's policy would refuse."""

from __future__ import annotations

import hashlib
import posixpath
import re
import shutil
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
#: Pages and pictures that live elsewhere in the repository; the site has them below project/.
OUTSIDE = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "models/MODEL_CARD.md",
    "models/face_detector/MODEL_CARD.md",
    *(f"models/plots/{plot.name}" for plot in sorted((ROOT / "models" / "plots").glob("*.png"))),
)
#: The image is built with the pages alone, and cannot know what else there is to link to.
IS_WHOLE = (ROOT / "manage.py").exists()
#: What the theme's scripts would fetch from other sites: a diagram drawer, a search worker for
#: pages opened as files, and facts about a repository. None of it is used.
STRANGERS = re.compile(rb"https://(unpkg\.com|api\.github\.com|gitlab\.com)")
#: What the theme writes into each page to be run there and then.
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
#: How Markdown aligns a column of numbers, and what says so instead.
INLINE_STYLE, STYLE_CLASS = ' style="text-align: right;"', ' class="number"'
STYLE_SHEET = ".md-typeset table:not([class]) .number:not([align]) { text-align: right }\n"


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside docs/."""
    for name in OUTSIDE:
        path = str(ROOT / name)
        files.append(File.generated(config, f"project/{name}", abs_src_path=path))
    sheet = "assets/stylesheets/tables.css"
    files.append(File.generated(config, sheet, content=STYLE_SHEET))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Turn links between files of the repository into links between pages; others into text."""
    here = page.file.src_uri
    source = here.removeprefix("project/") if here.startswith("project/") else f"docs/{here}"

    def linked(match: re.Match[str]) -> str:
        mark, text, target = match.groups()
        if not target or target.startswith("#") or re.match(r"[a-z]+:", target):
            return match[0]
        name, _, heading = target.partition("#")
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), name))
        inside = f"project/{wanted}" if wanted in OUTSIDE else wanted.removeprefix("docs/")
        is_there = (ROOT / wanted).exists() or not IS_WHOLE
        if files.get_file_from_path(inside) is None and is_there:
            return text
        path = posixpath.relpath(inside, posixpath.dirname(here) or ".")
        return f"{mark}[{text}]({path}{'#' + heading if heading else ''})"

    return re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", linked, markdown)


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Move scripts within the page into files, which run at the same place of it."""
    folder = Path(config["site_dir"]) / "assets" / "javascripts"
    top = posixpath.relpath(".", posixpath.dirname(page.file.dest_uri) or ".")

    def moved(match: re.Match[str]) -> str:
        name = f"page.{hashlib.sha256(match[1].encode()).hexdigest()[:8]}.js"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(match[1], encoding="utf-8")
        return f'<script src="{top}/assets/javascripts/{name}"></script>'

    return INLINE_SCRIPT.sub(moved, output.replace(INLINE_STYLE, STYLE_CLASS))


def on_post_build(config: Any) -> None:
    """Take other sites' addresses out of the theme's scripts, and leave out what is not used."""
    # It is for hosts that look for one; its addresses begin at the root, where these pages are not.
    (Path(config["site_dir"]) / "404.html").unlink(missing_ok=True)
    # Search in languages that these pages are not written in.
    shutil.rmtree(Path(config["site_dir"]) / "assets" / "javascripts" / "lunr")
    for script in Path(config["site_dir"]).rglob("*.js"):
        before = script.read_bytes()
        after = STRANGERS.sub(b"about:invalid", before)
        if after != before:
            script.write_bytes(after)
    # Maps for debuggers are larger than what they explain.
    for name in Path(config["site_dir"]).rglob("*.map"):
        name.unlink()
