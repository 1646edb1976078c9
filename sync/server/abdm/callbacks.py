"""What ABDM says to the callback address about record linking: taken once, whole, and written down.

A callback only names the request that it answers. One that names none of ours changes nothing, and
neither does one that comes again (ABDM repeats them).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync.sealing import SealKey
from sync.server.abdm.calls import Refusal, Step
from sync.server.abdm.exchanges import find_exchange, note_callback
from sync.server.abdm.jobs import JobKind, wake
from sync.server.abdm.link_asks import find_ask
from sync.server.abdm.link_outcomes import note_linked, note_refused
from sync.server.abdm.link_tokens import TOKEN_CHARACTERS_MAX, keep_token
from sync.server.abdm.outcomes import lock_person
from sync.server.abdm.redaction import redacted
from sync.server.abdm.refusals import callback_refusal
from sync.server.store import Store
from sync.server.store.tables import enrollment_versions

__all__ = ["Callback", "CallbackUnreadable", "Taking", "read_callback", "take_callback"]

_REQUEST_ID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]+")
_WITHDRAWN: Final = "WITHDRAWN"


class CallbackUnreadable(Exception):
    """A body that is no answer of ABDM's."""


class Taking(StrEnum):
    """What became of a callback."""

    TAKEN = "taken"
    REPEATED = "repeated"
    """It came before; nothing changes."""
    UNKNOWN = "unknown"
    """It answers no request of ours."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Callback:
    """An answer that came: a link token, a refusal, or neither, which is a link that was made."""

    step: Step
    request_id: str
    token: str | None
    refusal: Refusal | None
    body: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Callback({self.step.value}, {self.request_id}, <withheld>)"


def read_callback(step: Step, data: bytes) -> Callback:
    """Read a body, leniently: ``CallbackUnreadable`` only without what it cannot do without.

    No ``error`` means that it was done; the text of ``status`` is prose (observed, 2026-09-16).
    """
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CallbackUnreadable("json") from error
    if not isinstance(body, dict):
        raise CallbackUnreadable("json")
    answered = body.get("response") or body.get("resp")
    request_id = answered.get("requestId") if isinstance(answered, dict) else None
    if not isinstance(request_id, str) or _REQUEST_ID.fullmatch(request_id) is None:
        raise CallbackUnreadable("request-id")
    said = body.get("error")
    refusal = callback_refusal(said) if said else None
    token = body.get("linkToken") if step is Step.LINK_TOKEN and refusal is None else None
    if step is Step.LINK_TOKEN and refusal is None:
        is_token = isinstance(token, str) and len(token) <= TOKEN_CHARACTERS_MAX
        if not is_token or _TOKEN.fullmatch(str(token)) is None:
            raise CallbackUnreadable("token")
    return Callback(
        step=step, request_id=request_id.lower(), token=token, refusal=refusal, body=body
    )


def take_callback(store: Store, vault: SealKey, callback: Callback, *, now: int) -> Taking:
    """Write a callback down with everything that follows from it, in one transaction. ``now``: ms.

    The token is sealed to the vault here: what is stored cannot be read by whoever stored it.
    """
    with store.write() as connection:
        exchange = find_exchange(connection, callback.request_id)
        if exchange is None or exchange.step != callback.step.value:
            return Taking.UNKNOWN
        person = lock_person(connection, exchange.enrollment)
        hidden = _values_of(connection, person)
        is_new = note_callback(
            connection,
            callback.request_id,
            redacted(dict(callback.body), hidden=hidden),
            code=callback.refusal.code if callback.refusal else "",
            now=now,
        )
        if not is_new:
            return Taking.REPEATED
        _apply(connection, vault, callback, is_withdrawn=person.state == _WITHDRAWN, now=now)
        wake(connection, exchange.enrollment, JobKind.LINK, now=now)
        return Taking.TAKEN


def _apply(
    connection: Connection, vault: SealKey, callback: Callback, *, is_withdrawn: bool, now: int
) -> None:
    ask = find_ask(connection, callback.request_id)
    if ask is None:
        return  # a request from before a restore; that it was answered is written down
    if callback.refusal is not None:
        note_refused(connection, ask, callback.refusal, now=now)
    elif callback.token is None:
        note_linked(connection, ask, now=now)
    elif not is_withdrawn:
        keep_token(connection, vault, ask.enrollment, ask.hip, callback.token, now=now)


def _values_of(connection: Connection, person: Row[Any]) -> Iterable[str]:
    """Give the values of a person that ABDM's words may repeat."""
    query = select(enrollment_versions.c.body).where(
        enrollment_versions.c.enrollment == person.enrollment,
        enrollment_versions.c.version == person.version,
    )
    body = json.loads(connection.execute(query).scalar_one())
    names = [str(body.get(key) or "") for key in ("name", "name_native")]
    parts = [part for name in names for part in name.split()]
    held = (body.get("mobile"), person.abha_address, person.abha_number)
    return (*names, *parts, *(str(value) for value in held if value))
