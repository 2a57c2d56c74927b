"""No header of a request changes an address that the site writes."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

import httpx
import pytest
from pytest_django import Settings
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from emotion_site.client_headers import TrustedScope
from tests.support.pictures import no_face_jpeg
from tests.support.site import Person, Site, wait_until

EVIL = "attacker.example"
ATTACK = {
    "Daphne-Root-Path": f"https://{EVIL}/x",
    "Forwarded": f"for=192.0.2.1;host={EVIL};proto=gopher",
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Server": EVIL,
    "X-Forwarded-Port": "6666",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Protocol": "gopher",
    "X-Forwarded-Scheme": "gopher",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Prefix": f"//{EVIL}/x",
    "X-Forwarded-Path": f"//{EVIL}/x",
    "X-Forwarded-Uri": f"https://{EVIL}/x",
    "X-Forwarded-For": "192.0.2.1",
    "X-Script-Name": f"//{EVIL}/x",
    "Script-Name": f"//{EVIL}/x",
    "X-Original-URL": f"https://{EVIL}/x",
    "X-Original-URI": f"https://{EVIL}/x",
    "X-Original-Host": EVIL,
    "X-Rewrite-URL": f"https://{EVIL}/x",
    "X-Host": EVIL,
    "X-HTTP-Host-Override": EVIL,
    "X-HTTP-Method-Override": "DELETE",
    "X-URL-Scheme": "gopher",
    "X-Scheme": "gopher",
    "Front-End-Https": "on",
    "Base-Url": f"https://{EVIL}/x",
    "X-Real-IP": "192.0.2.1",
    "True-Client-IP": "192.0.2.1",
}
#: What the site does read.
READ = (
    "Host", "Cookie", "Authorization", "Accept", "Accept-Language", "Content-Type", "Origin",
    "Idempotency-Key", "If-None-Match", "If-Modified-Since", "Referer", "Range", "User-Agent",
    "Sec-WebSocket-Protocol", "X-CSRFToken", "X-Request-ID", "X-Requested-With",
)  # fmt: skip
#: The port with its colon: the digits alone turn up in tokens.
SIGNS = (EVIL, "gopher", ":6666", "192.0.2.1")
PASSWORD = "a-good-password-7"


class Echo:
    """An application that keeps what it was called with."""

    scope: dict[str, Any] | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope = scope


async def passed_on(
    headers: dict[str, str], path: str = "/", method: str = "GET"
) -> dict[str, Any] | None:
    """The scope that the application sees; None where the request was refused."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    application = Echo()
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {
        "type": "http", "method": method, "path": path, "headers": pairs,
        "root_path": f"https://{EVIL}/x", "server": ["127.0.0.1", 8000],
    }  # fmt: skip
    await TrustedScope(application)(scope, None, send)
    assert (application.scope is None) == bool(sent)
    assert not sent or sent[0]["status"] == 400
    return application.scope


@pytest.fixture
def public(settings: Settings) -> None:
    settings.SITE_URL = "https://faces.example"
    settings.ALLOWED_HOSTS = ["faces.example", ".inside.example", "[::1]"]


async def test_each_is_removed_before_the_application(public: None) -> None:
    scope = await passed_on({"Host": "faces.example", "Accept": "text/html", **ATTACK})
    assert scope is not None
    assert scope["root_path"] == ""
    assert {name for name, _ in scope["headers"]} == {b"host", b"accept"}


@pytest.mark.parametrize("method", ["head", "Head", "gEt"])
async def test_a_method_that_is_none_is_refused(public: None, method: str) -> None:
    """Django takes it for one, and the server does not."""
    assert await passed_on({"Host": "faces.example"}, method=method) is None


async def test_our_own_proxy_is_believed_about_visitor_and_scheme(
    public: None, settings: Settings
) -> None:
    settings.BEHIND_PROXY = True
    scope = await passed_on({"Host": "faces.example", **ATTACK})
    assert scope is not None
    names = {name for name, _ in scope["headers"]}
    assert names == {b"host", b"x-forwarded-for", b"x-forwarded-proto"}


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("faces.example", True),
        ("FACES.example", True),
        ("faces.example:443", True),
        ("a.inside.example", True),
        ("[::1]", True),
        ("faces.example:80", False),
        ("faces.example:8000", False),
        ("faces.example:6666", False),
        ("faces.example:", False),
        ("faces.example:443@attacker.example", False),
        ("attacker.example", False),
        ("faces.example.attacker.example", False),
        ("faces.example/attacker.example", False),
        ("f\xe4ces.example", False),
        ("", False),
    ],
)
async def test_the_host_is_one_of_the_sites_at_its_port(
    host: str, is_ours: bool, public: None
) -> None:
    assert (await passed_on({"Host": host}) is not None) is is_ours


async def test_monitors_ask_a_process_at_its_own_port(public: None) -> None:
    assert await passed_on({"Host": "faces.example:8000"}, "/healthz") is not None
    assert await passed_on({"Host": "attacker.example"}, "/healthz") is None


async def test_another_port_belongs_to_a_site_that_is_there(settings: Settings) -> None:
    settings.SITE_URL = "https://faces.example:8443"
    settings.ALLOWED_HOSTS = ["faces.example"]
    assert await passed_on({"Host": "faces.example:8443"}) is not None
    assert await passed_on({"Host": "faces.example"}) is None


# On the running site ----------------------------------------------------------------------------


def mails(site: Site) -> str:
    """All that was sent, which in debug is printed."""
    return (site.data_dir / "web.log").read_text()


def links(text: str) -> list[str]:
    return re.findall(r"[a-z]+://[^\s\"'<>]+", text)


def mailed(site: Site, person: Person, path: str, form: dict[str, str]) -> str:
    """What is mailed after a form was sent with every header of the attack."""
    before = len(mails(site))
    token = {"X-CSRFToken": person.http.cookies["csrftoken"]}
    person.http.post(path, data=form, headers={**ATTACK, **token})

    def sent() -> str | None:
        text = mails(site)[before:]
        return text if re.search(r"://\S+", text) else None

    text: str = wait_until(sent)
    assert not [sign for sign in SIGNS if sign in text], text
    return text


def test_links_in_mails_lead_to_this_site(site: Site) -> None:
    person = site.sign_up("links@example.org")
    visitor = Person(site.url)
    person.post("/accounts/reauthenticate/", data={"password": PASSWORD})
    forms = [
        (visitor, "/accounts/password/reset/", {"email": "links@example.org"}),
        (visitor, "/accounts/password/reset/", {"email": "nobody.at.all@example.org"}),
        (person, "/accounts/email/", {"email": "links.two@example.org", "action_add": ""}),
    ]
    for who, path, form in forms:
        found = links(mailed(site, who, path, form))
        assert found, path
        assert all(f"{link}/".startswith(f"{site.url}/") for link in found), (path, found)
        assert any(link.startswith(f"{site.url}/accounts/") for link in found), (path, found)


def test_pages_and_api_write_the_same_addresses_as_ever(site: Site) -> None:
    person = site.sign_up("addresses@example.org")
    uploads = [person.upload(no_face_jpeg(), f"{n}.jpg").json()["id"] for n in range(2)]
    pages = [
        "/", "/about/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/",
        "/accounts/profile", "/accounts/", "/uploads/", f"/uploads/{uploads[0]}/", "/admin/",
        "/api/v1/docs/", "/api/v1/schema/", "/api/v1/errors/", "/api/v1/nothing/",
        "/api/v1/uploads/?page_size=1", f"/api/v1/uploads/{uploads[0]}/",
        "/api/v1/predictions/?page_size=1", "/api/v1/me/", "/healthz/live",
    ]  # fmt: skip
    visitor = Person(site.url)
    for who in (person, visitor):
        for path in pages:
            plain, attacked = who.get(path), who.get(path, headers=ATTACK)
            assert attacked.status_code == plain.status_code, path
            assert attacked.headers.get("Location") == plain.headers.get("Location"), path
            answer = f"{attacked.headers}{attacked.text}"
            assert not [sign for sign in SIGNS if sign in answer], path
    page = person.get("/api/v1/uploads/?page_size=1", headers=ATTACK).json()
    assert page["next"].startswith(f"{site.url}/api/v1/uploads/?")
    created = person.http.post(
        "/api/v1/uploads/",
        files={"image": ("again.jpg", no_face_jpeg())},
        headers={**ATTACK, "X-CSRFToken": person.http.cookies["csrftoken"]},
    )
    assert created.status_code == 201
    assert created.headers["Location"].startswith(f"{site.url}/api/v1/uploads/")
    assert not [sign for sign in SIGNS if sign in json.dumps(created.json())]


@pytest.mark.parametrize("host", ["127.0.0.1:6666", "attacker.example", "127.0.0.1:x", "127.0.0.1"])
def test_a_foreign_host_or_port_gets_nothing(host: str, site: Site) -> None:
    for path in ("/", "/accounts/password/reset/", "/api/v1/uploads/"):
        response = httpx.get(site.url + path, headers={"Host": host})
        assert response.status_code == 400
        assert host not in response.text


def test_sockets_that_are_none_are_refused_without_a_traceback(site: Site) -> None:
    person = site.sign_up("no-such-socket@example.org")
    before = len((site.data_dir / "web.log").read_text())
    url = site.url.replace("http", "ws")
    odd = [("Sec-WebSocket-Protocol", "f\xe4ces"), ("X-Odd", "f\xe4ces"),
           ("Daphne-Root-Path", "f\xe4ces"), ("Cookie", "f\xe4ces=\xfc")]  # fmt: skip
    for path in ("/ws/", "/ws/nothing/", "/", "/ws/uploads", "/ws/uploads/more/"):
        with pytest.raises(InvalidStatus) as refused:
            connect(url + path, origin=site.url, additional_headers={"Cookie": person.session})
        assert refused.value.response.status_code == 403
    for header in odd:
        request = (
            f"GET /ws/uploads/ HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nUpgrade: websocket\r\n"
            f"Origin: {site.url}\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header[0]}: {header[1]}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", site.port), timeout=20) as raw:
            raw.sendall(request.encode())
            assert not raw.recv(64).startswith(b"HTTP/1.1 5"), header
    log = (site.data_dir / "web.log").read_text()[before:]
    assert "Traceback" not in log, log[-3000:]


def test_a_header_that_is_no_ascii_is_no_failure(site: Site) -> None:
    for name in [*ATTACK, *READ]:
        for path in ("/", "/api/v1/uploads/", "/accounts/login/"):
            headers = [(name.encode(), "Bearer f\xe4ces \u20ac".encode())]
            response = httpx.get(site.url + path, headers=headers)
            assert response.status_code < 500, (name, path)


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "utf8", "UTF-8", "no-such", ""])
def test_a_form_in_another_encoding_is_refused_quietly(site: Site, charset: str) -> None:
    log = site.data_dir / "web.log"
    with httpx.Client(base_url=site.url, headers={"Origin": site.url}) as client:
        client.get("/accounts/login/")
        headers = {"Content-Type": f"application/x-www-form-urlencoded; charset={charset}"}
        before = len(log.read_text())
        form = f"csrfmiddlewaretoken={client.cookies['csrftoken']}&login=a&password=b"
        page = client.post("/accounts/login/", content=form, headers=headers)
        is_read = charset in {"UTF-8", "no-such", ""}
        assert page.status_code == (200 if is_read else 400)
        answer = client.post("/api/v1/uploads/", content="a=b", headers=headers)
        assert answer.status_code == (401 if is_read else 400)
        assert answer.json()["code"] == ("not_authenticated" if is_read else "bad_request")
    assert "Traceback" not in log.read_text()[before:]


@pytest.mark.parametrize("charset", ["zlib", "undefined", "punycode", "latin-1"])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/json"])
def test_other_bodies_in_another_encoding_are_refused_quietly(
    site: Site, kind: str, charset: str
) -> None:
    log = site.data_dir / "web.log"
    before = len(log.read_text())
    headers = {"Content-Type": f"{kind}; charset={charset}", "Origin": site.url}
    field = b'--x\r\nContent-Disposition: form-data; name="login"\r\n\r\na\r\n--x--\r\n'
    for path in ("/accounts/login/", "/api/v1/uploads/"):
        answer = httpx.post(site.url + path, content=field, headers=headers)
        assert (answer.status_code, "UTF-8" in answer.text) == (400, True)
    assert "Traceback" not in log.read_text()[before:]
