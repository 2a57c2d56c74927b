"""Webhooks: where they may go, what they carry, and that they arrive."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from recognition import tasks
from recognition.models import Upload, Webhook, WebhookDelivery
from recognition.uploads import processing
from recognition.videos.actions import create_video
from recognition.webhooks import deliveries, hooks, sending
from tests.support.factories import add_face, make_upload
from tests.support.receiver import Receiver, resolve_to, respond
from tests.support.requests import send_json
from tests.support.site import ROOT

WEBHOOKS = "/api/v1/webhooks/"


@pytest.fixture
def own_network(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True


@pytest.fixture
def hook(alice: User, receiver: Receiver, own_network: None) -> Webhook:
    return Webhook.objects.create(owner=alice, url=receiver.url, secret="whsec_test")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.org/", "https_required"),
        ("ftp://example.org/", "invalid_address"),
        ("https://", "invalid_address"),
        ("https://user:password@example.org/", "invalid_address"),
        ("https://example.org:99999/", "invalid_address"),
        ("nonsense", "invalid_address"),
        ("https://[::1", "invalid_address"),
        ("https://127.0.0.1/", "private_address"),
        ("https://127.1/", "private_address"),
        ("https://xn--/", "invalid_address"),
        ("https://[::127.0.0.1]/", "private_address"),
        ("https://[::10.0.0.1]/", "private_address"),
        ("https://[64:ff9b:1::a00:1]/", "private_address"),
        ("https://[64:ff9b:1:7f00::1]/", "private_address"),
        ("https://[fec0::1]/", "private_address"),
        ("https://[::ffff:0:127.0.0.1]/", "private_address"),
        ("https://[::ffff:0:a00:1]/", "private_address"),
        ("https://[3fff::1]/", "private_address"),
        ("https://192.0.0.8/", "private_address"),
        ("https://[2606:4700::5efe:127.0.0.1]/", "private_address"),
        ("https://[2606:4700::200:5efe:10.0.0.1]/", "private_address"),
        ("https://[5f00::1]/", "private_address"),
        ("https://2130706433/", "private_address"),
        ("https://0x7f000001/", "private_address"),
        ("https://0.0.0.0/", "private_address"),
        ("https://10.1.2.3/", "private_address"),
        ("https://172.16.0.1/", "private_address"),
        ("https://192.168.1.1/", "private_address"),
        ("https://169.254.169.254/latest/meta-data/", "private_address"),
        ("https://100.64.0.1/", "private_address"),
        ("https://224.0.0.1/", "private_address"),
        ("https://255.255.255.255/", "private_address"),
        ("https://[::1]/", "private_address"),
        ("https://[::]/", "private_address"),
        ("https://[fe80::1]/", "private_address"),
        ("https://[fc00::1]/", "private_address"),
        ("https://[::ffff:127.0.0.1]/", "private_address"),
        ("https://[64:ff9b::7f00:1]/", "private_address"),
        ("https://[2002:7f00:1::]/", "private_address"),
        ("https://localhost/", "private_address"),
    ],
)
def test_addresses_that_are_refused(url: str, code: str, alice_client: Client) -> None:
    response = send_json(alice_client, "POST", WEBHOOKS, {"url": url})
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert not Webhook.objects.exists()


def test_one_private_address_among_others_is_enough(
    alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, ["93.184.215.14", "10.0.0.1"])
    response = send_json(alice_client, "POST", WEBHOOKS, {"url": "https://example.org/"})
    assert response.json()["code"] == "private_address"


def test_a_name_that_is_not_known_is_refused(
    alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, [])
    response = send_json(alice_client, "POST", WEBHOOKS, {"url": "https://example.org/"})
    assert response.json()["code"] == "address_not_found"


def test_a_name_that_turns_private_later_is_refused_when_it_is_sent_to(
    alice: User, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    hook = Webhook.objects.create(owner=alice, url="https://example.org/", secret="s")
    resolve_to(monkeypatch, ["127.0.0.1"])
    deliveries.record_ping(hook)
    assert deliveries.deliver_next()
    delivery = WebhookDelivery.objects.get()
    assert "private address" in delivery.error
    assert receiver.requests == []


def test_the_connection_goes_to_the_checked_address(
    alice: User, monkeypatch: pytest.MonkeyPatch, own_network: None, receiver: Receiver
) -> None:
    """A second look-up would find nothing: there is none."""
    port = receiver.server.server_address[1]
    hook = Webhook.objects.create(owner=alice, url=f"http://rebind.example:{port}/x", secret="s")
    asked = resolve_to(monkeypatch, ["127.0.0.1"], [])
    deliveries.record_ping(hook)
    deliveries.deliver_next()
    assert asked == ["rebind.example"]
    ((path, headers, _body),) = receiver.requests
    assert (path, headers["Host"]) == ("/x", f"rebind.example:{port}")


def test_a_webhook_is_added_with_a_secret_that_is_shown_once(
    alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
    response = send_json(alice_client, "POST", WEBHOOKS, {"url": "https://example.org/hook"})
    assert response.status_code == 201
    body = response.json()
    assert body["secret"].startswith("whsec_")
    assert "secret" not in alice_client.get(f"{WEBHOOKS}{body['id']}/").json()
    assert "secret" not in str(alice_client.get(WEBHOOKS).json())
    for _number in range(9):
        send_json(alice_client, "POST", WEBHOOKS, {"url": "https://example.org/hook"})
    response = send_json(alice_client, "POST", WEBHOOKS, {"url": "https://example.org/hook"})
    assert (response.status_code, response.json()["code"]) == (409, "too_many_webhooks")


def test_a_finished_upload_is_told_and_signed(
    hook: Webhook, alice_upload: Upload, receiver: Receiver, bob: User
) -> None:
    Webhook.objects.create(owner=bob, url=receiver.url, secret="whsec_bob")
    tasks.process_upload.apply((str(alice_upload.pk),), throw=True)
    tasks.deliver_webhooks.apply(throw=True)
    ((_path, headers, body),) = receiver.requests
    timestamp, v1 = (part.partition("=")[2] for part in headers["X-Visage-Signature"].split(","))
    expected = hmac.new(b"whsec_test", f"{timestamp}.".encode() + body, hashlib.sha256)
    assert hmac.compare_digest(v1, expected.hexdigest())
    assert abs(time.time() - int(timestamp)) < 60
    payload = json.loads(body)
    assert payload["event"] == headers["X-Visage-Event"] == "upload.finished"
    assert payload["delivery"] == headers["X-Visage-Delivery"]
    assert payload["upload"]["id"] == str(alice_upload.pk)
    assert payload["upload"]["status"] == "done"
    assert [face["label"] for face in payload["upload"]["faces"]] == ["happy"]
    assert b"party.jpg" not in body
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status_code, delivery.attempts) == ("delivered", 200, 1)


def test_an_upload_that_failed_is_told_too(hook: Webhook, alice_upload: Upload) -> None:
    claimed = Upload.objects.claim(str(alice_upload.pk))
    assert claimed is not None
    assert processing.fail(claimed, "damaged", "The file is damaged.")
    assert not processing.fail(claimed, "damaged", "The file is damaged.")
    (delivery,) = WebhookDelivery.objects.all()
    assert delivery.payload["upload"]["error"] == {"code": "damaged"}


def test_it_tells_corrected_labels_and_no_rejected_spot(hook: Webhook, alice: User) -> None:
    upload = make_upload(alice)
    add_face(upload, "happy", correction="sad")
    add_face(upload, "surprise", 1)
    add_face(upload, "happy", 2, rejected="blurred")
    deliveries.record_finished(upload)
    faces = WebhookDelivery.objects.get().payload["upload"]["faces"]
    assert [(face["label"], face["predicted_label"]) for face in faces] == [
        ("sad", "happy"), ("surprise", "surprise"),
    ]  # fmt: skip


def test_the_page_explains_every_field(hook: Webhook, alice: User) -> None:
    upload, video = (
        make_upload(alice),
        create_video(alice, SimpleUploadedFile("a.gif", b"GIF89a and more")),
    )
    add_face(upload, "happy")
    deliveries.record_finished(upload)
    deliveries.record_video_finished(video)
    text = (ROOT / "docs" / "API.md").read_text().partition("## Webhooks")[2].partition("\n## ")[0]
    told = [delivery.payload for delivery in WebhookDelivery.objects.all()]
    names = re.findall(r'"(\w+)":', json.dumps(told))
    assert {"upload", "faces", "video", "seconds"} <= set(names)
    assert [name for name in names if not re.search(rf'["`]{name}["`]', text)] == []


def test_one_that_is_switched_off_is_told_nothing(
    hook: Webhook, alice: User, receiver: Receiver
) -> None:
    off = Webhook.objects.create(owner=alice, url=receiver.url, secret="s", is_active=False)
    deliveries.record_finished(make_upload(alice))
    assert WebhookDelivery.objects.get().webhook == hook
    assert not off.deliveries.exists()


def test_what_does_not_arrive_is_sent_again_ever_later_and_then_given_up(
    hook: Webhook, receiver: Receiver
) -> None:
    receiver.answer = lambda handler: respond(handler, 500)
    deliveries.record_ping(hook)
    waits = []
    while (delivery := WebhookDelivery.objects.get()).next_attempt_at is not None:
        WebhookDelivery.objects.update(queued_at=timezone.now())
        assert deliveries.deliver_next()
        assert not deliveries.deliver_next()
        delivery.refresh_from_db()
        if delivery.next_attempt_at:
            waits.append(round((delivery.next_attempt_at - timezone.now()).total_seconds(), -1))
    assert waits == [10, 60, 300, 1800, 7200]
    assert (delivery.state, delivery.attempts, delivery.status_code) == ("given_up", 6, 500)
    assert "500" in delivery.error
    assert len(receiver.requests) == 6


def test_redirects_are_not_followed(hook: Webhook, receiver: Receiver) -> None:
    receiver.answer = lambda handler: respond(handler, 307, Location=f"{receiver.url}/elsewhere")
    deliveries.record_ping(hook)
    deliveries.deliver_next()
    assert len(receiver.requests) == 1
    delivery = WebhookDelivery.objects.get()
    assert delivery.status_code == 307
    # An address that only leads elsewhere has taken nothing.
    assert delivery.error == "The response was 307."
    assert delivery.next_attempt_at is not None


@pytest.mark.parametrize("part", ["header", "body", "nothing"])
def test_a_slow_answer_is_cut_off(
    part: str, hook: Webhook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TOTAL_TIMEOUT", 1.0)

    def drip(handler: BaseHTTPRequestHandler) -> None:
        start = {"header": b"HTTP/1.1 200 OK\r\nX-Long: ", "nothing": b""}
        body = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
        handler.wfile.write(start.get(part, body))
        for _tenth in range(200):
            if part != "nothing":
                handler.wfile.write(b"x")
            time.sleep(0.1)

    receiver.answer = drip
    deliveries.record_ping(hook)
    began = time.monotonic()
    deliveries.deliver_next()
    assert time.monotonic() - began < 10  # Of the twenty that it would take.
    assert "timed out" in WebhookDelivery.objects.get().error


def test_of_a_long_answer_little_is_read(hook: Webhook, receiver: Receiver) -> None:
    pieces: list[int] = []

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            for piece in range(1000):
                handler.wfile.write(b"x" * 1_000_000)
                pieces.append(piece)
        except OSError:
            return

    receiver.answer = flood
    deliveries.record_ping(hook)
    deliveries.deliver_next()
    # What the kernel holds for a connection, and no more.
    assert len(pieces) < 100
    assert WebhookDelivery.objects.get().state == "delivered"


def test_a_claim_keeps_others_out_until_it_is_a_dead_workers(
    hook: Webhook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliveries.record_ping(hook)
    claimed = WebhookDelivery.objects.claim()
    assert claimed is not None
    assert WebhookDelivery.objects.claim() is None
    WebhookDelivery.objects.update(claimed_until=timezone.now())
    assert deliveries.deliver_next()
    deliveries._note(claimed, sending.Outcome(None, "too late"))
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.error, delivery.attempts) == ("delivered", "", 2)


def test_others_for_a_broken_address_wait_with_it(hook: Webhook, receiver: Receiver) -> None:
    receiver.answer = lambda handler: respond(handler, 503)
    for _number in range(5):
        deliveries.record_ping(hook)
    assert deliveries.deliver_next()
    assert not deliveries.deliver_next()
    assert len(receiver.requests) == 1


def test_after_too_many_failures_it_is_switched_off(hook: Webhook, receiver: Receiver) -> None:
    def last_attempt(status: int) -> bool:
        receiver.answer = lambda handler: respond(handler, status)
        deliveries.record_ping(hook)
        last = {"attempts": 5, "queued_at": timezone.now()}
        WebhookDelivery.objects.filter(attempts=0).update(**last)
        assert deliveries.deliver_next()
        hook.refresh_from_db()
        return hook.is_active

    assert all(last_attempt(410) for _number in range(9))
    assert last_attempt(200), "one that arrives begins the count anew"
    assert all(last_attempt(410) for _number in range(9))
    assert not last_attempt(410)
    response = tasks.deliver_webhooks.apply(throw=True)
    assert response.successful()


def test_switching_off_gives_up_what_waits(alice_client: Client, hook: Webhook) -> None:
    deliveries.record_ping(hook)
    path = f"{WEBHOOKS}{hook.pk}/"
    response = send_json(alice_client, "PATCH", path, {"is_active": False})
    assert (response.status_code, response.json()["is_active"]) == (200, False)
    (delivery,) = alice_client.get(f"{path}deliveries/").json()["results"]
    assert delivery["state"] == "given_up"
    send_json(alice_client, "PATCH", path, {"is_active": True})
    hook.refresh_from_db()
    assert hook.is_active


def test_deleting_takes_the_log_along(alice_client: Client, hook: Webhook) -> None:
    deliveries.record_ping(hook)
    assert alice_client.delete(f"{WEBHOOKS}{hook.pk}/").status_code == 204
    assert not WebhookDelivery.objects.exists()


def test_the_log_is_kept_for_thirty_days(hook: Webhook) -> None:
    old, new = deliveries.record_ping(hook), deliveries.record_ping(hook)
    WebhookDelivery.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    tasks.sweep_api.apply(throw=True)
    assert [row.pk for row in WebhookDelivery.objects.all()] == [new.pk]


def test_the_pages(
    alice_client: Client, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    resolve_to(monkeypatch, ["93.184.215.14"])
    response = alice_client.post("/webhooks/", {"url": "https://example.org/hook"})
    hook = Webhook.objects.get()
    assert hook.secret in response.content.decode()
    assert response["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    page = alice_client.get("/webhooks/").content.decode()
    assert hook.url in page
    assert hook.secret not in page
    page = alice_client.post(f"/webhooks/{hook.pk}/ping/", follow=True).content.decode()
    assert "<code>ping</code>" in page
    assert hook.secret not in page
    alice_client.post(f"/webhooks/{hook.pk}/switch/", {})
    hook.refresh_from_db()
    assert not hook.is_active
    alice_client.post(f"/webhooks/{hook.pk}/switch/", {"on": "1"})
    hook.refresh_from_db()
    assert hook.is_active
    alice_client.post(f"/webhooks/{hook.pk}/delete/")
    hooks.switch(hook, on=True)  # Asked for before, and late.
    assert not Webhook.objects.exists()


def test_the_page_says_why_an_address_is_refused(alice_client: Client) -> None:
    page = alice_client.post("/webhooks/", {"url": "https://127.0.0.1/"}).content.decode()
    assert "private address" in page
    assert not Webhook.objects.exists()


def test_the_owner_can_see_that_webhooks_came_and_went(
    alice: User, alice_client: Client, own_network: None, receiver: Receiver
) -> None:
    made = send_json(alice_client, "post", WEBHOOKS, {"url": receiver.url}).json()
    assert alice_client.delete(f"{WEBHOOKS}{made['id']}/").status_code == 204
    events = AuditEvent.objects.filter(user=alice, action__startswith="webhook_")
    assert list(events.order_by("pk").values_list("action", "actor")) == [
        ("webhook_added", alice.pk),
        ("webhook_deleted", alice.pk),
    ]
