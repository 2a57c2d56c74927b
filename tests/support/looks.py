"""The sizes and colours in which a page must be right, all tried in one visit to it.

Whether something sticks out is asked at every width: a page is loaded once and its window resized.
Axe is slow, and is asked where its answer can differ: everything on a wide page in light colours
and on a phone's in dark ones, the two arrangements that pages have; of the other scheme at either,
only what depends on colours. The widths between have parts of these two, in the same colours.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

Scheme = Literal["light", "dark"]
WIDE, PHONE = 1280, 390
#: CSS pixels; 640 are 1280 at 200 %. The widest first, where a page is loaded and left.
WIDTHS = (WIDE, 768, 640, PHONE, 320)
HEIGHT = 800
#: Rules of axe whose answer depends on the colours.
COLOURS = ("color-contrast", "link-in-text-block")
#: Where axe looks, and whether for everything.
LOOKS: tuple[tuple[int, Scheme, bool], ...] = (
    (WIDE, "light", True), (WIDE, "dark", False), (PHONE, "dark", True), (PHONE, "light", False),
)  # fmt: skip
#: Pairs of tags that lie over each other, and tags that stick out of the photo.
WRONG_TAGS = """() => {
  const photo = document.querySelector(".photo-canvas").getBoundingClientRect();
  const tags = [...document.querySelectorAll(".face-box .face-tag-ground")]
    .map((tag) => tag.getBoundingClientRect());
  const out = tags.filter((tag) => tag.left < photo.left - 1 || tag.top < photo.top - 1
    || tag.right > photo.right + 1 || tag.bottom > photo.bottom + 1);
  const over = tags.flatMap((a, i) => tags.slice(i + 1).filter((b) =>
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom));
  return [tags.length, out.length, over.length];
}"""
#: Two frames, so that scripts that follow the size and the colours have run, and the end of what
#: fades from one colour to another.
_SETTLE = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  for (const animation of document.getAnimations()) {
    if (animation.effect.getComputedTiming().endTime !== Infinity) animation.finish();
  }
  const root = document.documentElement;
  return root.scrollWidth <= root.clientWidth;
}"""
_AXE = """async (rules) => {
  const runOnly = rules ? { runOnly: { type: "rule", values: rules } } : {};
  const { violations } = await axe.run({ resultTypes: ["violations"], ...runOnly });
  return violations.map(({ id, nodes }) => [id, nodes.length, nodes[0].html.slice(0, 200)]);
}"""


def settle(page: Page) -> bool:
    """Wait until scripts and fades have followed what was changed; whether the page fits then."""
    return bool(page.evaluate(_SETTLE))


def show(page: Page, width: int, scheme: Scheme) -> bool:
    """Resize and recolour the page; whether it fits then."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": HEIGHT})
    return settle(page)


def sticks_out(page: Page, scheme: Scheme, widths: Sequence[int] = WIDTHS) -> list[str]:
    """At which widths something sticks out to the side; the first one is left."""
    too_narrow = [width for width in widths if not show(page, width, scheme)]
    show(page, widths[0], scheme)
    return [f"sticks out to the side at {too_narrow}"] if too_narrow else []


def axe_finds(page: Page, exceptions: Collection[str] = ()) -> list[str]:
    """What axe finds, and where; the page is left wide and light.

    Axe writes styles of its own into the page, which the policy refuses: look at
    `window.violations` before.

    Args:
        exceptions: rules of axe that this page may break.
    """
    page.evaluate(Axe().axe_script)
    found: dict[str, list[str]] = {}
    for width, scheme, is_whole in LOOKS:
        show(page, width, scheme)
        for rule, count, html in page.evaluate(_AXE, None if is_whole else COLOURS):
            if rule not in exceptions:
                found.setdefault(f"{rule} ({count}×): {html}", []).append(f"{width} {scheme}")
    show(page, WIDE, "light")
    return [f"{problem} [{', '.join(names)}]" for problem, names in found.items()]
