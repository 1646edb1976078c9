"""One step is one step, whatever the line does to it; and only the server's own answer counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from sync.engine.envelope import DeviceEnvelope
from sync.engine.finishing import ask_finish, make_finish_request
from sync.errors import Offline, Portal, ReceiptInvalid, SyncError, Timeout
from sync.protocol import FinishAction, FinishAnswer, FinishRequest, FinishStage
from sync.sealing import (
    OpeningKey,
    SigningKey,
    open_finish_request,
    open_finish_value,
    seal_finish_answer,
)

DEVICE = SigningKey.generate()
OPENING = OpeningKey.generate()
SERVER = SigningKey.generate()
VAULT = OpeningKey.generate()
ENVELOPE = DeviceEnvelope(signing=DEVICE, opening=OPENING, server=SERVER.public)
RECORD = "0f" * 16


@dataclass
class Road:
    """A server whose line breaks as told, before it answers."""

    breaks: list[SyncError] = field(default_factory=list)
    change: Callable[[FinishAnswer], FinishAnswer] = lambda answer: answer
    server: SigningKey = SERVER
    heard: list[bytes] = field(default_factory=list)

    def finish(self, message: bytes) -> bytes:
        self.heard.append(message)
        if self.breaks:
            raise self.breaks.pop(0)
        request = open_finish_request(message, DEVICE.public)
        answer = FinishAnswer(
            device=request.device,
            record=RECORD,
            stage=FinishStage.CODE_SENT,
            code="",
            pointer="",
            hint="",
            again_at=0,
            handles=(),
            abha_number=None,
            abha_address=None,
            server_time=request.time,
            nonce=request.nonce,
        )
        return seal_finish_answer(self.change(answer), self.server, OPENING.public)


@dataclass
class Sleeper:
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def step(subject: str = RECORD, value: str | None = None) -> FinishRequest:
    return make_finish_request(
        DEVICE.public.id,
        subject,
        FinishAction.LOOK if value is None else FinishAction.CODE,
        value=value,
        vault=VAULT.public,
        time=1_795_000_000,
        nonce=bytes(range(16)),
    )


def test_a_step_is_answered() -> None:
    answer = ask_finish(Road(), step(), ENVELOPE, sleeper=Sleeper())
    assert (answer.stage, answer.record) == (FinishStage.CODE_SENT, RECORD)


def test_a_cut_line_is_tried_again_with_the_very_same_bytes() -> None:
    road, sleeper = Road(breaks=[Timeout(), Offline()]), Sleeper()
    assert ask_finish(road, step(), ENVELOPE, sleeper=sleeper).stage is FinishStage.CODE_SENT
    assert len(road.heard) == 3
    assert len(set(road.heard)) == 1
    assert sum(sleeper.slept) <= 5


def test_a_person_is_not_kept_waiting_for_a_network_that_is_not_there() -> None:
    road = Road(breaks=[Offline() for _ in range(9)])
    with pytest.raises(Offline):
        ask_finish(road, step(), ENVELOPE, sleeper=Sleeper())
    assert len(road.heard) == 3


def test_somebody_elses_page_ends_it_at_once() -> None:
    road = Road(breaks=[Portal()])
    with pytest.raises(Portal):
        ask_finish(road, step(), ENVELOPE, sleeper=Sleeper())
    assert len(road.heard) == 1


@pytest.mark.parametrize(
    "road",
    [
        Road(server=SigningKey.generate()),
        Road(change=lambda answer: replace(answer, nonce=bytes(16))),
        Road(change=lambda answer: replace(answer, record="ab" * 16)),
        Road(change=lambda answer: replace(answer, device="ab" * 8)),
    ],
    ids=["another signer", "another step", "another person", "another laptop"],
)
def test_an_answer_that_is_not_the_servers_to_this_step_is_none(road: Road) -> None:
    with pytest.raises(ReceiptInvalid):
        ask_finish(road, step(), ENVELOPE, sleeper=Sleeper())


def test_a_step_about_a_provisional_number_may_be_answered_with_the_whole_id() -> None:
    answer = ask_finish(Road(), step(RECORD[:15]), ENVELOPE, sleeper=Sleeper())
    assert answer.record == RECORD


def test_what_was_typed_travels_sealed() -> None:
    request = step(value="123456")
    assert request.sealed is not None
    assert b"123456" not in ENVELOPE.sign_finish_request(request)
    bound = {"device": request.device, "subject": request.subject}
    opened = open_finish_value(
        request.sealed, VAULT, action=request.action, nonce=request.nonce, **bound
    )
    assert opened == "123456"
