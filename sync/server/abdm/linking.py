"""Linking one person's records at ABDM (M2), as far as it goes now: a link token, then the records.

Both answers come later, to the callback address (:mod:`sync.server.abdm.callbacks`), which wakes
the job. What to ask next is worked out anew from what is on disk, so a crash, a callback that
overtakes its request and one that never comes all end in the same place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from sqlalchemy import Connection

from schemas.numbers import provisional_number
from sync.sealing import OpeningKey
from sync.server.abdm.callback_keys import Fetches, see_to_keys
from sync.server.abdm.calls import (
    AbdmFailure,
    AbdmRefused,
    AbdmUnsent,
    Answered,
    Begin,
    Begun,
    CareContext,
    Effect,
    End,
    LinkAsk,
    LinkTokenAsk,
    Refusal,
)
from sync.server.abdm.exchanges import Exchanges, end_exchange
from sync.server.abdm.jobs import (
    Advance,
    Claim,
    ClaimLost,
    Fate,
    keep_claim,
    postpone,
    settle,
)
from sync.server.abdm.link_asks import DUPLICATE, Ask, find_ask, keep_ask, rest
from sync.server.abdm.link_outcomes import note_refused, send_back
from sync.server.abdm.link_plan import Action, AskToken, patience
from sync.server.abdm.link_tokens import drop_token, open_token
from sync.server.abdm.link_view import LinkView, look
from sync.server.abdm.settings import AbdmSettings
from sync.server.abdm.turns import Turn
from sync.server.abdm.waits import back_off
from sync.server.store import Store

__all__ = ["Links", "advance_link"]

_PATIENT_DISPLAY: Final = "Camp records"
"""What the person's app shows over the list; nothing clinical, and no name."""
_LOOK_SECONDS_MAX: Final = 3600.0
"""A link that comes while others of its person rest for a day is found within the hour."""
_WAITING: Final = "link:waiting"
_NO_KEYS: Final = "link:callback-keys"
_BLOCKED: Final = "ABDM-1027"
"""Blocks one person's link for a day, and not this programme."""
_FOR_PEOPLE: Final = frozenset({Effect.RETURN, Effect.CALL, Effect.LOOK})
"""What no waiting mends."""


class Links(Fetches, Protocol):
    """What linking asks of the client."""

    def request_link_token(
        self, begin: Begin, hip: str, ask: LinkTokenAsk, *, end: End
    ) -> Answered[None]:
        """Ask for a link token."""

    def link_contexts(
        self, begin: Begin, hip: str, link_token: str, ask: LinkAsk, *, end: End
    ) -> Answered[None]:
        """Ask to link care contexts."""


def advance_link(
    store: Store,
    client: Links,
    vault: OpeningKey,
    settings: AbdmSettings,
    claim: Claim,
    *,
    clock: Callable[[], int],
) -> Advance:
    """Ask all that can be asked now for a person's links; ``clock`` gives milliseconds.

    The job is settled when no link waits any more, and otherwise due when there is something to
    ask again. Raises nothing of ABDM's.
    """
    linking = _Linking(
        store=store, client=client, vault=vault, settings=settings, claim=claim, clock=clock
    )
    return linking.run()


class _Changed(Exception):
    """A link was removed, or the person changed or withdrew, in the moment before its request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Linking:
    """One go at one person's links."""

    store: Store
    client: Links
    vault: OpeningKey = field(repr=False)
    settings: AbdmSettings
    claim: Claim
    clock: Callable[[], int]
    begun: list[str] = field(default_factory=list)
    """The ids of the requests that may have left."""

    def run(self) -> Advance:
        """Ask until there is nothing to ask now."""
        try:
            see_to_keys(self.store, self.client, self.settings, now=self.clock())
        except AbdmFailure:
            # Who cannot tell ABDM's answers from a stranger's asks nothing that is answered so.
            with self.store.write() as connection:
                postpone(connection, self.claim, now=self.clock(), code=_NO_KEYS)
            return Advance(fate=Fate.WAITS, code=_NO_KEYS, asked=False)
        while True:
            with self.store.read() as connection:
                view = self._look(connection)
            actions = view.plan.actions
            advance = self._ask(view, actions[0]) if actions else self._leave()
            if advance is not None:
                return advance

    def _look(self, connection: Connection) -> LinkView:
        return look(connection, self.settings, self.claim.enrollment, now=self.clock())

    def _leave(self) -> Advance | None:
        """Write down that nothing is to be asked now; ``None`` if something came meanwhile."""
        with self.store.write() as connection:
            view = self._look(connection)
            now = self.clock()
            if view.plan.actions:
                return None
            if not view.pending or view.plan.due_at is None:
                settle(connection, self.claim, now=now, version=view.version)
                return Advance(fate=Fate.SETTLED, asked=bool(self.begun))
            seconds = min(max(1.0, (view.plan.due_at - now) / 1000), _LOOK_SECONDS_MAX)
            postpone(connection, self.claim, now=now, code=_WAITING, seconds=seconds, counts=False)
            return Advance(fate=Fate.WAITS, code=_WAITING, asked=bool(self.begun))

    def _ask(self, view: LinkView, action: Action) -> Advance | None:
        exchanges, begin = self._exchanges(view, action)
        try:
            try:
                answered = self._call(view, action, begin, exchanges)
            except AbdmRefused as refused:
                if refused.ending.request_id or refused.refusal.effect not in _FOR_PEOPLE:
                    raise
                self._send_back(view, action, refused.refusal)
                return None
        except _Changed:
            return None
        except ClaimLost:
            return Turn(self.store, self.claim, self.clock).give_way()
        except AbdmFailure as error:
            return self._failed(error)
        if answered is not None:
            exchanges.end_alone(answered.ending)
        return None

    def _call(
        self, view: LinkView, action: Action, begin: Begin, exchanges: Exchanges
    ) -> Answered[None] | None:
        """Make the call; ``None`` where the token that was there cannot be opened."""
        if isinstance(action, AskToken):
            who = view.token_ask()
            return self.client.request_link_token(begin, action.hip, who, end=exchanges.end_alone)
        token = self._token(action.hip)
        if token is None:
            return None
        contexts = tuple(
            CareContext(reference=each.reference, display=each.display) for each in action.links
        )
        link_ask = LinkAsk(
            abha_number=view.number,
            abha_address=view.address,
            patient_reference=provisional_number(self.claim.enrollment),
            patient_display=_PATIENT_DISPLAY,
            hi_type=action.hi_type,
            contexts=contexts,
        )
        return self.client.link_contexts(
            begin, action.hip, token, link_ask, end=exchanges.end_alone
        )

    def _token(self, hip: str) -> str | None:
        enrollment = self.claim.enrollment
        with self.store.read() as connection:
            token = open_token(connection, self.vault, enrollment, hip, now=self.clock())
        if token is None:
            with self.store.write() as connection:
                drop_token(connection, enrollment, hip)
        return token

    def _exchanges(self, view: LinkView, action: Action) -> tuple[Exchanges, Begin]:
        """Give what writes a request down, together with what it is about."""
        wait = patience(view.past, action.step, action.hip, action.ids)
        request_id = ""

        def guard(connection: Connection) -> None:
            now = self.clock()
            self._hold(connection, view, action)
            keep_ask(
                connection,
                self.claim.enrollment,
                request_id,
                hip=action.hip,
                links=action.ids,
                rests_until=now + wait * 1000,
            )

        exchanges = Exchanges(
            self.store,
            enrollment=self.claim.enrollment,
            kind=self.claim.kind,
            version=view.version,
            clock=self.clock,
            guard=guard,
        )

        def begin(begun: Begun) -> None:
            nonlocal request_id
            request_id = begun.request_id
            exchanges.begin(begun)
            self.begun.append(request_id)

        return exchanges, begin

    def _hold(self, connection: Connection, view: LinkView, action: Action) -> None:
        """Keep the job; ``ClaimLost`` if another worker has it, ``_Changed`` if the view is old."""
        keep_claim(connection, self.claim, now=self.clock())
        current = self._look(connection)
        is_there = {each.id for each in current.pending}.issuperset(action.ids)
        if not is_there or current.version != view.version:
            raise _Changed

    def _send_back(self, view: LinkView, action: Action, refusal: Refusal) -> None:
        """Send back what our own client does not send: it would be no better another time."""
        ask = Ask(
            enrollment=self.claim.enrollment,
            request_id="",
            step=action.step,
            hip=action.hip,
            links=action.ids,
        )
        with self.store.write() as connection:
            self._hold(connection, view, action)
            send_back(connection, ask, refusal, now=self.clock())

    def _failed(self, error: AbdmFailure) -> Advance | None:
        """Write the ending down with what follows; ``None`` where the next thing can be asked."""
        refusal = error.refusal if isinstance(error, AbdmRefused) else None
        with self.store.write() as connection:
            now = self.clock()
            end_exchange(connection, self.claim.enrollment, error.ending, now=now)
            ask = find_ask(connection, error.ending.request_id)
            if ask is None or refusal is None:
                if ask is not None and isinstance(error, AbdmUnsent):
                    rest(connection, ask, now)
                return self._postponed(connection, refusal)
            effect = note_refused(connection, ask, refusal, now=now)
            is_own_affair = refusal.reason == DUPLICATE or refusal.code == _BLOCKED
            if effect in {Effect.WAIT, Effect.STOP} and not is_own_affair:
                return self._postponed(connection, refusal)
        return None

    def _postponed(self, connection: Connection, refusal: Refusal | None) -> Advance:
        """Leave the job for later because ABDM, or our own configuration, is not right now."""
        is_halted = refusal is not None and refusal.effect is Effect.STOP
        code = "abdm:wait" if refusal is None else refusal.reason
        wait = None if refusal is None else refusal.wait_seconds
        seconds = max(float(wait or 0), back_off(self.claim.attempts))
        postpone(connection, self.claim, now=self.clock(), code=code, seconds=seconds)
        return Advance(fate=Fate.HALTED if is_halted else Fate.OUTAGE, code=code, wait_seconds=wait)
