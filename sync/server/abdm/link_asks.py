"""What each request of M2 was about, and what was said to it: by its answer, or by a callback."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from sync.server.abdm.calls import Effect, EndKind, Refusal, Step
from sync.server.abdm.link_plan import Past
from sync.server.abdm.refusals import callback_refusal, judge
from sync.server.store.tables import abdm_exchanges, link_asks

__all__ = [
    "DUPLICATE",
    "TOKEN_UNFIT",
    "Ask",
    "find_ask",
    "first_refusal",
    "keep_ask",
    "past_of",
    "rest",
    "was_renewed",
]

DUPLICATE: Final = "link:duplicate"
"""Our code for ABDM-1090 and ABDM-1092: asked before, and what was said then counts."""
TOKEN_UNFIT: Final = "link:token"  # noqa: S105 - a code, no secret
"""Our code for a link token that does not fit, or not any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request of M2; ``links`` are the ids of those that it was about or that wait for it."""

    enrollment: str
    request_id: str
    step: Step
    hip: str
    links: tuple[str, ...]


def keep_ask(
    connection: Connection,
    enrollment: str,
    request_id: str,
    *,
    hip: str,
    links: Sequence[str],
    rests_until: int,
) -> None:
    """Write down what a request is about, in the transaction that writes down the request."""
    connection.execute(
        insert(link_asks).values(
            enrollment=enrollment,
            request_id=request_id,
            hip=hip,
            links=json.dumps(list(links)),
            rests_until=rests_until,
        )
    )


def find_ask(connection: Connection, request_id: str) -> Ask | None:
    """Give the request of that id."""
    row = connection.execute(_asks().where(link_asks.c.request_id == request_id)).one_or_none()
    return None if row is None else _ask(row)


def rest(connection: Connection, ask: Ask, until: int) -> None:
    """Write down until when nothing of the kind is to be asked, in ms."""
    mine = (link_asks.c.enrollment == ask.enrollment, link_asks.c.request_id == ask.request_id)
    connection.execute(update(link_asks).where(*mine).values(rests_until=until))


def past_of(connection: Connection, enrollment: str) -> list[Past]:
    """Give what was asked for a person, as :mod:`sync.server.abdm.link_plan` wants it."""
    return [_past(row) for row in _of(connection, enrollment)]


def first_refusal(connection: Connection, ask: Ask) -> Refusal | None:
    """Give what was said first against what this repeats; ``None`` if that may still be answered,
    or was refused for a reason that passes.
    """
    for row in _of(connection, ask.enrollment):
        if not _is_like(row, ask) or row.ending == EndKind.UNSENT.value:
            continue
        refusal = _refusal_of(row)
        if refusal is None:
            return None
        if refusal.reason != DUPLICATE:
            passes = refusal.effect in {Effect.WAIT, Effect.RENEW, Effect.DONE, Effect.STOP}
            return None if passes else refusal
    return None


def was_renewed(connection: Connection, ask: Ask) -> bool:
    """Whether a request for some of the same links was told before that its token does not fit."""
    said = [_refusal_of(row) for row in _of(connection, ask.enrollment) if _is_like(row, ask)]
    return any(each is not None and each.reason == TOKEN_UNFIT for each in said)


def _of(connection: Connection, enrollment: str) -> Iterator[Row[Any]]:
    """Give a person's requests, the newest first."""
    query = _asks().where(link_asks.c.enrollment == enrollment)
    yield from connection.execute(query.order_by(abdm_exchanges.c.number.desc())).all()


def _is_like(row: Row[Any], ask: Ask) -> bool:
    """Whether a request is another one of the same kind, facility and links."""
    return (
        row.request_id != ask.request_id
        and row.step == ask.step.value
        and row.hip == ask.hip
        and bool(set(ask.links).intersection(json.loads(row.links)))
    )


def _past(row: Row[Any]) -> Past:
    refusal = _refusal_of(row)
    links = frozenset(json.loads(row.links))
    is_done = refusal is not None and refusal.effect is Effect.DONE
    return Past(
        step=Step(row.step),
        hip=row.hip,
        links=links,
        rests_until=row.rests_until,
        is_split=is_done and len(links) > 1,
        is_silent=row.called_back_at is None
        and row.ending in {None, EndKind.DONE.value, EndKind.UNKNOWN.value},
    )


def _refusal_of(row: Row[Any]) -> Refusal | None:
    """Give what was said against a request; ``None`` for one that was taken or not answered."""
    if row.called_back_at is not None:
        error = json.loads(row.callback).get("error") if row.callback_code else None
        return None if error is None else callback_refusal(error)
    if row.ending != EndKind.REFUSED.value:
        return None
    return judge(row.status or 0, row.response.encode(), {}, module="M2").refusal


def _asks() -> Any:
    joined = (abdm_exchanges.c.enrollment == link_asks.c.enrollment) & (
        abdm_exchanges.c.request_id == link_asks.c.request_id
    )
    columns = (
        abdm_exchanges.c.step,
        abdm_exchanges.c.ending,
        abdm_exchanges.c.status,
        abdm_exchanges.c.response,
        abdm_exchanges.c.called_back_at,
        abdm_exchanges.c.callback,
        abdm_exchanges.c.callback_code,
    )
    return select(link_asks, *columns).join(abdm_exchanges, joined)


def _ask(row: Row[Any]) -> Ask:
    return Ask(
        enrollment=row.enrollment,
        request_id=row.request_id,
        step=Step(row.step),
        hip=row.hip,
        links=tuple(json.loads(row.links)),
    )
