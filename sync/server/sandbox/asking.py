"""A request as a route of the practice ABDM sees it, and what every request must bring."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sync.server.sandbox.journal import Call
from sync.server.sandbox.replies import coded, fields
from sync.server.sandbox.sessions import Credentials, Sessions

__all__ = ["Asked", "Heads", "keys_of", "list_of"]

_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_SKEW_SECONDS_MAX: Final = 300
_IDS_MAX: Final = 500_000


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Asked:
    """One request, read whole. ``headers`` have lower-case names with dashes."""

    route: str
    headers: Mapping[str, str]
    body: bytes
    call: Call

    def head(self, name: str) -> str:
        """Give a header, ``""`` without it. NHA writes some with ``_`` and some with ``-``."""
        return self.headers.get(name.lower().replace("_", "-"), "")

    def json(self) -> dict[str, Any]:
        """Give the body as an object, or refuse."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise fields(body="Invalid request body")
        return value


@dataclass(slots=True, kw_only=True)
class Heads:
    """What stands above every request: who calls, which request, when."""

    sessions: Sessions
    credentials: Credentials
    clock: Callable[[], float]
    _ids: dict[str, None] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def check(self, asked: Asked, *, is_gateway: bool, needs_session: bool = True) -> None:
        """Refuse a request whose heads are not as NHA prescribes.

        ``is_gateway``: the routes of the gateway, which want to be told the consent manager.
        """
        if needs_session:
            self.sessions.check(asked.head("Authorization"))
        cm_id = asked.head("X-CM-ID")
        if cm_id != self.credentials.cm_id and (is_gateway or cm_id):
            raise fields(xCmId="Invalid X-CM-ID")
        self._check_time(asked.head("TIMESTAMP"), is_gateway=is_gateway)
        self._check_id(asked.head("REQUEST-ID"))

    def _check_time(self, text: str, *, is_gateway: bool) -> None:
        when = None
        if _TIMESTAMP.fullmatch(text):
            try:
                when = datetime.fromisoformat(text).astimezone(UTC).timestamp()
            except ValueError:
                when = None
        if when is None or abs(when - self.clock()) > _SKEW_SECONDS_MAX:
            raise bad_time(is_gateway=is_gateway)

    def _check_id(self, text: str) -> None:
        try:
            given = str(uuid.UUID(text))
        except ValueError:
            given = ""
        with self._lock:
            if not given or given != text.lower() or given in self._ids:
                raise fields(requestId="Invalid Request Id")
            self._ids[given] = None
            if len(self._ids) > _IDS_MAX:
                del self._ids[next(iter(self._ids))]


def bad_time(*, is_gateway: bool) -> Exception:
    """Refuse a request's time, as the gateway or as M1 does."""
    return coded(400, "ABDM-2402" if is_gateway else "ABDM-1016", "Invalid Timestamp")


def keys_of(value: object, *, required: set[str], optional: set[str], name: str) -> dict[str, Any]:
    """Give an object that has all keys it must have and no other, or refuse it by ``name``."""
    if not isinstance(value, dict) or not required <= set(value) <= required | optional:
        raise fields(**{name: f"Invalid {name}"})
    return value


def list_of(value: object, *, wanted: list[str], name: str) -> None:
    """Refuse a list that does not say exactly what it must."""
    if value != wanted:
        raise fields(**{name: f"Invalid {name}"})
