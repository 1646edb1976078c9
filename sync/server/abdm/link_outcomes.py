"""What an answer of ABDM means for a person's record links, and who is told.

One door for both roads: an answer to the request itself, and one that comes to the callback
address. All in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, select, tuple_, update

from sync.protocol import DeviceState, FeedKind
from sync.server import feed
from sync.server.abdm.calls import Effect, Refusal, Step
from sync.server.abdm.link_asks import (
    DUPLICATE,
    TOKEN_UNFIT,
    Ask,
    first_refusal,
    rest,
    was_renewed,
)
from sync.server.abdm.link_plan import PATIENCE_SECONDS
from sync.server.abdm.link_tokens import drop_token
from sync.server.abdm.outcomes import announce
from sync.server.store.tables import devices, links
from sync.server.versions import is_known_to

__all__ = ["note_linked", "note_refused", "send_back"]

_ACCEPTED: Final = "ACCEPTED"
_LINKED: Final = "LINKED"
_RETURNED: Final = "RETURNED"
_SHADOWED: Final = "SHADOWED"
_WAIT_SECONDS: Final = 60
_CODE_MAX: Final = 60


def note_linked(connection: Connection, ask: Ask, *, now: int) -> None:
    """Mark the links of a request as made, and tell; what was removed meanwhile stays removed."""
    made = _change(connection, ask, (_ACCEPTED, _RETURNED), state=_LINKED, linked_at=now)
    for link in made:
        announce(connection, ask.enrollment, FeedKind.LINK_LINKED, {}, now=now, record=link.link)
        for each in [*_own(connection, link), *_twins(connection, link)]:
            feed.append(
                connection,
                each.device,
                FeedKind.LINK_LINKED,
                {},
                at=now // 1000,
                record=each.link,
            )


def note_refused(connection: Connection, ask: Ask, refusal: Refusal, *, now: int) -> Effect:
    """Do what a refusal asks for, and give what it came to.

    ``WAIT`` and ``STOP`` tell no laptop. A token that does not fit is renewed once, then somebody
    must look. To a duplicate, what was said first applies.
    """
    if refusal.reason == DUPLICATE:
        first = first_refusal(connection, ask)
        if first is None:
            rest(connection, ask, now + PATIENCE_SECONDS * 1000)
            return Effect.WAIT
        refusal = first
    effect = _effect(connection, ask, refusal)
    match effect:
        case Effect.DONE if len(ask.links) == 1:
            note_linked(connection, ask, now=now)
        case Effect.DONE:
            # One of several is linked already, nobody says which: each is asked for alone.
            rest(connection, ask, now)
        case Effect.RENEW:
            drop_token(connection, ask.enrollment, ask.hip)
            rest(connection, ask, now)
        case Effect.WAIT | Effect.STOP:
            wait = max(refusal.wait_seconds or 0, _WAIT_SECONDS)
            if ask.step is Step.LINK_TOKEN:
                # It is remembered: asked again too soon, it would only be called a duplicate.
                wait = max(wait, PATIENCE_SECONDS)
            rest(connection, ask, now + wait * 1000)
        case _:
            send_back(connection, ask, refusal, now=now)
    return effect


def send_back(connection: Connection, ask: Ask, refusal: Refusal, *, now: int) -> None:
    """Send the links back to the operator, with the reason and the field, if it is known."""
    body = {"code": refusal.reason[:_CODE_MAX], "pointer": refusal.pointer}
    for link in _change(connection, ask, (_ACCEPTED,), state=_RETURNED):
        kind = FeedKind.LINK_RETURNED
        announce(connection, ask.enrollment, kind, body, now=now, record=link.link)
        for each in _own(connection, link):
            feed.append(connection, each.device, kind, body, at=now // 1000, record=each.link)


def _effect(connection: Connection, ask: Ask, refusal: Refusal) -> Effect:
    is_about_token = refusal.reason == TOKEN_UNFIT and ask.step is Step.LINK
    match refusal.effect:
        case Effect.RENEW if is_about_token:
            return Effect.LOOK if was_renewed(connection, ask) else Effect.RENEW
        case Effect.RENEW:
            return Effect.WAIT  # a session, which the client has tried to renew already
        case Effect.DONE if ask.step is not Step.LINK:
            return Effect.LOOK
        case effect:
            return effect


def _change(
    connection: Connection, ask: Ask, states: Iterable[str], **values: str | int
) -> list[Row[Any]]:
    """Change those of a request's links that are in one of the states, and give them."""
    mine = (links.c.enrollment == ask.enrollment, links.c.link.in_(ask.links))
    changed = update(links).where(*mine, links.c.state.in_(tuple(states))).values(values)
    return list(connection.execute(changed.returning(links)).all())


def _own(connection: Connection, link: Row[Any]) -> list[Row[Any]]:
    """Give the link itself where its laptop never showed that it holds the person."""
    if is_known_to(connection, link.device, link.enrollment):
        return []
    return list(connection.execute(_told().where(_is(link))).all())


def _twins(connection: Connection, link: Row[Any]) -> list[Row[Any]]:
    """Give what other laptops added that says the same and stands behind this link."""
    same = (
        links.c.enrollment == link.enrollment,
        links.c.facility == link.facility,
        links.c.reference == link.reference,
        links.c.state == _SHADOWED,
    )
    return list(connection.execute(_told().where(*same).order_by(links.c.link)).all())


def _told() -> Select[Any]:
    approved = (devices.c.device == links.c.device) & (
        devices.c.state == DeviceState.APPROVED.value
    )
    return select(links.c.link, links.c.device).join(devices, approved)


def _is(link: Row[Any]) -> Any:
    return tuple_(links.c.enrollment, links.c.link) == (link.enrollment, link.link)
