"""Whether a page speaks the language that it was asked for."""

from __future__ import annotations

from playwright.sync_api import Page

#: Text of at least three words that the page has in common with its English version, but for what
#: is marked as code or as another language's.
_COMMON = r"""async () => {
  const sentences = (root) => {
    const walker = document.createTreeWalker(root.body, NodeFilter.SHOW_TEXT);
    const found = new Set();
    while (walker.nextNode()) {
      const { parentElement, data } = walker.currentNode;
      if (parentElement.closest("script, style, pre, code, textarea, body [lang]")) continue;
      const text = data.replace(/\s+/g, " ").trim();
      if (/\p{L}\p{L}+[ ,]+\p{L}+[ ,]+\p{L}\p{L}+/u.test(text)) found.add(text);
    }
    return found;
  };
  const answer = await fetch(location.href, { headers: { "Accept-Language": "en" } });
  const english = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (english.documentElement.lang !== "en") return ["(no English version)"];
  const ours = sentences(document);
  return [...sentences(english)].filter((text) => ours.has(text));
}"""


def left_in_english(page: Page) -> list[str]:
    """Sentences of a page in another language that are those of its English version."""
    found: list[str] = page.evaluate(_COMMON)
    return found
