"""Whether there is a way out of this laptop, and whether it is still the same: asked for free.

No packet leaves for it. A UDP socket that is *connected* only asks the machine's own routing
table which of its addresses it would use; where Linux shows that table, its routes count too, so
that another access point with the same address is noticed.
"""

from __future__ import annotations

import hashlib
import ipaddress
import socket
from pathlib import Path
from typing import Final

__all__ = ["road_to"]

_ANYWHERE: Final = ("192.0.2.1", "2001:db8::1")
"""Addresses for documentation (RFC 5737, RFC 3849): nobody has them, the default route leads on."""
_PORT: Final = 443
_ROUTES: Final = Path("/proc/net/route")
_ROUTES_BYTES_MAX: Final = 64 * 1024
_MEANING: Final = (0, 1, 2, 7)
"""Interface, destination, gateway, mask; the other columns count packets and change by use."""


def road_to(host: str, *, routes: Path = _ROUTES) -> str:
    """Name the way to a host; empty when there is none, another text when it has changed.

    A name is not looked up, for that would send a packet: its road is the default route.
    """
    ends = (host,) if _is_number(host) else _ANYWHERE
    own = [address for end in ends if (address := _own_address(end))]
    if not own:
        return ""
    return "|".join([*own, _routes_digest(routes)])


def _own_address(end: str) -> str:
    family = socket.AF_INET6 if ":" in end else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((end, _PORT))
            return str(probe.getsockname()[0])
    except OSError:
        return ""  # no route there: that is the answer


def _routes_digest(routes: Path) -> str:
    try:
        with routes.open("rb") as file:
            lines = file.read(_ROUTES_BYTES_MAX).decode("ascii", "replace").splitlines()[1:]
    except OSError:
        return ""  # not Linux
    columns = (line.split() for line in lines)
    told = sorted(
        " ".join(row[place] for place in _MEANING) for row in columns if len(row) > max(_MEANING)
    )
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
