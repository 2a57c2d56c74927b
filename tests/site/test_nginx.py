"""nginx before two web processes, as deploy/nginx.conf.template sets it up, with TLS."""

from __future__ import annotations

import http.client
import http.server
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import httpx
import pytest

from clients.live_client import LiveClient
from tests.support.nginx import BODY_MEGABYTES, NGINX, SiteBehindNginx
from tests.support.page_client import PageClient
from tests.support.pictures import face_jpeg
from tests.support.site import Person, Site, wait_until
from tests.support.sockets import close_code

pytestmark = [
    pytest.mark.site,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteBehindNginx]:
    folder = tmp_path_factory.mktemp("nginx")
    with pytest.MonkeyPatch.context() as patch:
        # What httpx and websockets trust.
        patch.setenv("SSL_CERT_FILE", str(folder / "certificate.pem"))
        with SiteBehindNginx(folder) as running:
            yield running


@pytest.fixture(scope="module")
def person(behind: SiteBehindNginx) -> Person:
    return behind.sign_up("owner@example.org").accept_camera()


def requests_seen(site: Site, process: str) -> list[dict[str, object]]:
    lines = (site.data_dir / f"{process}.log").read_text().splitlines()
    objects = [json.loads(line) for line in lines if line.startswith("{")]
    return [entry for entry in objects if "route" in entry]


MANY_CONNECTIONS = 900  # More than what a worker of nginx holds by itself.


def test_connections_that_ask_nothing_keep_nobody_out(behind: SiteBehindNginx) -> None:
    """They count for no address: a byte of a handshake, and then nothing."""
    where = urlsplit(behind.url)
    with ExitStack() as held:
        silent = []
        for _ in range(MANY_CONNECTIONS):
            connection = socket.create_connection(
                ("127.0.0.1", int(where.port or 0)), source_address=("127.0.0.5", 0)
            )
            silent.append(held.enter_context(connection))
            connection.sendall(b"\x16")
        assert httpx.get(f"{behind.url}/about/").status_code == 200
        for connection in (silent[0], silent[-1]):
            connection.settimeout(20)
            assert connection.recv(100) == b""


def test_pages_come_from_both_web_processes_with_each_header_once(
    behind: SiteBehindNginx, person: Person
) -> None:
    for _ in range(12):
        page = person.get("/")
        assert page.status_code == 200
    names = [name.lower() for name, _ in page.headers.multi_items()]
    for name in (
        "strict-transport-security", "content-security-policy", "x-content-type-options",
        "x-frame-options", "referrer-policy", "cache-control", "x-request-id",
    ):  # fmt: skip
        assert names.count(name) == 1, name
    assert requests_seen(behind, "web")
    assert requests_seen(behind, "web-2")


def test_the_log_has_no_keys_that_open_something(behind: SiteBehindNginx) -> None:
    with httpx.Client(base_url=behind.url) as client:
        for path in (
            "accounts/password/reset/key/2-made-up/", "accounts/confirm-email/made-up/",
            "studies/join/made-up/", "take-part/made-up/",
        ):  # fmt: skip
            client.get(f"/{path}")
        client.get(f"http://localhost:{behind.http_port}/take-part/made-up/")
    # Neither where one of too many was refused.
    host = f"Host: {urlsplit(behind.url).netloc}\r\n".encode()
    form = b"POST /take-part/made-up/consent/ HTTP/1.1\r\n" + host + b"Content-Length: 0\r\n\r\n"
    with tls_connection(behind, "127.0.0.5") as connection:
        assert 429 in [status_of_next(connection, form) for _ in range(75)]
    # Nor where nginx answers before it looks for a location.
    with httpx.Client() as client:
        port = urlsplit(behind.url).port
        assert client.get(f"http://localhost:{port}/take-part/made-up/").status_code == 400
    with httpx.Client(base_url=behind.url) as client:
        # Where it leads is where somebody came from, or goes to.
        came_from = {"Referer": f"{behind.url}/studies/join/made-up/"}
        client.get("/service-worker.js", headers=came_from)
        client.get("/accounts/login/?next=/studies/join/made-up/", headers=came_from)
        # A participant's browser, beside the times in the study's data.
        client.get("/ws/study/", headers={"User-Agent": "made-up"})
        client.get("/about/", headers={"User-Agent": "the last one"})
    # nginx writes the line of a request once it has sent the answer.
    wait_until(lambda: "the last one" in (behind.data_dir / "access.log").read_text())
    lines = (behind.data_dir / "access.log").read_text()
    # Of the sign-in page, whose address says where it leads.
    assert '"GET /- HTTP/1.1" 200' in lines
    for log in ("access.log", "error.log", "web.log", "web-2.log"):
        assert "made-up" not in (behind.data_dir / log).read_text(), log


def test_a_long_address_leads_to_the_sign_in_too(behind: SiteBehindNginx) -> None:
    answer = httpx.get(f"{behind.url}/uploads/?q=" + 6000 * "x")
    assert answer.status_code == 302, "the address is repeated in the answer's headers"


def test_the_request_id_is_one_in_nginx_and_site(behind: SiteBehindNginx) -> None:
    given = "0123456789abcdef0123456789abcdef"
    with httpx.Client(base_url=behind.url) as client:
        response = client.get("/about/", headers={"X-Request-ID": given})
        assert response.headers["X-Request-ID"] == given
        forged = client.get("/about/", headers={"X-Request-ID": "forged"})
        assert re.fullmatch("[0-9a-f]{32}", forged.headers["X-Request-ID"])


def test_plain_http_leads_to_https(behind: SiteBehindNginx) -> None:
    response = httpx.get(f"http://localhost:{behind.http_port}/about/")
    assert response.status_code == 308
    assert response.headers["Location"] == "https://localhost/about/"


def test_another_host_gets_no_answer(behind: SiteBehindNginx) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{behind.url}/", headers={"Host": "evil.example"})


def test_static_files_come_from_nginx_for_good(behind: SiteBehindNginx) -> None:
    page = httpx.get(f"{behind.url}/about/").text
    (style,) = re.findall(r'href="(/static/css/site\.[^"]+)"', page)
    response = httpx.get(behind.url + style)
    assert response.status_code == 200
    assert response.headers["Server"] == "nginx"
    assert response.headers["Content-Type"] == "text/css"
    assert response.headers["Content-Encoding"] == "gzip"
    assert "immutable" in response.headers["Cache-Control"]
    plain = httpx.get(f"{behind.url}/static/css/site.css")
    assert plain.status_code == 200
    assert "immutable" not in plain.headers["Cache-Control"]
    for outside in ("/static/../db.sqlite3", "/static/%2e%2e/db.sqlite3", "/static../db.sqlite3"):
        assert httpx.get(behind.url + outside).status_code in {400, 404}


def test_a_photo_is_sent_by_nginx_to_its_owner_alone(
    behind: SiteBehindNginx, person: Person
) -> None:
    upload = person.upload(face_jpeg()).json()
    person.wait_until_finished()
    stranger = behind.sign_up("stranger@example.org")
    stored = sorted((behind.data_dir / "media").rglob("*.jpg"))
    assert len(stored) == 2
    assert all(file.stat().st_mode & 0o777 == 0o640 for file in stored)
    contents = {file.read_bytes() for file in stored}
    for kind in ("image", "thumbnail"):
        path = f"/uploads/{upload['id']}/{kind}/"
        seen = person.get(path)
        assert seen.status_code == 200
        assert seen.content in contents
        assert seen.headers["Content-Type"] == "image/jpeg"
        assert seen.headers["Cache-Control"] == "private, no-store"
        assert seen.headers["X-Content-Type-Options"] == "nosniff"
        assert "X-Accel-Redirect" not in seen.headers
        assert stranger.get(path).status_code == 404
        assert httpx.get(behind.url + path).status_code == 302
        # The view itself hands out the name alone.
        direct = httpx.get(
            f"http://127.0.0.1:{behind.port}{path}",
            headers={
                "Cookie": person.session,
                "X-Forwarded-Proto": "https",
                "Host": behind.outside.partition("//")[2],
            },
        )
        assert direct.headers["X-Accel-Redirect"].startswith("/protected/photos/")
        assert direct.content == b""
    for file in stored:
        name = file.relative_to(behind.data_dir / "media")
        for visitor in (person, stranger):
            assert visitor.get(f"/protected/{name}").status_code == 404
            assert visitor.get(f"/protected/../media/{name}").status_code == 404
    person.delete_for_good(upload["id"])
    assert person.get(path).status_code == 404


async def test_the_live_socket_works(behind: SiteBehindNginx, person: Person) -> None:
    cookie = person.session
    async with PageClient(behind.url, cookie) as live:
        message = await live.label(face_jpeg())
    assert [face["label"] for face in message["faces"]] == ["happy"]


async def test_a_program_opens_it_with_a_token_alone(behind: SiteBehindNginx) -> None:
    program = behind.sign_up("program@example.org").accept_camera()
    for scope, code in (("live", None), ("write", 4405)):
        async with LiveClient(behind.url, program.make_token(scope)) as live:
            if code is None:
                message = await live.label(face_jpeg())
                assert [face["label"] for face in message["faces"]] == ["happy"]
            else:
                assert await close_code(live) == code
    # Nobody's token is in what nginx or the site writes down.
    logs = [behind.data_dir / "error.log", *behind.data_dir.glob("*.log")]
    assert not any("visage_" in log.read_text() for log in logs)


async def test_a_socket_from_another_origin_is_refused(
    behind: SiteBehindNginx, person: Person
) -> None:
    from websockets.exceptions import InvalidStatus

    cookie = person.session
    with pytest.raises(InvalidStatus):
        async with PageClient(behind.url, cookie, origin="https://evil.example"):
            pass


@pytest.mark.parametrize("path", ["/api/v1/uploads/", "/uploads/new/"])
@pytest.mark.parametrize("with_length", [True, False])
def test_a_body_over_the_limit_is_refused(
    path: str, with_length: bool, behind: SiteBehindNginx, person: Person
) -> None:
    size = (BODY_MEGABYTES + 1) * 1024 * 1024
    pieces = (b"x" * 65536 for _ in range(size // 65536))
    n_before = len(requests_seen(behind, "web")) + len(requests_seen(behind, "web-2"))
    response = person.post(path, content=b"x" * size if with_length else pieces)
    assert response.status_code == 413
    if path.startswith("/api/"):
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["code"] == "too_large"
    n_after = len(requests_seen(behind, "web")) + len(requests_seen(behind, "web-2"))
    assert n_after == n_before, "the web process was bothered with it"


def tls_connection(site: SiteBehindNginx, source: str) -> ssl.SSLSocket:
    """To nginx, from an address of this machine of one's own: limits count by address."""
    port = urlsplit(site.url).port
    plain = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0))
    context = ssl.create_default_context(cafile=site.data_dir / "certificate.pem")
    return context.wrap_socket(plain, server_hostname="localhost")


def head(path: str, length: int, person: Person | None = None) -> bytes:
    cookie = f"Cookie: {person.session}\r\n" if person else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: {length}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("path", "signed_in", "status"),
    [
        ("/", True, 413),
        ("/accounts/login/", False, 413),
        ("/api/v1/webhooks/", True, 413),
        ("/api/v1/uploads/", False, 401),
        ("/uploads/new/", False, 303),
    ],
)
def test_two_megabytes_are_taken_from_who_uploads_alone(
    path: str, signed_in: bool, status: int, behind: SiteBehindNginx, person: Person
) -> None:
    """Refused by the head, which is all that was sent."""
    with tls_connection(behind, "127.0.0.1") as connection:
        connection.sendall(head(path, 2_000_000, person if signed_in else None))
        answer = connection.recv(4000).decode()
    assert int(answer.split()[1]) == status
    if path.startswith("/api/"):
        assert "application/problem+json" in answer
    assert not list((behind.data_dir / "body").rglob("*")), "nginx keeps no body"


def test_a_dripping_body_ends_behind_nginx(behind: SiteBehindNginx, person: Person) -> None:
    with tls_connection(behind, "127.0.0.1") as connection:
        connection.sendall(head("/api/v1/uploads/", 2_000_000, person))
        connection.settimeout(0.5)
        began = time.monotonic()
        answer = b""
        while not answer and time.monotonic() - began < 60:
            with suppress(TimeoutError):
                connection.sendall(b"x")
                answer = connection.recv(4000)
    assert answer.startswith(b"HTTP/1.1 408")


def test_one_address_has_so_many_uploads_at_a_time(behind: SiteBehindNginx, person: Person) -> None:
    with ExitStack() as open_ones:
        connections = []
        for _ in range(34):
            connection = open_ones.enter_context(tls_connection(behind, "127.0.0.2"))
            connection.sendall(head("/api/v1/uploads/", 50_000, person))
            connections.append(connection)
        statuses = []
        for connection in reversed(connections):
            connection.settimeout(1 if len(statuses) < 2 else 0.01)
            with suppress(TimeoutError):
                answer = connection.recv(4000).decode()
                statuses.append(int(answer.split()[1]))
                assert "Retry-After: 5" in answer
                assert '"code":"throttled"' in answer
            if len(statuses) == 2:
                break
        assert statuses == [429, 429]


def test_one_address_has_so_many_forms_and_requests_at_a_time(behind: SiteBehindNginx) -> None:
    host = f"Host: {urlsplit(behind.url).netloc}\r\n".encode()
    form = b"POST /accounts/login/ HTTP/1.1\r\n" + host + b"Content-Length: 0\r\n\r\n"
    page = b"GET /no-such-page/ HTTP/1.1\r\n" + host + b"\r\n"
    with tls_connection(behind, "127.0.0.3") as connection:
        statuses = [status_of_next(connection, form) for _ in range(75)]
        assert statuses.count(429) >= 5
        assert set(statuses) == {403, 429}
        # The other address is not concerned.
        with tls_connection(behind, "127.0.0.4") as other:
            assert status_of_next(other, form) == 403
        assert status_of_next(connection, page) == 404
    configuration = (behind.data_dir / "visage.conf").read_text()
    for location in re.findall(r"location [^@{]+\{[^{}]+proxy_pass[^{}]+\}", configuration):
        assert "zone=visage_requests" in location or "/ws/" in location


def status_of_next(connection: ssl.SSLSocket, request: bytes) -> int:
    """Send a request, read its whole answer, and return the status."""
    connection.sendall(request)
    answer = http.client.HTTPResponse(connection, method=request.split()[0].decode())
    answer.begin()
    answer.read()
    return answer.status


def test_limits_count_the_visitors_address_and_not_a_claimed_one(
    behind: SiteBehindNginx,
) -> None:
    """30 sign-ins a minute from one address, each with another name."""
    behind.kill("web-2")  # nginx goes on with the other one.
    behind.kill("worker")

    def sign_in(number: int) -> bool:
        visitor = Person(behind.url)
        visitor.http.headers["X-Forwarded-For"] = f"192.0.2.{number}, 198.51.100.{number}"
        form = {"login": f"nobody-{number}@example.org", "password": "wrong"}
        return visitor.post("/accounts/login/", data=form).status_code == 429

    with ThreadPoolExecutor(4) as threads:
        refused = list(threads.map(sign_in, range(40)))
    assert 4 <= sum(refused) <= 10


def test_a_failed_request_keeps_nobody_from_the_process(behind: SiteBehindNginx) -> None:
    """nginx by itself would ask neither process for ten seconds."""
    behind.kill("web")
    behind.kill("web-2")
    with httpx.Client(base_url=behind.url) as client:
        assert client.get("/about/").status_code == 502
        assert client.get("/take-part/made-up/").status_code == 502
        came_from = {"Referer": f"{behind.url}/studies/join/made-up/"}
        assert client.get("/service-worker.js", headers=came_from).status_code == 502
        for log in ("access.log", "error.log"):
            assert "made-up" not in (behind.data_dir / log).read_text(), log

        class Back(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                pass

        def listening() -> http.server.ThreadingHTTPServer | None:
            try:
                return http.server.ThreadingHTTPServer(("127.0.0.1", behind.port), Back)
            except OSError:
                return None  # A thread of the killed process still has the port.

        with wait_until(listening, timeout=20) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            assert [client.get("/about/").status_code for _ in range(5)] == [204] * 5
            server.shutdown()
