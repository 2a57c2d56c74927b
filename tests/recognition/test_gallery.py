"""The history as a gallery: its days, order, chips, search, and what a photo's badges say."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from recognition.models import Upload
from tests.support.factories import add_face, make_upload

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def make(owner: User, name: str, hours: float = 0, *labels: str) -> Upload:
    upload = make_upload(owner, name)
    Upload.objects.filter(pk=upload.pk).update(created_at=NOON - timedelta(hours=hours))
    for index, label in enumerate(labels):
        add_face(upload, label, index)
    return upload


def shown(client: Client, query: str = "") -> list[str]:
    """The names of the photos of a page, in their order."""
    return re.findall(r'class="upload-name[^>]*>([^<]+)<', client.get(f"/uploads/?{query}").text)


def badges(client: Client, query: str = "") -> list[str]:
    found = re.findall(r'<span class="badge[^>]*>([^<]+)<', client.get(f"/uploads/?{query}").text)
    return [" ".join(badge.split()) for badge in found]


def test_days_are_headings(alice: User, alice_client: Client) -> None:
    for name, hours in (("noon.jpg", 0), ("morning.jpg", 3), ("night.jpg", 13)):
        make(alice, name, hours)
    text = alice_client.get("/uploads/").text
    assert re.findall(r'class="gallery-day">([^<]+)<', text) == ["20 Nov 2026", "19 Nov 2026"]
    marks = ["20 Nov 2026", "noon.jpg", "morning.jpg", "19 Nov 2026", "night.jpg"]
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("", ["b.jpg", "c.jpg", "a.jpg"]),
        ("old", ["a.jpg", "c.jpg", "b.jpg"]),
        ("name", ["a.jpg", "b.jpg", "c.jpg"]),
        ("size", ["b.jpg", "c.jpg", "a.jpg"]),
    ],
)
def test_sorting(sort: str, names: list[str], alice: User, alice_client: Client) -> None:
    for name, hours in (("a.jpg", 30), ("b.jpg", 0), ("c.jpg", 5)):
        make(alice, name, hours)
    assert shown(alice_client, f"sort={sort}") == names
    assert ("gallery-day" in alice_client.get(f"/uploads/?sort={sort}").text) == (sort != "name")


def test_searching_by_file_name(alice: User, bob: User, alice_client: Client) -> None:
    make(alice, "Party in June.jpg")
    make(alice, "beach.jpg", 1)
    make(bob, "party.jpg", 2)
    assert shown(alice_client, "q=PARTY") == ["Party in June.jpg"]
    assert shown(alice_client, "q=%25") == []
    assert "No photos match these filters." in alice_client.get("/uploads/?q=zoo").text


def test_chips_keep_the_other_filters(alice: User, alice_client: Client) -> None:
    make(alice, "a.jpg", 0, "sad")
    text = alice_client.get("/uploads/?label=sad&q=a&page=2&sort=old").text
    chip = re.search(r'href="(\?[^"]*)" aria-current="true"', text)
    assert chip is not None
    assert chip[1] == "?q=a&amp;sort=old&amp;label=sad"
    assert 'href="?q=a&amp;sort=old&amp;label=happy"' in text
    assert 'href="?q=a&amp;sort=old"' in text


def test_a_group_is_counted_and_the_label_filtered_for_comes_first(
    alice: User, alice_client: Client
) -> None:
    make(alice, "group.jpg", 0, *["neutral"] * 3, *["happy"] * 2, "sad", "surprise")
    assert badges(alice_client) == ["Neutral ×3", "Happy ×2", "Sad", "+1"]
    assert badges(alice_client, "label=surprise") == ["Surprised", "Neutral ×3", "Happy ×2", "+1"]


def test_a_single_face_has_its_probability(alice: User, alice_client: Client) -> None:
    upload = make(alice, "one.jpg", 0, "happy")
    make(alice, "none.jpg", 1)
    assert badges(alice_client) == ["Happy 70%", "No face found"]
    upload.predictions.update(correction="sad")
    assert badges(alice_client)[0] == "Sad"


def test_all_that_match_can_be_chosen_beyond_the_page(alice: User, alice_client: Client) -> None:
    for number in range(30):
        make(alice, f"{number}.jpg", number, "happy" if number % 2 else "sad")
    text = alice_client.get("/uploads/").text
    assert "Select all 30 photos that match" in text
    assert 'name="all"' not in alice_client.get("/uploads/?label=happy").text
    moment = re.search(r'name="shown_at" value="([^"]+)"', text)
    assert moment is not None
    later = make(alice, "later.jpg", 0, "happy")
    Upload.objects.filter(pk=later.pk).update(created_at=timezone.now())
    form = {"all": "label=happy", "shown_at": moment[1], "action": "delete", "sure": "yes"}
    alice_client.post("/uploads/selected/", form)
    assert set(shown(alice_client)) == {"later.jpg", *(f"{n}.jpg" for n in range(0, 30, 2))}


def test_a_full_page_takes_few_queries(alice: User, alice_client: Client) -> None:
    for number in range(60):
        make(alice, f"{number}.jpg", number, "happy", "sad")
    with CaptureQueriesContext(connection) as queries:
        alice_client.get("/uploads/?label=happy&q=1&sort=name")
    assert len(queries) <= 12
