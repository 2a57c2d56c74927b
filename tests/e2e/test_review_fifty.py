"""Review mode over fifty doubtful faces of five photos, one key each."""

from __future__ import annotations

from collections import Counter

from playwright.sync_api import Browser, expect

from tests.support.browser import check, open_context
from tests.support.site import Site

EMAIL = "fifty@example.org"
FACES = 50
#: Key, and what is stored then; Enter says that the model is right (it says neutral of each).
KEYS = {
    "Enter": "neutral",
    "1": "happy",
    "2": "sad",
    "3": "surprise",
    "5": "other",
    "0": "not_a_face",
}


def test_fifty_faces_by_one_key_each(browser: Browser, site: Site) -> None:
    person = site.sign_up(EMAIL)
    sizes = ", ".join(["(10, 5)"] * 5)
    code = f"from tests.support import faces; faces.write('{EMAIL}', {sizes})"
    site.manage("shell", "-c", code)
    context = open_context(browser, site.url, person)
    page = context.new_page()
    page.goto("/uploads/")
    page.get_by_role("link", name="Review").click()
    left = page.locator("#review [data-count]")
    stage = page.locator("#review > *")
    expect(left).to_have_text(f"{FACES} left")
    check(page)
    expected: dict[str, str] = {}
    keys = [list(KEYS)[number % len(KEYS)] for number in range(FACES)]
    for number, key in enumerate(keys):
        face = stage.get_attribute("data-face")
        assert face is not None
        assert face not in expected
        page.keyboard.press(key)
        expected[face] = KEYS[key]
        remaining = FACES - number - 1
        if not remaining:
            break
        expect(left).to_have_text(f"{remaining} left")
        expect(stage).not_to_have_attribute("data-face", face)
        if number % 10 == 4:  # A slip, taken back and answered as it should have been.
            page.keyboard.press("z")
            expect(left).to_have_text(f"{remaining + 1} left")
            expect(stage).to_have_attribute("data-face", face)
            page.keyboard.press("4")
            expected[face] = "neutral"
            expect(left).to_have_text(f"{remaining} left")
            expect(stage).not_to_have_attribute("data-face", face)
        if number % 10 == 7:  # Skipped, looked at again, and answered.
            skipped = stage.get_attribute("data-face") or ""
            page.keyboard.press("s")
            expect(stage).not_to_have_attribute("data-face", skipped)
            page.keyboard.press("ArrowLeft")
            expect(stage).to_have_attribute("data-face", skipped)
            expect(left).to_have_text(f"{remaining} left")
    # Once all answers have arrived.
    expect(page.get_by_role("heading", name="All done")).to_be_visible(timeout=30_000)
    check(page)

    faces = [face for upload in person.uploads() for face in upload["faces"]]
    answers = {str(face["id"]): face["correction"] for face in faces if face["correction"]}
    assert answers == expected

    page.get_by_role("link", name="See how often").click()
    agreed = Counter(expected.values())["neutral"]
    expect(page.get_by_text(f"You reviewed {FACES} faces and agreed")).to_contain_text(
        f"agreed with the model on {agreed} ("
    )
    context.close()
