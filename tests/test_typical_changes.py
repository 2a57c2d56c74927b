"""What a typical change needs besides the place where it begins: forgotten, it is told here.

CONTRIBUTING.md names the places ("How to add …"). Labels have tests/test_labels.py, and fields of
webhooks tests/api/test_webhooks.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import FileField, ForeignKey, Model
from django.db.models.signals import post_delete
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts.models import User
from operations import metrics
from recognition import quotas
from recognition.personal_data import contents
from recognition.templatetags.recognition import percent
from tests.support.site import ROOT

NODE = shutil.which("node")
SHARES = (0.0, 0.001, 0.0049, 0.005, 0.015, 0.125, 0.145, 0.285, 0.5, 0.565, 0.994, 0.995, 1.0)
SCRIPT = """
globalThis.document = { documentElement: { lang: process.argv[1] } };
const { percent } = await import(process.argv[2]);
console.log(JSON.stringify(JSON.parse(process.argv[3]).map(percent)));
"""
#: Rows of a person that an export tells nothing of by themselves: the export, what refuses a
#: request that came twice, and the bytes of what it tells of otherwise.
NOT_EXPORTED = {"DataExport", "IdempotencyKey", "TransferPart", "SeriesChunk"}


@pytest.mark.skipif(NODE is None, reason="Node.js is not installed")
@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_scripts_write_a_confidence_as_the_server_does(language: str) -> None:
    module = (ROOT / "static" / "js" / "percent.js").as_uri()
    given = [language, module, json.dumps(SHARES)]
    result = subprocess.run(
        [str(NODE), "--input-type=module", "--eval", SCRIPT, *given],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    with translation.override(language):
        assert json.loads(result.stdout) == [percent(share) for share in SHARES]


def test_every_metric_is_shown_and_explained() -> None:
    defined = {
        series.name for series in vars(metrics).values() if isinstance(series, metrics.Series)
    }
    assert {series.name for series in metrics.ALL} == defined
    page = (ROOT / "docs" / "OPERATIONS.md").read_text()
    assert [name for name in sorted(defined) if f"`{name}" not in page] == []


def test_an_export_asks_for_all_that_belongs_to_a_person(alice: User) -> None:
    texts = contents.texts(alice, timezone.now())
    asked = queries_of(lambda: [list(pieces) for _name, pieces in texts])
    personal = {model for model in MODELS if belongs_to_a_person(model)}
    missing = {model.__name__ for model in personal if f'"{model._meta.db_table}"' not in asked}
    assert missing == NOT_EXPORTED


def test_a_quota_counts_all_that_is_stored_for_a_person(alice: User) -> None:
    asked = queries_of(lambda: quotas.stored_bytes(alice))
    stored = {
        model
        for model in MODELS
        if any(field.name.endswith(("stored_bytes", "heat_map_bytes")) for field in fields(model))
    }
    assert len(stored) > 4
    assert {model.__name__ for model in stored if f'"{model._meta.db_table}"' not in asked} == set()


def test_files_go_with_their_row() -> None:
    with_files = [m for m in MODELS if any(isinstance(f, FileField) for f in fields(m))]
    assert len(with_files) > 3
    # Of a face, its heat map goes before the row does.
    gone = [m for m in with_files if post_delete.has_listeners(m) or m.__name__ == "Prediction"]
    assert gone == with_files


MODELS = list(apps.get_app_config("recognition").get_models())


def fields(model: type[Model]) -> list[object]:
    return list(model._meta.get_fields())


def belongs_to_a_person(model: type[Model]) -> bool:
    """Whether its rows go with somebody's account."""
    owners = [
        field.related_model
        for field in model._meta.fields
        if isinstance(field, ForeignKey) and field.remote_field.on_delete.__name__ == "CASCADE"
    ]
    return any(owner is User or belongs_to_a_person(owner) for owner in owners)


def queries_of(act: Callable[[], object]) -> str:
    """The queries that something makes."""
    with CaptureQueriesContext(connection) as captured:
        act()
    return " ".join(query["sql"] for query in captured)
