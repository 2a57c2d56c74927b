"""What a page may weigh, and how far its parts may shift while it loads, as a browser tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

#: Bytes that a page may be, as they are sent, but for people's photos.
MOST_BYTES = 250_000
#: How far parts of a page may shift while it loads: Chromium's cumulative layout shift.
MOST_SHIFT = 0.05

#: Written beside the page's own scripts, before them: what shifts while the page loads.
LISTEN_FOR_SHIFTS = """
window.shifts = [];
window.shiftObserver = new PerformanceObserver((list) => window.shifts.push(...list.getEntries()));
window.shiftObserver.observe({ type: "layout-shift", buffered: true });
"""
_SHIFT = """() => {
  window.shifts.push(...window.shiftObserver.takeRecords());
  const part = (node) => node?.id ? `#${node.id}` : `${node?.nodeName}.${node?.className ?? ""}`;
  const found = window.shifts.filter((one) => !one.hadRecentInput);
  return {
    sum: found.reduce((sum, one) => sum + one.value, 0),
    parts: found.flatMap((one) => one.sources.map((source) => part(source.node))),
  };
}"""
#: Photos are what views give; pictures in static files are the page's own.
_WEIGHT = """() => {
  const entries = [
    ...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource"),
  ].filter((entry) => entry.name.startsWith(location.origin));
  const isPhoto = (entry) => ["img", "video", "image"].includes(entry.initiatorType)
    && !new URL(entry.name).pathname.startsWith("/static/");
  return entries.filter((entry) => !isPhoto(entry))
    .map((entry) => [entry.encodedBodySize, new URL(entry.name).pathname]);
}"""


def sent_bytes(page: Page) -> list[tuple[int, str]]:
    """The bytes of the page and all that it fetched from the site but photos, largest first."""
    return sorted(((size, path) for size, path in page.evaluate(_WEIGHT)), reverse=True)


def shift(page: Page) -> dict[str, Any]:
    """How far parts of the page shifted while it loaded (`sum`), and which (`parts`).

    Its context has :data:`LISTEN_FOR_SHIFTS`.
    """
    found: dict[str, Any] = page.evaluate(_SHIFT)
    return found


def over_budget(
    page: Page, most_bytes: float = MOST_BYTES, most_shift: float = MOST_SHIFT
) -> Iterator[str]:
    """Tells where a page weighs more than it may, or shifts farther."""
    parts = sent_bytes(page)
    weight = sum(size for size, _path in parts)
    if weight > most_bytes:
        yield f"{weight:,} bytes, of them {parts[:4]}"
    shifted = shift(page)
    if shifted["sum"] > most_shift:
        yield f"shifts by {shifted['sum']:.3f}: {sorted(set(shifted['parts']))}"
