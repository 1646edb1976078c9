"""The front door's side of finishing: takes a step down, waits for the worker, answers.

It reads neither codes nor Aadhaar numbers: they are sealed to the vault, whose key it has not.
Any approved laptop may finish anybody whose record it can name, because the person stands there
with the card and the code proves it; but only one that holds the person, or that brought the right
code, is told number and address, or the whole record id: a card shows the beginning of it only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync.protocol import DeviceState, FinishAction, FinishAnswer, FinishRequest, FinishStage
from sync.sealing import open_finish_request, read_signer, seal_finish_answer
from sync.server.devices import Device, find_device
from sync.server.errors import HttpFault
from sync.server.finishes import (
    FITTING,
    Finish,
    add_refused,
    add_step,
    as_it_stands,
    end_step,
    find_step,
    find_subject,
    is_stale,
    keep_finish,
    open_step,
    read_finish,
)
from sync.server.keys import ServerKeys
from sync.server.sends import AGAIN_MS, SENDING, why_not_send
from sync.server.store import Store
from sync.server.store.tables import enrollments
from sync.server.versions import is_known_to

__all__ = ["Finishing"]

WAIT_SECONDS: Final = 20.0
"""How long a laptop's line is held for the worker's answer."""
POLL_SECONDS: Final = 0.4

_WITHDRAWN: Final = "WITHDRAWN"
_DUPLICATE: Final = "DUPLICATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A step that was looked at. ``code`` says why nothing is done for it.

    ``record`` is empty where the subject names nobody.
    """

    device: Device
    request: FinishRequest
    record: str
    code: str = ""


class Finishing:
    """Answers steps. ``clock`` gives seconds since 1970 UTC; all else is for tests.

    ``waiting_max``: so many lines are held at a time; on others the laptop hears at once that the
    server is at it, and looks again.
    """

    def __init__(
        self,
        *,
        store: Store,
        keys: ServerKeys,
        clock: Callable[[], int],
        waiting_max: int = 16,
        wait_seconds: float = WAIT_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._waiting_max = waiting_max
        self._waiting = 0
        self._wait_seconds = wait_seconds
        self._poll_seconds = poll_seconds

    async def serve(self, message: bytes, is_draining: Callable[[], bool]) -> bytes:
        """Take a step and answer it, after the worker's part or at the end of the wait.

        ``HttpFault``, ``EnvelopeInvalid`` or ``TooLarge`` when the message is no step of an
        approved laptop.
        """
        asked = await asyncio.to_thread(self.take, message)
        until = time.monotonic() + self._wait_seconds
        if self._waiting >= self._waiting_max:
            return await asyncio.to_thread(self.answer, asked)
        self._waiting += 1
        try:
            while await asyncio.to_thread(self.is_in_work, asked):
                if is_draining() or time.monotonic() >= until:
                    break
                await asyncio.sleep(self._poll_seconds)
        finally:
            self._waiting -= 1
        return await asyncio.to_thread(self.answer, asked)

    def take(self, message: bytes) -> _Asked:
        """Verify a step and write it down, if there is something to do for it."""
        signer = read_signer(message)
        now = self._clock() * 1000
        with self._store.read() as connection:
            device = _demand_approved(find_device(connection, signer))
            request = open_finish_request(message, device.key)
            record, code = find_subject(connection, request.subject)
        asked = _Asked(device=device, request=request, record=record, code=code)
        if code or request.action is FinishAction.LOOK:
            return asked
        with self._store.write() as connection:
            return replace(asked, code=_take(connection, asked, now))

    def is_in_work(self, asked: _Asked) -> bool:
        """Whether somebody may still do what was asked for this person."""
        with self._store.read() as connection:
            step = open_step(connection, asked.record)
        return step is not None and not is_stale(step, now=self._clock() * 1000)

    def answer(self, asked: _Asked) -> bytes:
        """Say where it stands, in words that only this laptop can open."""
        with self._store.read() as connection:
            answer = _answer(connection, asked, now=self._clock() * 1000)
        return seal_finish_answer(answer, self._keys.signing, asked.device.seal_key)


def _demand_approved(device: Device | None) -> Device:
    if device is None:
        raise HttpFault("device-unknown")
    if device.state is DeviceState.PENDING:
        raise HttpFault("device-pending")
    if device.state is DeviceState.REVOKED:
        raise HttpFault("device-revoked")
    return device


def _take(connection: Connection, asked: _Asked, now: int) -> str:
    """Write a step down; give why it is not done, or nothing where that says itself.

    One that is not done is written down as well: whoever sends its bytes again, hours later, must
    not make a telephone ring.
    """
    record, request = asked.record, asked.request
    person = _person(connection, record, locked=True)
    if find_step(connection, record, request.nonce) is not None:
        return ""
    code = _why_not(connection, asked, person, now)
    if code is None:
        add_step(connection, record, request, now=now)
    else:
        add_refused(connection, record, request, now=now)
    return code or ""


def _why_not(connection: Connection, asked: _Asked, person: Row[Any], now: int) -> str | None:
    """Say why a step is not to be done: in a code, or empty where it fits no more, or not yet."""
    record, request = asked.record, asked.request
    if not _is_free(connection, record, now):
        return ""
    finish = as_it_stands(
        read_finish(connection, record), has_number=person.abha_number is not None, now=now
    )
    if finish.stage not in FITTING[request.action]:
        return ""
    if not _may_take(connection, asked.device.id, record, request.action, finish):
        return ""
    if request.action in SENDING:
        code = why_not_send(connection, asked.device.id, record, finish, request.action, now=now)
        return code or None
    return None


def _is_free(connection: Connection, record: str, now: int) -> bool:
    """Whether no other step is in work; one that nobody did is given up."""
    step = open_step(connection, record)
    if step is None:
        return True
    if not is_stale(step, now=now):
        return False
    end_step(connection, record, step.number, now=now)
    finish = read_finish(connection, record)
    keep_finish(connection, record, replace(finish, code="finish:wait", pointer=""), now=now)
    return True


def _answer(connection: Connection, asked: _Asked, *, now: int) -> FinishAnswer:
    if not asked.record:
        return _write(asked, Finish(stage=FinishStage.REFUSED, code=asked.code), now=now)
    person = _person(connection, asked.record)
    kept = read_finish(connection, asked.record)
    finish = as_it_stands(kept, has_number=person.abha_number is not None, now=now)
    step = open_step(connection, asked.record)
    if person.state == _WITHDRAWN:
        finish = Finish(stage=FinishStage.REFUSED, code="enrollment:withdrawn")
    elif step is not None and not is_stale(step, now=now):
        finish = replace(finish, stage=FinishStage.WORKING, code="", pointer="", handles=())
    elif step is not None:
        finish = replace(finish, code="finish:wait", pointer="")
    elif person.state == _DUPLICATE and person.abha_number is not None:
        finish = replace(finish, code="abdm:exists", pointer="")
    if asked.code:
        finish = replace(finish, code=asked.code, pointer="")
    if not _may_know(connection, asked.device.id, asked.record, finish):
        return _write(asked, _for_stranger(asked, finish), now=now)
    return _write(asked, finish, person=person, now=now)


def _may_take(
    connection: Connection, device: str, record: str, action: FinishAction, finish: Finish
) -> bool:
    """Whether a step is one for this laptop: a stranger has codes sent, and brings its own back."""
    if action is FinishAction.SEND:
        return True
    if action is FinishAction.CODE and device == finish.sender:
        return True
    return _may_know(connection, device, record, finish)


def _may_know(connection: Connection, device: str, record: str, finish: Finish) -> bool:
    return device == finish.proven or is_known_to(connection, device, record)


def _for_stranger(asked: _Asked, finish: Finish) -> Finish:
    """Leave out what is only for a laptop that holds the person or brought the right code.

    A code that another laptop had sent is not its to try: it can have one sent itself.
    """
    device = asked.device.id
    if finish.stage is FinishStage.CODE_SENT and device != finish.sender:
        code = asked.code or "otp:elsewhere"
        finish = replace(finish, stage=FinishStage.READY, code=code, pointer="")
    if finish.stage in {FinishStage.MOBILE, FinishStage.MOBILE_SENT, FinishStage.ADDRESS}:
        finish = Finish(stage=FinishStage.DONE)
    hint = finish.hint if device == finish.sender else ""
    return replace(finish, hint=hint, handles=())


def _write(
    asked: _Asked, finish: Finish, *, now: int, person: Row[Any] | None = None
) -> FinishAnswer:
    """Write the answer; ``person`` only for a laptop that may know them."""
    is_over = finish.stage in {FinishStage.ADDRESS, FinishStage.DONE, FinishStage.MOBILE}
    again = 0 if is_over or now >= finish.sent_at + AGAIN_MS else finish.sent_at + AGAIN_MS
    return FinishAnswer(
        device=asked.device.id,
        record=asked.record if person is not None else "",
        stage=finish.stage,
        code=finish.code,
        pointer=finish.pointer,
        hint=finish.hint,
        again_at=-(-again // 1000),
        handles=finish.handles,
        abha_number=person.abha_number if person is not None else None,
        abha_address=person.abha_address if person is not None else None,
        server_time=now // 1000,
        nonce=asked.request.nonce,
    )


def _person(connection: Connection, record: str, *, locked: bool = False) -> Row[Any]:
    mine = select(enrollments).where(enrollments.c.enrollment == record)
    return connection.execute(mine.with_for_update() if locked else mine).one()
