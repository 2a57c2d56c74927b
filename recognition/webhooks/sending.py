"""Send one signed message to an address that somebody typed in.

The address is untrusted: it may name this machine, its network or a cloud's metadata service, or
a name that does so the next time it is looked up. So the name is resolved once, every address it
stands for is checked, and the connection is made to a checked address and no other. Redirects
are not followed, for they would go round the check.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import socket
import time
from concurrent.futures import Future
from dataclasses import dataclass
from threading import BoundedSemaphore, Thread
from typing import Any

import httpx
from django.conf import settings
from django.utils.translation import gettext as _

from recognition.refusals import Refusal

#: Seconds for the connection, and for each piece of the answer.
TIMEOUT = 5.0
#: Seconds for the look-up of a name, and how many may go on at a time in one process.
LOOK_UP_SECONDS = 4.0
_looking_up = BoundedSemaphore(32)
#: Seconds for everything after the look-up.
TOTAL_TIMEOUT = 10.0
#: Of those that a name stands for.
MAXIMUM_ADDRESSES = 2
#: Bytes of the answer's body that are read; nobody looks at them.
MAXIMUM_ANSWER_BYTES = 16 * 1024

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: What `is_global` of some Python versions takes for the internet: NAT64 and addresses of one's own
#: network (RFC 8215, 3879), segment routing (RFC 9602), documentation (RFC 9637), protocols'.
_LOCAL = tuple(
    map(
        ipaddress.ip_network,
        ("64:ff9b:1::/48", "fec0::/10", "5f00::/16", "3fff::/20", "192.0.0.0/24"),
    )
)
#: An IPv4 address in the last 32 bits: "compatible" ones, those that stateless translators take
#: (RFC 2765), and interfaces of ISATAP (RFC 5214).
_COMPATIBLE, _TRANSLATED = map(ipaddress.ip_network, ("::/96", "::ffff:0:0:0/96"))
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


class AddressRefused(Refusal):
    """The address may not be sent to; `code` tells why."""

    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """An address that was checked.

    Attributes:
        url: as its owner gave it.
        addresses: what its name stands for; all of them may be connected to.
    """

    url: httpx.URL
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt went.

    Attributes:
        status_code: of the answer; None where there was none.
        error: why it failed, a sentence for the owner; empty where it arrived.
    """

    status_code: int | None
    error: str

    @property
    def arrived(self) -> bool:
        return not self.error


def check_address(url: str) -> Target:
    """Look an address up and refuse what must not be sent to.

    Raises:
        AddressRefused: with a code of ``invalid_address``, ``https_required``,
            ``address_not_found`` or ``private_address``.
    """
    try:
        parsed = httpx.URL(url)
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
        if not 0 < port < 65536:
            raise ValueError(port)
        host = parsed.host  # Read here, for it is decoded only now.
    except (httpx.InvalidURL, ValueError):
        raise AddressRefused("invalid_address", _("This isn’t a URL.")) from None
    if parsed.scheme not in {"http", "https"} or not host or parsed.userinfo:
        raise AddressRefused(
            "invalid_address", _("Use a URL such as https://example.org/hook, without a password.")
        )
    if parsed.scheme != "https" and not settings.WEBHOOK_ALLOW_PRIVATE:
        raise AddressRefused("https_required", _("The URL must start with https://."))
    try:
        found = _look_up(parsed.raw_host.decode("ascii").strip("[]"), port)
    except (OSError, UnicodeError, TimeoutError):
        raise AddressRefused("address_not_found", _("This host name can’t be resolved.")) from None
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses:
        raise AddressRefused("address_not_found", _("This host name can’t be resolved."))
    if not settings.WEBHOOK_ALLOW_PRIVATE and not all(map(is_public, addresses)):
        raise AddressRefused(
            "private_address",
            _("This is a private address. Use a public one (the operator can allow private ones)."),
        )
    return Target(parsed, addresses)


def _look_up(host: str, port: int) -> list[Any]:
    """What a name stands for, within :data:`LOOK_UP_SECONDS`.

    Whoever owns a name decides how long its servers take to answer, and the system's own patience
    is half a minute. So a thread asks that nobody waits for in the end; there are only so many.

    Raises:
        TimeoutError: there was no answer in time, or no thread left.
        OSError, UnicodeError: there is no such name.
    """
    places = _looking_up
    if not places.acquire(timeout=LOOK_UP_SECONDS):
        raise TimeoutError
    answer: Future[list[Any]] = Future()

    def ask() -> None:
        try:
            answer.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except BaseException as error:
            answer.set_exception(error)
        finally:
            places.release()

    # Not of a pool, which would have the process wait for it at its end.
    Thread(target=ask, name="look-up", daemon=True).start()
    return answer.result(LOOK_UP_SECONDS)


def is_public(text: str) -> bool:
    """Whether an IP address can only be a machine on the internet.

    IPv6 forms that carry an IPv4 address are judged by that one, too: the machine's own
    network may translate them.
    """
    try:
        address: IPAddress = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(
        one.is_global and not one.is_multicast and not any(one in network for network in _LOCAL)
        for one in _with_embedded(address)
    )


def _with_embedded(address: IPAddress) -> list[IPAddress]:
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    found: list[IPAddress] = [address]
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found.extend(address.teredo)
    interface = int(address) >> 32 & 0xFFFFFFFF
    ends_with_it = any(address in network for network in (_NAT64, _COMPATIBLE, _TRANSLATED))
    if ends_with_it or interface in _ISATAP:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of ``X-Visage-Signature`` for a body sent at a time (seconds since 1970)."""
    message = str(timestamp).encode() + b"." + body
    digest = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def send(url: str, secret: str, body: bytes, headers: dict[str, str]) -> Outcome:
    """POST a JSON body, signed; never raises."""
    if not secret:
        # An empty key would let anybody sign.
        return Outcome(None, _("The secret cannot be read any more. Add the webhook anew."))
    try:
        target = check_address(url)
    except AddressRefused as error:
        return Outcome(None, str(error))
    headers = {
        **headers,
        "Content-Type": "application/json",
        "User-Agent": "Visage-Webhook/1",
        "X-Visage-Signature": signature(secret, int(time.time()), body),
        "Host": target.url.netloc.decode("ascii"),
    }
    try:
        return asyncio.run(_send(target, body, headers))
    except TimeoutError:
        return Outcome(None, _("The request timed out."))


async def _send(target: Target, body: bytes, headers: dict[str, str]) -> Outcome:
    """Try the checked addresses; the deadline also ends an answer that comes in drops."""
    # Without `trust_env=False` a proxy of the environment would look the name up once more.
    client = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False)
    outcome = Outcome(None, _("Couldn’t connect."))
    async with asyncio.timeout(TOTAL_TIMEOUT), client:
        for address in target.addresses[:MAXIMUM_ADDRESSES]:
            try:
                status = await _post(client, target.url, address, body, headers)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                outcome = Outcome(None, _connection_error(error))
            except httpx.TimeoutException:
                return Outcome(None, _("The request timed out."))
            except httpx.HTTPError:
                return Outcome(None, _("The connection was interrupted."))
            else:
                arrived = 200 <= status < 300
                return Outcome(
                    status,
                    "" if arrived else _("The response was %(status)d.") % {"status": status},
                )
    return outcome


async def _post(
    client: httpx.AsyncClient, url: httpx.URL, address: str, body: bytes, headers: dict[str, str]
) -> int:
    """Send to one IP address, in the name of the host that it was found for.

    Returns:
        The response status. Of its body only a little is read, and nothing is kept.
    """
    async with client.stream(
        "POST",
        url.copy_with(host=address, fragment=None),
        content=body,
        headers=headers,
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    ) as response:
        n_read = 0
        async for piece in response.aiter_raw():
            n_read += len(piece)
            if n_read > MAXIMUM_ANSWER_BYTES:
                break
        return response.status_code


def _connection_error(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return _("The request timed out.")
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return _("The server’s certificate isn’t valid.")
    return _("Couldn’t connect.")
