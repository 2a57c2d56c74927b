"""Every address is tried as its owner, another person, staff and a stranger."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from recognition.labels import LABEL_NAMES
from recognition.models import Prediction, Upload
from tests.api.test_access import INTERFACE_ROUTES
from tests.live.test_sessions import SESSION_ROUTES
from tests.recognition.test_data_export import EXPORT_ROUTES

#: Addresses of one upload, with the method that acts on it.
OBJECT_ROUTES = {
    "upload_detail": "get",
    "upload_image": "get",
    "upload_thumbnail": "get",
    "export_upload": "get",
    "delete_upload": "post",
    "retry_upload": "post",
    "correct_face": "post",
    "explain_face": "post",
    "face_heat_map": "get",
    "api-upload-detail": "get",
    "api-upload-retry": "post",
}


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    """``(name, pattern)`` of every address, but for the administration's and allauth's own."""
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield entry.name or "", pattern
        elif entry.app_name != "admin" and not pattern.startswith("accounts/"):
            yield from routes(entry, pattern)


def face_of(upload: Upload) -> int:
    """The id of a face in the photo, put there if need be."""
    values = {"x": 1, "y": 2, "width": 3, "height": 4, "label": "happy", "confidence": 0.9}
    face, _is_new = upload.predictions.get_or_create(
        index=0, defaults={**values, "probabilities": dict.fromkeys(LABEL_NAMES, 0.25)}
    )
    return face.pk


def address(name: str, upload: Upload) -> str:
    addresses = {
        "upload_detail": f"/uploads/{upload.pk}/",
        "upload_image": f"/uploads/{upload.pk}/image/",
        "upload_thumbnail": f"/uploads/{upload.pk}/thumbnail/",
        "export_upload": f"/uploads/{upload.pk}/export.json",
        "delete_upload": f"/uploads/{upload.pk}/delete/",
        "retry_upload": f"/uploads/{upload.pk}/retry/",
        "correct_face": f"/uploads/{upload.pk}/faces/{face_of(upload)}/correction/",
        "explain_face": f"/uploads/{upload.pk}/faces/0/explain/",
        "face_heat_map": f"/uploads/{upload.pk}/faces/0/heat-map.png",
        "api-upload-detail": f"/api/v1/uploads/{upload.pk}/",
        "api-upload-retry": f"/api/v1/uploads/{upload.pk}/retry/",
    }
    return addresses[name]


def test_every_address_that_takes_an_id_is_tried_here() -> None:
    with_id = {name for name, pattern in routes(get_resolver()) if "pk" in pattern}
    tried = {*OBJECT_ROUTES, *SESSION_ROUTES, *EXPORT_ROUTES, *INTERFACE_ROUTES}
    assert with_id == tried


@pytest.fixture
def alice_upload(alice_upload: Upload) -> Upload:
    """With a face and its heat map, so that every address has something to give."""
    face = Prediction.objects.create(
        upload=alice_upload, index=0, x=177, y=66, width=96, height=96, label="happy",
        confidence=0.7, probabilities={"happy": 0.7, "sad": 0.1, "surprise": 0.1, "neutral": 0.1},
    )  # fmt: skip
    face.heat_map.save("heat-map.png", ContentFile(b"a heat map"))
    return alice_upload


@pytest.mark.parametrize("name", OBJECT_ROUTES)
def test_the_owner_gets_in(name: str, alice_client: Client, alice_upload: Upload) -> None:
    response = getattr(alice_client, OBJECT_ROUTES[name])(address(name, alice_upload))
    assert response.status_code in {200, 302, 409}


@pytest.mark.parametrize("name", OBJECT_ROUTES)
@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_for_others_and_staff_it_does_not_exist(
    name: str, who: str, alice_upload: Upload, request: pytest.FixtureRequest
) -> None:
    client = Client()
    client.force_login(request.getfixturevalue(who))
    response = getattr(client, OBJECT_ROUTES[name])(address(name, alice_upload))
    assert response.status_code == 404
    assert Upload.objects.filter(pk=alice_upload.pk).exists()


@pytest.mark.parametrize("name", OBJECT_ROUTES)
def test_strangers_are_sent_to_sign_in(name: str, alice_upload: Upload) -> None:
    response = getattr(Client(), OBJECT_ROUTES[name])(address(name, alice_upload))
    if name.startswith("api-"):
        assert response.status_code == 401
        assert response.json()["code"] == "not_authenticated"
        assert response["WWW-Authenticate"].startswith("Bearer")
    else:
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/")
    assert Upload.objects.filter(pk=alice_upload.pk).exists()


def test_deleting_through_the_api_is_for_the_owner(
    alice_client: Client, bob_client: Client, alice_upload: Upload
) -> None:
    assert bob_client.delete(address("api-upload-detail", alice_upload)).status_code == 404
    assert Upload.objects.exists()
    assert alice_client.delete(address("api-upload-detail", alice_upload)).status_code == 204
    assert not Upload.objects.exists()


@pytest.mark.parametrize("path", ["/uploads/", "/uploads/export.csv", "/uploads/export.json"])
def test_lists_hold_only_ones_own(path: str, bob_client: Client, alice_upload: Upload) -> None:
    response = bob_client.get(path)
    content = b"".join(response) if response.streaming else response.content
    assert response.status_code == 200
    assert str(alice_upload.pk).encode() not in content
    assert b"party.jpg" not in content


def test_the_api_lists_only_ones_own(
    alice_client: Client, bob_client: Client, alice_upload: Upload
) -> None:
    assert len(alice_client.get("/api/v1/uploads/").json()["results"]) == 1
    assert bob_client.get("/api/v1/uploads/").json()["results"] == []


@pytest.mark.parametrize("action", ["delete", "retry"])
def test_a_selection_reaches_only_ones_own(
    action: str, bob_client: Client, alice_upload: Upload
) -> None:
    Upload.objects.update(status=Upload.Status.FAILED)
    form = {"upload": [str(alice_upload.pk)], "action": action}
    bob_client.post("/uploads/selected/", form)
    alice_upload.refresh_from_db()
    assert alice_upload.status == Upload.Status.FAILED


def test_a_selection_that_is_no_id_is_not_found(alice_client: Client, alice: User) -> None:
    assert alice_client.post("/uploads/selected/", {"upload": ["x'--"]}).status_code == 404


@pytest.mark.parametrize(
    "name", ["upload_detail", "upload_image", "upload_thumbnail", "face_heat_map"]
)
def test_private_pages_stay_out_of_caches(
    name: str, alice_client: Client, alice_upload: Upload
) -> None:
    response = alice_client.get(address(name, alice_upload))
    assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/about/"])
def test_pages_allow_no_inline_script_and_no_frame(path: str, db: None) -> None:
    response = Client().get(path)
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "camera=(self)" in response["Permissions-Policy"]


def test_forms_need_a_token(alice: User, alice_upload: Upload) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    for name in ("delete_upload", "retry_upload", "explain_face", "api-upload-retry"):
        assert client.post(address(name, alice_upload)).status_code == 403
    assert Upload.objects.exists()
