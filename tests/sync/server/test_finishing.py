"""The front door while somebody is finished: who may ask, what is kept, who is told what."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import Table, update

from server_laptops import Laptop, Office
from sync.errors import EnvelopeInvalid
from sync.protocol import FINISH_VALUES, FinishAction, FinishAnswer, FinishRequest, FinishStage
from sync.sealing import (
    OpeningKey,
    SealKey,
    open_finish_answer,
    seal_finish_value,
    sign_finish_request,
)
from sync.server.errors import HttpFault
from sync.server.finishes import Finish, end_step, keep_finish, open_step
from sync.server.finishing import Finishing
from sync.server.store.tables import devices, enrollments, finish_steps

NUMBER = "00-1234-5678-9012"
MINUTE = 60
DAY = 24 * 3600


@dataclass
class Desk:
    """An office, a laptop that enrolled somebody, and whatever a worker writes down."""

    office: Office
    laptop: Laptop
    record: str

    @property
    def finishing(self) -> Finishing:
        return self.office.services.finishing

    def request(self, action: FinishAction, *, laptop: Laptop | None = None, **changes: Any) -> Any:
        asking = laptop or self.laptop
        values: dict[str, Any] = {
            "device": asking.id,
            "subject": self.record,
            "action": action,
            "time": self.office.now,
            "nonce": os.urandom(16),
            "sealed": bytes(1142) if action in FINISH_VALUES else None,
        }
        return FinishRequest(**(values | changes))

    def ask(
        self, action: FinishAction, *, laptop: Laptop | None = None, **changes: Any
    ) -> FinishAnswer:
        """Ask, without waiting for a worker."""
        return self.say(self.request(action, laptop=laptop, **changes), laptop=laptop)

    def say(self, request: FinishRequest, *, laptop: Laptop | None = None) -> FinishAnswer:
        asking = laptop or self.laptop
        asked = self.finishing.take(sign_finish_request(request, asking.key))
        answer = open_finish_answer(
            self.finishing.answer(asked), asking.programme.signing, asking.opening
        )
        assert answer.nonce == request.nonce
        return answer

    def stands(self, **changes: Any) -> None:
        """Let it stand as a worker left it."""
        with self.office.store.write() as connection:
            now = self.office.now * 1000
            step = open_step(connection, self.record)
            if step is not None:
                end_step(connection, self.record, step.number, now=now)
            keep_finish(connection, self.record, Finish(**changes), now=now)

    def sent(self, **changes: Any) -> None:
        fields = {"sender": self.laptop.id, "hint": "******4321", "sends": 1}
        now = self.office.now * 1000
        self.stands(stage=FinishStage.CODE_SENT, sent_at=now, **(fields | changes))

    def number(self, state: str = "ISSUED") -> None:
        self.change(enrollments, abha_number=NUMBER, state=state)

    def change(self, table: Table, **values: Any) -> None:
        with self.office.store.write() as connection:
            connection.execute(update(table).values(values))

    @property
    def open_steps(self) -> int:
        return self.office.count("SELECT count(*) FROM finish_steps WHERE done_at IS NULL")


@pytest.fixture
def desk(office: Office) -> Desk:
    laptop = office.laptop()
    person = laptop.person()
    office.take(laptop, laptop.batch([person]))
    return Desk(office, laptop, person.record)


def test_nothing_was_sent_yet(desk: Desk) -> None:
    answer = desk.ask(FinishAction.LOOK)
    assert (answer.stage, answer.record, answer.code) == (FinishStage.READY, desk.record, "")
    assert desk.open_steps == 0


def test_a_step_is_written_down_and_at_work_until_it_is_done(desk: Desk) -> None:
    assert desk.ask(FinishAction.SEND).stage is FinishStage.WORKING
    assert desk.ask(FinishAction.LOOK).stage is FinishStage.WORKING
    desk.sent()
    answer = desk.ask(FinishAction.LOOK)
    assert (answer.stage, answer.hint) == (FinishStage.CODE_SENT, "******4321")
    assert answer.again_at == desk.office.now + MINUTE


def test_the_same_step_asked_again_is_one_step(desk: Desk) -> None:
    request = desk.request(FinishAction.SEND)
    desk.say(request)
    desk.say(request)
    assert desk.open_steps == 1
    desk.sent()
    assert desk.say(request).stage is FinishStage.CODE_SENT
    assert desk.open_steps == 0


def test_two_steps_at_once_are_one_after_the_other(desk: Desk) -> None:
    desk.ask(FinishAction.SEND)
    assert desk.ask(FinishAction.SEND).stage is FinishStage.WORKING
    assert desk.open_steps == 1


@pytest.mark.parametrize(
    "action", [action for action in FinishAction if action not in {"look", "send"}]
)
def test_a_step_that_does_not_fit_changes_nothing(desk: Desk, action: FinishAction) -> None:
    assert desk.ask(action).stage is FinishStage.READY
    assert desk.open_steps == 0


def test_the_sealed_code_is_kept_as_it_came_until_the_step_is_done(desk: Desk) -> None:
    desk.sent()
    desk.ask(FinishAction.CODE, sealed=bytes(1142))
    assert desk.office.count("SELECT length(sealed) FROM finish_steps") == 1142
    desk.stands(stage=FinishStage.READY, code="otp:late")
    assert desk.office.count("SELECT count(*) FROM finish_steps WHERE sealed IS NOT NULL") == 0


def test_the_front_door_has_no_key_for_what_was_typed(desk: Desk) -> None:
    vault: SealKey = desk.laptop.programme.vault
    assert desk.office.keys.vault.raw == vault.raw
    private = (desk.office.keys.ingest, desk.office.keys.recovery)
    nonce = bytes(16)
    sealed = seal_finish_value(
        "123456",
        vault,
        device=desk.laptop.id,
        subject=desk.record,
        action=FinishAction.CODE,
        nonce=nonce,
    )
    for key in private:
        assert isinstance(key, OpeningKey)
        with pytest.raises(EnvelopeInvalid):
            key.open(sealed, b"")


def test_another_code_is_sent_after_a_minute_and_not_before(desk: Desk) -> None:
    desk.sent()
    desk.office.now += MINUTE - 1
    answer = desk.ask(FinishAction.SEND)
    assert (answer.stage, answer.code) == (FinishStage.CODE_SENT, "otp:wait")
    assert answer.again_at == desk.office.now + 1
    assert desk.open_steps == 0
    desk.office.now += 1
    assert desk.ask(FinishAction.SEND).stage is FinishStage.WORKING


def test_the_bytes_of_a_send_that_was_refused_have_nothing_sent_later(desk: Desk) -> None:
    desk.sent()
    early = desk.request(FinishAction.SEND)
    assert desk.say(early).code == "otp:wait"
    desk.office.now += 5 * 3600
    assert desk.say(early).stage is FinishStage.READY
    assert desk.open_steps == 0
    assert desk.ask(FinishAction.SEND).stage is FinishStage.WORKING


def test_the_bytes_of_a_send_that_came_in_between_have_nothing_sent_later(desk: Desk) -> None:
    desk.ask(FinishAction.SEND)
    between = desk.request(FinishAction.SEND)
    assert desk.say(between).stage is FinishStage.WORKING
    desk.sent()
    desk.office.now += MINUTE
    assert desk.say(between).stage is FinishStage.CODE_SENT
    assert desk.open_steps == 0


def test_what_was_refused_is_kept_without_its_value_and_counts_as_no_code(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.server.sends.DEVICE_SENDS_MAX", 1)
    assert desk.ask(FinishAction.CODE).stage is FinishStage.READY
    assert desk.office.count("SELECT count(*) FROM finish_steps WHERE sealed IS NOT NULL") == 0
    desk.sent(sends=5)
    assert desk.ask(FinishAction.SEND).code == "otp:wait"
    desk.office.now += DAY - 1
    assert desk.ask(FinishAction.SEND).code == "otp:too-many"
    desk.office.now += 1
    assert desk.ask(FinishAction.SEND).stage is FinishStage.WORKING


def test_nobody_gets_more_than_five_codes_without_a_days_rest(desk: Desk) -> None:
    desk.sent(sends=5)
    desk.office.now += 11 * MINUTE
    assert desk.ask(FinishAction.SEND).code == "otp:too-many"
    desk.office.now += DAY
    assert desk.ask(FinishAction.SEND).stage is FinishStage.WORKING


def test_the_mobile_that_was_given_can_be_sent_to_after_five_codes_to_the_other(
    desk: Desk,
) -> None:
    desk.number()
    now = desk.office.now * 1000
    until = now + 10**6
    desk.stands(stage=FinishStage.MOBILE, sent_at=now, sends=5, until=until)
    assert desk.ask(FinishAction.MOBILE_SEND).stage is FinishStage.WORKING
    desk.stands(stage=FinishStage.MOBILE_SENT, sent_at=now - 60_000, sends=8, until=until)
    assert desk.ask(FinishAction.MOBILE_SEND).code == "otp:too-many"


def test_one_laptop_cannot_pester_people_whom_it_does_not_hold(desk: Desk) -> None:
    stranger = desk.office.laptop()
    people = [desk.laptop.person() for _ in range(31)]
    desk.office.take(desk.laptop, desk.laptop.batch(people))
    for person in people[:30]:
        answer = desk.ask(FinishAction.SEND, laptop=stranger, subject=person.record)
        assert answer.stage is FinishStage.WORKING
    last = people[30].record
    assert desk.ask(FinishAction.SEND, laptop=stranger, subject=last).code == "otp:too-many"
    assert desk.ask(FinishAction.SEND, subject=last).stage is FinishStage.WORKING


def test_one_laptop_has_so_many_codes_a_day(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.server.sends.DEVICE_SENDS_MAX", 1)
    other = desk.laptop.person()
    desk.office.take(desk.laptop, desk.laptop.batch([other]))
    desk.ask(FinishAction.SEND)
    assert desk.ask(FinishAction.SEND, subject=other.record).code == "otp:too-many"
    desk.office.now += DAY
    assert desk.ask(FinishAction.SEND, subject=other.record).stage is FinishStage.WORKING


def test_a_code_runs_out_after_ten_minutes(desk: Desk) -> None:
    desk.sent()
    desk.office.now += 10 * MINUTE
    answer = desk.ask(FinishAction.LOOK)
    assert (answer.stage, answer.code, answer.hint) == (FinishStage.READY, "otp:late", "")


def test_mobile_and_address_can_be_asked_for_while_abdm_remembers(desk: Desk) -> None:
    desk.number()
    now = desk.office.now
    stage = {"stage": FinishStage.ADDRESS, "handles": ("asha.devi",), "until": (now + 60) * 1000}
    desk.stands(**stage)
    answer = desk.ask(FinishAction.LOOK)
    assert (answer.stage, answer.handles, answer.abha_number) == (
        FinishStage.ADDRESS, ("asha.devi",), NUMBER,
    )  # fmt: skip
    desk.office.now += 60
    answer = desk.ask(FinishAction.LOOK)
    assert (answer.stage, answer.handles) == (FinishStage.DONE, ())


def test_a_number_that_came_by_another_road_ends_it(desk: Desk) -> None:
    desk.sent()
    desk.number()
    answer = desk.ask(FinishAction.LOOK)
    assert (answer.stage, answer.abha_number) == (FinishStage.DONE, NUMBER)
    assert desk.ask(FinishAction.SEND).stage is FinishStage.DONE
    assert desk.open_steps == 0


def test_a_number_that_the_person_had_before_is_told_as_such(desk: Desk) -> None:
    desk.number("DUPLICATE")
    assert desk.ask(FinishAction.LOOK).code == "abdm:exists"


def test_who_withdrew_is_not_finished(desk: Desk) -> None:
    desk.change(enrollments, state="WITHDRAWN")
    answer = desk.ask(FinishAction.SEND)
    assert (answer.stage, answer.code) == (FinishStage.REFUSED, "enrollment:withdrawn")
    assert desk.open_steps == 0


def test_somebody_unknown_is_not_finished(desk: Desk) -> None:
    for subject in ("ab" * 16, "ab" * 7 + "a"):
        answer = desk.ask(FinishAction.SEND, subject=subject)
        assert (answer.stage, answer.code) == (FinishStage.REFUSED, "finish:unknown")
        assert answer.record == ""


def test_the_number_on_the_card_is_enough_on_any_approved_laptop(desk: Desk) -> None:
    other = desk.office.laptop()
    answer = desk.ask(FinishAction.SEND, laptop=other, subject=desk.record[:15])
    assert (answer.stage, answer.record) == (FinishStage.WORKING, "")
    assert desk.open_steps == 1


def test_the_whole_record_id_is_told_to_nobody_who_does_not_hold_the_person(desk: Desk) -> None:
    other = desk.office.laptop()
    named: dict[str, Any] = {"laptop": other, "subject": desk.record[:15]}
    assert desk.ask(FinishAction.LOOK, **named).record == ""
    desk.sent(sender=other.id)
    assert desk.ask(FinishAction.LOOK, **named).record == ""
    desk.change(enrollments, state="WITHDRAWN")
    assert desk.ask(FinishAction.LOOK, **named).record == ""
    desk.change(enrollments, state="ACCEPTED")
    desk.number()
    desk.stands(stage=FinishStage.DONE, proven=other.id)
    assert desk.ask(FinishAction.LOOK, **named).record == desk.record
    assert desk.ask(FinishAction.LOOK, subject=desk.record[:15]).record == desk.record


def test_a_number_that_two_people_share_names_nobody(desk: Desk) -> None:
    twin = desk.laptop.person(record=desk.record[:15] + os.urandom(9).hex()[:17])
    desk.office.take(desk.laptop, desk.laptop.batch([twin]))
    answer = desk.ask(FinishAction.SEND, subject=desk.record[:15])
    assert (answer.stage, answer.code) == (FinishStage.REFUSED, "finish:ambiguous")
    assert desk.ask(FinishAction.SEND).stage is FinishStage.WORKING


def test_a_laptop_that_does_not_hold_the_person_learns_no_number_before_it_brings_the_code(
    desk: Desk,
) -> None:
    other = desk.office.laptop()
    desk.number()
    until = (desk.office.now + 60) * 1000
    desk.stands(stage=FinishStage.ADDRESS, handles=("asha.devi",), until=until)
    answer = desk.ask(FinishAction.ADDRESS, laptop=other)
    assert (answer.stage, answer.handles, answer.abha_number) == (FinishStage.DONE, (), None)
    assert desk.open_steps == 0
    desk.stands(stage=FinishStage.ADDRESS, handles=("asha.devi",), until=until, proven=other.id)
    answer = desk.ask(FinishAction.LOOK, laptop=other)
    assert (answer.stage, answer.handles, answer.abha_number) == (
        FinishStage.ADDRESS, ("asha.devi",), NUMBER,
    )  # fmt: skip


def test_where_the_code_went_is_told_to_who_had_it_sent(desk: Desk) -> None:
    other = desk.office.laptop()
    desk.sent()
    assert desk.ask(FinishAction.LOOK, laptop=other).hint == ""
    desk.sent(sender=other.id)
    answer = desk.ask(FinishAction.LOOK, laptop=other)
    assert (answer.stage, answer.hint) == (FinishStage.CODE_SENT, "******4321")
    assert desk.ask(FinishAction.LOOK).hint == "******4321"


def test_a_stranger_cannot_try_a_code_that_another_laptop_had_sent(desk: Desk) -> None:
    other = desk.office.laptop()
    desk.sent(code="otp:wrong")
    for action in (FinishAction.LOOK, FinishAction.CODE):
        answer = desk.ask(action, laptop=other)
        assert (answer.stage, answer.code) == (FinishStage.READY, "otp:elsewhere")
    assert desk.open_steps == 0
    answer = desk.ask(FinishAction.SEND, laptop=other)
    assert (answer.stage, answer.code) == (FinishStage.READY, "otp:wait")
    assert answer.again_at == desk.office.now + MINUTE
    desk.office.now += MINUTE
    assert desk.ask(FinishAction.SEND, laptop=other).stage is FinishStage.WORKING
    desk.sent(sender=other.id)
    assert desk.ask(FinishAction.CODE, laptop=other).stage is FinishStage.WORKING


def test_who_holds_the_person_brings_any_code(desk: Desk) -> None:
    desk.sent(sender=desk.office.laptop().id)
    assert desk.ask(FinishAction.LOOK).stage is FinishStage.CODE_SENT
    assert desk.ask(FinishAction.CODE).stage is FinishStage.WORKING


def test_a_step_that_no_worker_did_is_given_up(desk: Desk) -> None:
    desk.ask(FinishAction.SEND)
    desk.office.now += 2 * MINUTE
    answer = desk.ask(FinishAction.LOOK)
    assert (answer.stage, answer.code) == (FinishStage.READY, "finish:wait")
    assert desk.ask(FinishAction.SEND).stage is FinishStage.WORKING
    assert desk.office.count("SELECT count(*) FROM finish_steps") == 2
    assert desk.open_steps == 1


def test_a_step_that_a_worker_has_in_hand_is_not_given_up(desk: Desk) -> None:
    desk.ask(FinishAction.SEND)
    desk.office.now += 2 * MINUTE
    desk.change(finish_steps, claimed_until=(desk.office.now + 30) * 1000)
    assert desk.ask(FinishAction.SEND).stage is FinishStage.WORKING
    assert desk.open_steps == 1


def test_only_approved_laptops_are_served(desk: Desk) -> None:
    unknown = Laptop(programme=desk.office.programme())
    pending = desk.office.laptop(approved=False)
    for laptop, code in ((unknown, "device-unknown"), (pending, "device-pending")):
        with pytest.raises(HttpFault, match=code):
            desk.ask(FinishAction.SEND, laptop=laptop)
    desk.change(devices, state="revoked")
    with pytest.raises(HttpFault, match="device-revoked"):
        desk.ask(FinishAction.LOOK)


def test_a_step_in_another_laptops_name_is_no_step(desk: Desk) -> None:
    other = desk.office.laptop()
    with pytest.raises(EnvelopeInvalid):
        desk.say(replace(desk.request(FinishAction.SEND), device=other.id))


async def _post(desk: Desk, body: bytes) -> tuple[int, str, bytes]:
    async with desk.office.client() as client:
        response = await client.post("/v1/finish", content=body)
    return response.status_code, response.headers["content-type"], response.content


def _quick(desk: Desk, **changes: Any) -> None:
    finishing = Finishing(
        store=desk.office.store,
        keys=desk.office.keys,
        clock=lambda: desk.office.now,
        **{"poll_seconds": 0.01, "wait_seconds": 5, **changes},
    )
    desk.office.services = replace(desk.office.services, finishing=finishing)


def test_the_line_is_held_until_the_worker_has_done_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _quick(desk)
    request = desk.request(FinishAction.SEND)

    looks = 0

    def is_in_work(asked: Any) -> bool:
        nonlocal looks
        looks += 1
        if looks == 3:
            desk.sent()
        return in_work(asked)

    in_work = desk.finishing.is_in_work
    monkeypatch.setattr(desk.finishing, "is_in_work", is_in_work)
    status, kind, body = asyncio.run(_post(desk, sign_finish_request(request, desk.laptop.key)))
    assert (status, kind, looks) == (200, "application/cbor", 3)
    assert len(body) < 2048
    answer = open_finish_answer(body, desk.laptop.programme.signing, desk.laptop.opening)
    assert answer.stage is FinishStage.CODE_SENT


@pytest.mark.parametrize("changes", [{"wait_seconds": 0.02}, {"waiting_max": 0}])
def test_nobody_waits_for_ever(desk: Desk, changes: dict[str, Any]) -> None:
    _quick(desk, **changes)
    request = desk.request(FinishAction.SEND)
    status, _kind, body = asyncio.run(_post(desk, sign_finish_request(request, desk.laptop.key)))
    answer = open_finish_answer(body, desk.laptop.programme.signing, desk.laptop.opening)
    assert (status, answer.stage) == (200, FinishStage.WORKING)


def test_a_server_that_ends_lets_nobody_wait(desk: Desk) -> None:
    _quick(desk)
    message = sign_finish_request(desk.request(FinishAction.SEND), desk.laptop.key)
    body = asyncio.run(desk.finishing.serve(message, lambda: True))
    answer = open_finish_answer(body, desk.laptop.programme.signing, desk.laptop.opening)
    assert answer.stage is FinishStage.WORKING


@pytest.mark.parametrize("body", [b"", b"words", bytes(5000)])
def test_what_is_no_step_is_refused_in_one_code(desk: Desk, body: bytes) -> None:
    status, kind, _ = asyncio.run(_post(desk, body))
    assert (status, kind) in {(400, "application/cbor"), (413, "application/cbor")}


def test_neither_number_nor_typed_code_stands_in_the_log(desk: Desk, office_log: Any) -> None:
    desk.number()
    desk.sent()
    desk.ask(FinishAction.LOOK)
    assert NUMBER not in office_log.getvalue()
