"""Which server addresses may be used at all: https, or plain http to this very machine.

One rule for both ends: an office must not sign an address that its laptops then refuse.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from sync.errors import AddressUnsafe

__all__ = ["Address", "read_address"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server's address that was checked. ``base`` ends with a slash."""

    base: str
    host: str
    is_plain: bool
    """Plain http to this machine: no TLS, no proxy."""


def read_address(url: str) -> Address:
    """Check a programme's address; ``AddressUnsafe`` names what is wrong with it."""
    if not url.isascii() or any(character <= " " for character in url):
        raise AddressUnsafe("characters that no address has")
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressUnsafe("not an address") from error
    is_plain = parts.scheme == "http"
    if not host or parts.scheme not in {"http", "https"}:
        raise AddressUnsafe("not an address")
    if is_plain and not _is_loopback(host):
        raise AddressUnsafe("plain http to another machine")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise AddressUnsafe("more than host and path")
    base = url if url.endswith("/") else f"{url}/"
    return Address(base=base, host=host, is_plain=is_plain)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
