"""A label is known everywhere, or a test here fails: its words, symbol and colour, every page, the
API and its schema, reports, the training data and the model's manifest."""

from __future__ import annotations

import ast
import csv
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import override

from accounts.models import User
from recognition.models import Prediction, Recording, Upload
from recognition.training.dataset import LABELS as training_labels
from recognition.vision.manifest import read_manifest
from recognition.wording import (
    CORRECTION_ICONS,
    CORRECTION_NAMES,
    FIRST_LABELS,
    LABEL_NAMES,
    labels_of,
)

LABELS = list(LABEL_NAMES)
#: What a badge's words are written in: white in the light theme, this in the dark one.
INK = "#0f172a"
LIGHT_GROUND, DARK_GROUND = "#ffffff", "#212529"
#: As a model before the label `other` gives them.
OLD = {"happy": 0.7, "sad": 0.1, "surprise": 0.1, "neutral": 0.1}


@pytest.fixture
def old_face(alice: User) -> Prediction:
    """A face that a model with four labels looked at."""
    upload = Upload.objects.create(
        owner=alice, name="a.jpg", width=90, height=90, byte_size=9, status="done"
    )
    return Prediction.objects.create(
        upload=upload, index=0, x=1, y=2, width=30, height=40, label="happy", confidence=0.7,
        probabilities=OLD,
    )  # fmt: skip


def correct(client: Client, face: Prediction, label: str) -> None:
    path = f"/uploads/{face.upload_id}/faces/{face.pk}/correction/"
    assert client.post(path, {"label": label}).status_code == 302


def test_the_models_labels_are_ours_in_our_order() -> None:
    labels = read_manifest(settings.MODEL_MANIFEST).labels
    assert labels_of(labels) == labels


def test_the_next_model_is_trained_to_give_each() -> None:
    assert list(training_labels) == LABELS


def test_the_bridge_to_a_labs_recorder_has_a_channel_for_each() -> None:
    """Read, not imported: it needs pylsl, which not everybody has."""
    text = (settings.BASE_DIR / "clients/lsl_bridge.py").read_text()
    line = re.search(r"^LABELS = (\(.*\))$", text, re.MULTILINE)
    assert line is not None
    assert list(ast.literal_eval(line[1])) == LABELS


def test_each_has_a_name_in_every_language_and_a_symbol() -> None:
    sprite = (settings.BASE_DIR / "static/vendor/bootstrap-icons/icons.svg").read_text()
    assert list(CORRECTION_ICONS) == list(CORRECTION_NAMES)
    assert len(set(CORRECTION_ICONS.values())) == len(CORRECTION_ICONS)
    for icon in CORRECTION_ICONS.values():
        assert f'<symbol id="{icon}"' in sprite
    for code, _language in settings.LANGUAGES:
        with override(code):
            names = [str(name) for name in CORRECTION_NAMES.values()]
        assert len(set(names)) == len(names)
        assert code == "en" or "Other" not in names


def test_each_has_a_colour_that_can_be_read_in_both_themes() -> None:
    text = (settings.BASE_DIR / "static/css/tokens.css").read_text()
    rule = (
        r"\.emotion-(\w+), \.emotion-text-\1 "
        r"\{ --emotion-deep: (#\w{6}); --emotion-bright: (#\w{6}); \}"
    )
    colours = {name: (deep, bright) for name, deep, bright in re.findall(rule, text)}
    assert list(colours)[: len(LABELS)] == LABELS
    assert len(set(colours.values())) == len(colours)
    for deep, bright in colours.values():
        assert contrast(deep, LIGHT_GROUND) >= 4.5  # And so white words on it.
        assert contrast(bright, DARK_GROUND) >= 4.5
        assert contrast(bright, INK) >= 4.5
    others = [
        path
        for path in (settings.BASE_DIR / "static").rglob("*.css")
        if re.search(r"\.emotion-(text-)?(happy|sad|neutral|other)\b", path.read_text())
    ]
    assert [path.name for path in others] == ["tokens.css"]


def test_every_page_offers_each(alice_client: Client, old_face: Prediction) -> None:
    pages = {
        "/": 'data-{label}="{name}"',
        "/live/": 'data-label="{label}"',
        "/uploads/": 'href="?label={label}"',
    }
    for path, pattern in pages.items():
        text = alice_client.get(path).content.decode()
        for label, name in LABEL_NAMES.items():
            assert pattern.format(label=label, name=name) in text, (path, label)
    text = alice_client.get(old_face.upload.get_absolute_url()).content.decode()
    for label in CORRECTION_NAMES:
        assert re.search(rf'name="label"\s+value="{label}"', text), label


def test_the_admin_filters_by_each(root_client: Client, old_face: Prediction) -> None:
    text = root_client.get("/admin/recognition/prediction/").content.decode()
    for label in LABELS:
        assert f"?label={label}" in text


def test_statistics_and_their_charts_count_each(
    alice_client: Client, alice: User, old_face: Prediction
) -> None:
    for index, label in enumerate(LABELS, start=1):
        Prediction.objects.create(
            upload=old_face.upload, index=index, x=1, y=2, width=3, height=4, label=label,
            confidence=1, probabilities={label: 1.0},
        )  # fmt: skip
    now = datetime.now(UTC)
    Recording.objects.create(
        owner=alice, started_at=now - timedelta(minutes=1), ended_at=now,
        samples=[[1, label, n, n + 1, 0.9] for n, label in enumerate(LABELS)],
    )  # fmt: skip
    body = alice_client.get("/api/v1/statistics/").json()
    for what in ("uploads", "live"):
        assert list(body[what]["counts"]) == LABELS
        assert min(body[what]["counts"].values()) >= 1
    text = alice_client.get("/statistics/").content.decode()
    for label, name in LABEL_NAMES.items():
        assert text.count(f'<rect class="timeline-bar emotion-{label}"') == 2
        assert f'<progress class="bar emotion-{label}"' in text
        assert f'<th scope="col" class="text-end">{name}</th>' in text


def test_a_sessions_timeline_has_a_lane_for_each(alice_client: Client, alice: User) -> None:
    now = datetime.now(UTC)
    for labels in (FIRST_LABELS, LABELS):
        session = Recording.objects.create(
            owner=alice, started_at=now - timedelta(minutes=1), ended_at=now,
            samples=[[1, label, n, n + 1, 0.9] for n, label in enumerate(labels)],
        )  # fmt: skip
        text = alice_client.get(f"/live/sessions/{session.pk}/").content.decode()
        assert f'viewBox="0 0 500 {len(labels)}"' in text
        lanes = re.findall(r'<rect class="timeline-bar emotion-(\w+)" x="\d+" y="(\d+)"', text)
        assert lanes == [(label, str(lane)) for lane, label in enumerate(labels)]


def test_people_may_correct_to_one_that_the_model_did_not_know(
    alice_client: Client, old_face: Prediction
) -> None:
    correct(alice_client, old_face, "other")
    page = alice_client.get(old_face.upload.get_absolute_url()).content.decode()
    assert "emotion-text-other" in page or "emotion-other" in page
    bars = re.findall(r'<progress class="bar emotion-(\w+)"[^>]*aria-label', page)
    assert bars == list(OLD), "an old model's result keeps its own labels"
    assert str(old_face.upload_id) in alice_client.get("/uploads/?label=other").content.decode()
    assert "Other" in alice_client.get("/uploads/").content.decode()
    (row,) = csv.DictReader(io.StringIO(b"".join(alice_client.get("/uploads/export.csv")).decode()))
    assert (row["label"], row["predicted_label"], row["p_happy"]) == ("other", "happy", "0.7000")
    assert row["p_other"] == "", "unknown to that model, which is not the same as impossible"


def test_the_api_and_its_schema_know_each(
    alice_client: Client, old_face: Prediction, schema: dict[str, Any]
) -> None:
    path = f"/api/v1/predictions/{old_face.pk}/"
    for label in LABELS:
        answer = alice_client.patch(path, {"correction": label}, "application/json")
        assert (answer.status_code, answer.json()["label"]) == (200, label)
        found = alice_client.get(f"/api/v1/predictions/?label={label}").json()["results"]
        assert [face["id"] for face in found] == [old_face.pk]
        assert found[0]["probabilities"] == OLD
    assert alice_client.get("/api/v1/me/").status_code == 200
    parts = schema["components"]["schemas"]
    assert list(parts["Probabilities"]["properties"]) == LABELS
    assert set(parts["Probabilities"]["required"]) == set(FIRST_LABELS)
    assert list(parts["CountByLabel"]["properties"]) == LABELS
    (by_label,) = (
        one["schema"]["enum"]
        for one in schema["paths"]["/api/v1/uploads/"]["get"]["parameters"]
        if one["name"] == "label"
    )
    assert set(LABELS) < set(by_label)


@pytest.fixture(scope="module")
def schema() -> Any:
    from drf_spectacular.generators import SchemaGenerator

    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_documents_name_each() -> None:
    for name in ("docs/API.md", "docs/LIVE_PROTOCOL.md"):
        text = (Path(settings.BASE_DIR) / name).read_text()
        for label in LABELS:
            assert re.search(rf"[\"`]{label}[\"`]", text), (name, label)


def contrast(one: str, other: str) -> float:
    """Of two colours, from 1 to 21 (WCAG 2.2, relative luminance)."""
    darker, lighter = sorted(luminance(colour) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
