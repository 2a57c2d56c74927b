"""Statistics: what is counted, when, and for whom."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from recognition.models import Prediction, Recording, Upload
from recognition.statistics import counts

MONDAY = date(2026, 3, 2)


def make_upload(owner: User, day: date, *faces: tuple[str, str], **fields: Any) -> Upload:
    """A finished photo with faces given as ``(label, correction)``."""
    upload = Upload.objects.create(
        owner=owner, name="x.jpg", width=9, height=9, byte_size=9,
        **{"status": "done", **fields},
    )  # fmt: skip
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    Upload.objects.filter(pk=upload.pk).update(created_at=noon)
    for index, (label, correction) in enumerate(faces):
        Prediction.objects.create(
            upload=upload, index=index, x=1, y=2, width=3, height=4, label=label,
            confidence=0.7, correction=correction,
            probabilities={"happy": 0.1, "sad": 0.1, "surprise": 0.1, "neutral": 0.7},
        )  # fmt: skip
    return upload


def of(user: User, start: date = MONDAY, days: int = 7, period: str = "day") -> dict[str, Any]:
    end = start + timedelta(days=days - 1)
    result = counts.of(user, start=start, end=end, period=period)
    return json.loads(json.dumps(result))


def test_faces_count_as_the_owner_corrected_them(alice: User, bob: User) -> None:
    make_upload(alice, MONDAY, ("happy", ""), ("happy", "sad"), ("neutral", "not_a_face"))
    make_upload(alice, MONDAY + timedelta(days=2), ("sad", "sad"))
    make_upload(alice, MONDAY - timedelta(days=1), ("surprise", ""))
    make_upload(alice, MONDAY, ("surprise", ""), status="failed")
    make_upload(bob, MONDAY, ("surprise", ""))
    uploads = of(alice)["uploads"]
    assert uploads["counts"] == {"happy": 1, "sad": 2, "surprise": 0, "neutral": 0, "other": 0}
    assert (uploads["photos"], uploads["total"], uploads["not_a_face"]) == (2, 3, 1)
    assert uploads["shares"]["sad"] == pytest.approx(2 / 3, abs=1e-4)
    assert [period["total"] for period in uploads["periods"]] == [2, 0, 1, 0, 0, 0, 0]
    assert uploads["periods"][2]["start"] == uploads["periods"][2]["end"] == "2026-03-04"


def test_rejected_spots_are_not_counted(alice: User) -> None:
    upload = make_upload(alice, MONDAY, ("happy", ""))
    upload.predictions.update(rejected="blurred")
    assert of(alice)["uploads"]["total"] == 0


def test_weeks_begin_on_monday_and_are_cut_off_by_the_range(alice: User) -> None:
    wednesday = MONDAY + timedelta(days=2)
    for offset in (2, 6, 7, 14):
        make_upload(alice, MONDAY + timedelta(days=offset), ("happy", ""))
    periods = of(alice, wednesday, days=13, period="week")["uploads"]["periods"]
    assert [(p["start"], p["end"], p["total"]) for p in periods] == [
        ("2026-03-04", "2026-03-08", 2),
        ("2026-03-09", "2026-03-15", 1),
        ("2026-03-16", "2026-03-16", 1),
    ]


def test_live_sessions_give_seconds_on_the_day_they_were_seen(alice: User, bob: User) -> None:
    begins = datetime(2026, 3, 2, 23, 59, 30, tzinfo=UTC)
    samples = [[1, "happy", 0, 20, 0.9], [2, "sad", 10, 15, 0.8], [1, "neutral", 40, 50.5, 0.7]]
    for owner in (alice, bob):
        Recording.objects.create(
            owner=owner, started_at=begins, ended_at=begins + timedelta(minutes=1), samples=samples
        )
    live = of(alice)["live"]
    assert live["sessions"] == 1
    assert live["counts"] == {"happy": 20, "sad": 5, "surprise": 0, "neutral": 10.5, "other": 0}
    assert [period["total"] for period in live["periods"]][:2] == [25, 10.5]
    tuesday = of(alice, MONDAY + timedelta(days=1), days=1)["live"]
    assert (tuesday["sessions"], tuesday["total"]) == (1, 10.5)


def test_days_are_those_of_the_sites_time_zone(
    alice: User, alice_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Tokyo the first of March ends at 15:00 UTC."""
    settings.TIME_ZONE = "Asia/Tokyo"
    tuesday = MONDAY + timedelta(days=1)
    for day in (1, 2):
        upload = make_upload(alice, MONDAY, ("happy", ""))
        evening = datetime(2026, 3, day, 20, tzinfo=UTC)
        Upload.objects.filter(pk=upload.pk).update(created_at=evening)
    begins = datetime(2026, 3, 1, 14, 59, 30, tzinfo=UTC)
    Recording.objects.create(
        owner=alice, started_at=begins, ended_at=begins + timedelta(minutes=1),
        samples=[[1, "happy", 0, 20, 0.9], [1, "neutral", 40, 50.5, 0.7]],
    )  # fmt: skip
    assert of(alice, MONDAY, days=1)["uploads"]["total"] == 1
    both = of(alice, MONDAY, days=2)
    assert [period["total"] for period in both["uploads"]["periods"]] == [1, 1]
    assert [period["total"] for period in both["live"]["periods"]] == [10.5, 0]
    assert counts.photos(alice, MONDAY, tuesday).keys() == {MONDAY, tuesday}
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 1, 20, tzinfo=UTC))
    assert 'value="2026-03-02"' in alice_client.get("/statistics/").content.decode()


def test_agreement_is_a_confusion_matrix(alice: User) -> None:
    make_upload(alice, MONDAY, ("happy", "happy"), ("happy", "sad"), ("sad", "not_a_face"))
    make_upload(alice, MONDAY, ("happy", ""))
    agreement = of(alice)["agreement"]
    assert (agreement["corrected"], agreement["agreed"]) == (3, 1)
    assert agreement["share"] == pytest.approx(1 / 3)
    assert agreement["matrix"]["happy"] == {
        "happy": 1, "sad": 1, "surprise": 0, "neutral": 0, "other": 0, "not_a_face": 0,
    }  # fmt: skip
    assert agreement["matrix"]["sad"]["not_a_face"] == 1


def test_nothing_yet_is_no_error(alice: User) -> None:
    result = of(alice)
    assert result["agreement"]["share"] is None
    assert result["uploads"]["shares"] == dict.fromkeys(result["labels"], 0)


def test_impossible_ranges_are_told(alice: User) -> None:
    with pytest.raises(counts.StatisticsError):
        of(alice, days=-3)
    with pytest.raises(counts.StatisticsError):
        of(alice, days=401)
    assert len(of(alice, days=401, period="week")["live"]["periods"]) == 58
    with pytest.raises(ValueError, match="period"):
        of(alice, period="year")


def page(client: Client, query: str = "start=2026-03-02&end=2026-03-08&period=day") -> str:
    return client.get(f"/statistics/?{query}").content.decode()


def test_the_page_has_charts_with_tables_behind_them(alice: User, alice_client: Client) -> None:
    make_upload(alice, MONDAY, ("happy", "sad"), ("happy", ""), ("happy", "happy"))
    begins = datetime(2026, 3, 3, 12, tzinfo=UTC)
    Recording.objects.create(
        owner=alice, started_at=begins, ended_at=begins + timedelta(minutes=2),
        samples=[[1, "surprise", 0, 75, 0.9]],
    )  # fmt: skip
    text = page(alice_client)
    assert text.count('<rect class="timeline-bar') == 3
    assert "2 Mar 2026: Happy 2 (1 photo)</title>" in text
    assert "3 Mar 2026: Surprised 1:15</title>" in text
    assert text.count("Show as table") == 2
    assert "You reviewed 2 faces and agreed with the model on 1 (50%)." in text
    assert "</span> · 1 photo · 3 faces" in " ".join(text.split())
    assert "2 Mar 2026 – 8 Mar 2026" in page(
        alice_client, "start=2026-03-02&end=2026-03-08&period=week"
    )


def test_the_page_is_for_those_signed_in_and_shows_only_ones_own(
    alice: User, bob_client: Client
) -> None:
    make_upload(alice, MONDAY, ("happy", "sad"))
    assert "No faces in this period." in page(bob_client)
    assert Client().get("/statistics/")["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "Nothing"),
        ("start=2026-03-08&end=2026-03-02&period=day", "Start date is after end date."),
        ("start=2000-01-01&end=2026-03-02&period=day", "Range too long."),
        ("start=yesterday&end=2026-03-02&period=day", "Enter a valid date."),
        ("start=2026-03-02&end=2026-03-02&period=year", "Select a valid choice."),
        ("start=0001-01-01&end=0001-01-02&period=week", "No photos in that period."),
        ("start=9999-12-30&end=9999-12-31&period=day", "No photos in that period."),
    ],
)
def test_odd_ranges_are_answered(query: str, said: str, alice_client: Client) -> None:
    response = alice_client.get(f"/statistics/?{query}")
    assert response.status_code == 200
    assert said == "Nothing" or said in response.content.decode()


@pytest.mark.parametrize("period", ["day", "week"])
def test_each_number_leads_to_as_many_photos(
    period: str, alice: User, bob: User, alice_client: Client
) -> None:
    make_upload(alice, MONDAY, ("happy", ""), ("happy", ""), ("sad", ""))
    make_upload(alice, MONDAY, ("sad", "happy"), ("sad", "not_a_face"))
    make_upload(alice, MONDAY + timedelta(days=1), ("happy", "sad"))
    make_upload(alice, MONDAY + timedelta(days=8), ("happy", ""))
    # What no count has: another's, what failed, what was rejected, what came before.
    make_upload(bob, MONDAY, ("happy", ""))
    make_upload(alice, MONDAY, ("happy", ""), status="failed")
    make_upload(alice, MONDAY, ("happy", "")).predictions.update(rejected="blurred")
    make_upload(alice, MONDAY - timedelta(days=1), ("happy", ""))
    text = page(alice_client, f"start=2026-03-02&end=2026-03-15&period={period}")
    links = re.findall(r'href="(/uploads/[^"]*label=[^"]*)"(.*?)</a>', text, re.DOTALL)
    bars = [url for url, words in links if "<rect" in words]
    table = [url for url, words in links if "visually-hidden" in words]
    assert sorted(bars) == sorted(table)
    assert len(bars) == {"day": 4, "week": 3}[period]
    shown = []
    for url, words in links:
        (number,) = re.findall(r"(\d+) photos?\b", words)
        answer = alice_client.get(html.unescape(url)).content.decode()
        assert len(re.findall('data-upload="', answer)) == int(number), url
        shown.append(int(number))
    # Three photos with happy faces and two with sad ones: in bars, table and list.
    assert sum(shown) == 3 * (3 + 2)


def test_the_axis_has_the_first_and_the_last_day_of_the_range(
    alice: User, alice_client: Client
) -> None:
    make_upload(alice, MONDAY, ("happy", ""))
    text = page(alice_client, "start=2026-03-01&end=2026-03-19&period=week")
    (axis,) = re.findall(r'<div class="timeline-axis chart-range"[^>]*>(.*?)</div>', text)
    assert re.findall(r"<span>(.*?)</span>", axis) == ["1 Mar 2026", "9 Mar 2026", "19 Mar 2026"]
    assert "aria-current" not in text.split("Time range")[1].split("</nav>")[0]
    today = page(alice_client, "")
    assert today.split("Time range")[1].split("</nav>")[0].count("aria-current") == 1
