"""The description is complete, and the interface keeps to it, whatever it is sent."""

from __future__ import annotations

import json
import os
import uuid
import zlib
from io import StringIO
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from hypothesis import HealthCheck, strategies
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import CHECKS, load_all_checks

from accounts import tokens
from accounts.models import ApiToken, User
from recognition.models import Marker, Recording, Webhook
from recognition.webhooks import deliveries
from tests.support.factories import add_face, make_upload
from tests.support.pictures import astronaut, encode, no_face_jpeg
from tests.support.receiver import resolve_to
from tests.support.series import write_series
from tests.support.study_results import plan, take_part

#: A request in this process ends by closing the connection that holds the test's transaction.
pytestmark = pytest.mark.skipif("DATABASE_URL" in os.environ, reason="SQLite in memory alone")

load_all_checks()
#: What these two take for a mistake is meant: empty filters narrow nothing, and most bytes are no
#: photo, although a description cannot say so.
NOT_CHECKED = [
    CHECKS.get_one("negative_data_rejection"),
    CHECKS.get_one("positive_data_acceptance"),
]
schemathesis.openapi.format(
    "binary", strategies.sampled_from([no_face_jpeg(), encode(astronaut()), b"", b"text"])
)
ID = uuid.UUID("00000000-0000-4000-8000-000000000001")
FACE = MARKER = 1
#: Requests of the random kind for each operation, beside those that walk through its description.
EXAMPLES = 12


def test_the_description_is_valid_and_without_warnings(tmp_path: Any, db: None) -> None:
    file = tmp_path / "schema.yml"
    errors = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file), stderr=errors)
    assert file.stat().st_size > 10_000
    assert errors.getvalue() == ""


@pytest.fixture
def things(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alice has one of everything."""
    resolve_to(monkeypatch, ["93.184.215.14"])
    upload = make_upload(alice, id=ID, status="failed", error_code="damaged", thumbnail="x")
    add_face(upload, pk=FACE)
    now = timezone.now()
    recording = Recording.objects.create(
        id=ID, owner=alice, started_at=now, ended_at=now, samples=[[1, "sad", 0.0, 1.5, 0.8]]
    )
    write_series(recording)
    Marker.objects.create(pk=MARKER, recording=recording, time_ms=1200, name="bell")
    take_part(plan(alice, id=ID))
    hook = Webhook.objects.create(id=ID, owner=alice, url="https://example.org/", secret="s")
    deliveries.record_ping(hook)


@pytest.fixture
def alices_headers(alice: User) -> dict[str, str]:
    _token, key = tokens.create(alice, "script", ApiToken.Scope.WRITE, None)
    return {"Authorization": f"Bearer {key}"}


def described() -> Any:
    description = SchemaGenerator().get_schema(request=None, public=True)
    loaded = schemathesis.openapi.from_dict(json.loads(OpenApiJsonRenderer().render(description)))
    application = get_wsgi_application()

    def from_somewhere(environ: dict[str, Any], start_response: Any) -> Any:
        # As every server says it; what matches no operation is counted by it.
        return application({**environ, "REMOTE_ADDR": "192.0.2.1"}, start_response)

    loaded.app = from_somewhere
    return loaded


schema = described()


@schema.parametrize()
@hypothesis_settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_sent_the_answer_is_as_described(
    case: schemathesis.Case, alices_headers: dict[str, str], things: None
) -> None:
    if "id" in case.path_parameters and zlib.crc32(str(case.path_parameters["id"]).encode()) % 4:
        case.path_parameters["id"] = FACE if "predictions" in case.path else str(ID)
    if "marker" in case.path_parameters:
        case.path_parameters["marker"] = MARKER
    if case.query.get("wait"):
        case.query["wait"] = 0  # Nobody works in this test.
    response = case.call_and_validate(headers=alices_headers, excluded_checks=NOT_CHECKED)
    assert response.status_code != 401
