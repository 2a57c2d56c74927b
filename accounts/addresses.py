"""Where a request comes from and where a mail goes, for limits."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress

from allauth.account.adapter import get_adapter
from django.http import HttpRequest
from django.utils.encoding import punycode

#: Bits of an IPv6 address that tell one customer from another: each has the rest to choose from.
IPV6_BITS = 64


def network_of(request: HttpRequest) -> str:
    """The visitor's network address, of IPv6 the network of one customer."""
    return network(get_adapter(request).get_client_ip(request))


def network(text: str) -> str:
    """A network address as limits count it; whatever is none stays as it is."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, IPV6_BITS), strict=False))
    return str(address)


def mailbox(email: str) -> str:
    """The mailbox of an e-mail address as limits count it, however it is spelled.

    Most providers deliver ``name+anything@`` to ``name@``, some ignore dots: whoever may have an
    address written to twenty times a day could fill its mailbox under a thousand names.
    """
    local, _, domain = email.strip().lower().rpartition("@")
    name = re.sub(r'[".\\]', "", local).partition("+")[0] or local
    with suppress(UnicodeError):
        domain = punycode(domain)  # What a mail is sent to.
    return f"{name}@{domain}"
