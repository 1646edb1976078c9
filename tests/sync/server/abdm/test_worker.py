from __future__ import annotations

import io
import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from abdm_fakes import FakeAbdm, refused, unknown
from abdm_office import Camp, aadhaar
from server_laptops import Office, person_body
from sync.server.abdm.calls import Effect, Step
from sync.server.abdm.enrolling import advance_enrollment
from sync.server.abdm.jobs import Advance, Claim, Fate, JobKind
from sync.server.abdm.outcomes import discard_numbers
from sync.server.abdm.settings import AbdmSettings
from sync.server.abdm.standing import note_halt, read_abdm_standing, standing_lines
from sync.server.errors import DatabaseBusy
from sync.server.finishes import Finish, keep_finish
from sync.server.keys import open_vault
from sync.server.logs import Log
from sync.server.worker import Worker

SETTINGS = AbdmSettings(benefit="CAMP")
SETTLED = Advance(fate=Fate.SETTLED)


@pytest.fixture
def camp(office: Office) -> Camp:
    camp = Camp(office)
    camp.bring_key()
    return camp


@pytest.fixture
def abdm() -> FakeAbdm:
    return FakeAbdm()


class Desk:
    """A worker with a fake ABDM behind it; what it logs can be read."""

    def __init__(self, camp: Camp, abdm: FakeAbdm, **changes: Any) -> None:
        self.camp = camp
        self.stream = io.StringIO()
        vault = open_vault(camp.office.settings.home, None)

        def enroll(claim: Claim) -> Advance:
            return advance_enrollment(
                camp.store, abdm, vault, SETTINGS, claim, clock=lambda: camp.now
            )

        wired: dict[str, Any] = {
            "advancers": {JobKind.ENROLL: enroll},
            "name": "w1",
            "concurrency": 4,
            "lease_ms": 120_000,
            "log": Log(self.stream),
            "clock": lambda: camp.now,
            "is_changed": lambda: False,
            "sweep": lambda: None,
            "dice": lambda: 0.0,
        }
        wired["ticks"] = changes.get("clock", wired["clock"])
        self.worker = Worker(camp.store, **{**wired, **changes})

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]


def settling(camp: Camp, note: Callable[[Claim], None]) -> dict[JobKind, Callable[..., Advance]]:
    """Give what settles every job by itself, after ``note``."""
    from sync.server.abdm.jobs import settle  # noqa: PLC0415 - only here

    def advance(claim: Claim) -> Advance:
        note(claim)
        with camp.store.write() as connection:
            settle(connection, claim, now=camp.now, version=claim.version)
        return SETTLED

    return {JobKind.ENROLL: advance}


def test_once_takes_everybody_who_is_due_and_ends(camp: Camp, abdm: FakeAbdm) -> None:
    records = [camp.person(aadhaar(number)) for number in range(12)]
    ended = Desk(camp, abdm).worker.run(once=True)
    assert {camp.state(record) for record in records} == {"ISSUED"}
    assert (ended.fates, ended.halts, ended.is_paused) == ({Fate.SETTLED: 12}, {}, False)


def test_once_leaves_what_waits_for_later(camp: Camp, abdm: FakeAbdm) -> None:
    for number in range(3):
        camp.person(aadhaar(number))
    abdm.failures[Step.DEMOGRAPHICS] = [None, unknown]
    ended = Desk(camp, abdm).worker.run(once=True)
    assert ended.fates == {Fate.SETTLED: 2, Fate.OUTAGE: 1}
    with camp.store.read() as connection:
        standing = read_abdm_standing(connection, now=camp.now)
    assert (standing["waiting"], standing["retrying"]) == (1, 1)


def test_without_work_once_ends_at_once(camp: Camp, abdm: FakeAbdm) -> None:
    assert Desk(camp, abdm).worker.run(once=True).fates == {}


def test_no_more_calls_at_a_time_than_it_was_told(camp: Camp, abdm: FakeAbdm) -> None:
    for number in range(12):
        camp.person(aadhaar(number))
    together = threading.Barrier(3)
    begun, active, most, lock = 0, 0, 0, threading.Lock()

    def note(_claim: Claim) -> None:
        nonlocal begun, active, most
        with lock:
            begun, active = begun + 1, active + 1
            most = max(most, active)
            is_first = begun == 1
        if not is_first:
            together.wait(timeout=10)  # only where three work at the same time does it go on
        with lock:
            active -= 1

    camp.person()  # thirteen: one to begin with, then four times three
    desk = Desk(camp, abdm, advancers=settling(camp, note), concurrency=3)
    assert desk.worker.run(once=True).fates == {Fate.SETTLED: 13}
    assert most == 3


def test_a_large_district_does_not_make_a_small_one_wait(camp: Camp, abdm: FakeAbdm) -> None:
    address = person_body()["address"]
    for number in range(30):
        camp.person(aadhaar(number), address={**address, "district": 10})
    camp.office.now += 60
    for number in range(30, 33):
        camp.person(aadhaar(number), address={**address, "district": 20})
    served: list[int] = []
    advancers = settling(camp, lambda claim: served.append(claim.district))
    Desk(camp, abdm, advancers=advancers, concurrency=1).worker.run(once=True)
    assert served[:6] in ([10, 20] * 3, [20, 10] * 3)
    assert Counter(served) == {10: 30, 20: 3}


def test_told_to_end_it_ends_the_calls_in_work_and_begins_no_more(
    camp: Camp, abdm: FakeAbdm
) -> None:
    for number in range(6):
        camp.person(aadhaar(number))
    desk = Desk(camp, abdm)
    abdm.after[Step.DEMOGRAPHICS] = desk.worker.stop
    ended = desk.worker.run()
    assert ended.fates == {Fate.SETTLED: 1}
    assert camp.office.count("SELECT count(*) FROM enrollments WHERE state = 'ISSUED'") == 1
    assert camp.office.count("SELECT count(*) FROM abdm_jobs WHERE claimed_until > 0") == 0


def test_who_comes_while_it_runs_is_taken_too(camp: Camp, abdm: FakeAbdm) -> None:
    first = camp.person(aadhaar(1))
    late: list[str] = []
    desk = Desk(camp, abdm)

    def bring_another() -> None:
        camp.office.now += 3
        if not late:
            late.append(camp.person(aadhaar(2)))
        else:
            desk.worker.stop()

    abdm.after[Step.DEMOGRAPHICS] = bring_another
    desk.worker.run()
    assert [camp.state(record) for record in (first, *late)] == ["ISSUED", "ISSUED"]


def test_a_clock_that_is_set_back_while_it_works_keeps_nobody_waiting(
    camp: Camp, abdm: FakeAbdm
) -> None:
    first = camp.person(aadhaar(1))
    late: list[str] = []
    steps = itertools.count(step=5_000)
    desk = Desk(camp, abdm, ticks=lambda: next(steps))

    def set_back() -> None:
        if late:
            desk.worker.stop()
        else:
            camp.office.now -= 86_400
            late.append(camp.person(aadhaar(2)))

    abdm.after[Step.DEMOGRAPHICS] = set_back
    desk.worker.run()
    assert [camp.state(record) for record in (first, *late)] == ["ISSUED", "ISSUED"]


def test_an_outage_pauses_everybody(camp: Camp, abdm: FakeAbdm) -> None:
    for number in range(30):
        camp.person(aadhaar(number))
    abdm.failures[Step.DEMOGRAPHICS] = [None, *[unknown] * 60]
    desk = Desk(camp, abdm)
    ended = desk.worker.run(once=True)
    assert ended.is_paused
    assert 5 <= ended.fates[Fate.OUTAGE] <= 8
    assert len(desk.logged("paused")) == 1


def test_after_the_pause_one_tries_and_then_all(camp: Camp, abdm: FakeAbdm) -> None:
    records = [camp.person(aadhaar(number)) for number in range(10)]
    abdm.failures[Step.DEMOGRAPHICS] = [unknown]
    ended = Desk(camp, abdm).worker.run(once=True)
    assert (ended.is_paused, ended.fates) == (True, {Fate.OUTAGE: 1})
    camp.office.now += 10
    Desk(camp, abdm).worker.run(once=True)
    assert {camp.state(record) for record in records} == {"ISSUED"}


def test_a_refused_configuration_halts_after_one_call_and_status_says_why(
    camp: Camp, abdm: FakeAbdm
) -> None:
    for number in range(30):
        camp.person(aadhaar(number))
    abdm.failures[Step.DEMOGRAPHICS] = [refused("ABDM-1094", Effect.STOP)]
    desk = Desk(camp, abdm)
    ended = desk.worker.run(once=True)
    assert (ended.fates, ended.halts) == ({Fate.HALTED: 1}, {JobKind.ENROLL: "ABDM-1094"})
    with camp.store.read() as connection:
        standing = read_abdm_standing(connection, now=camp.now)
    assert standing["halted"] == {"enroll": {"code": "ABDM-1094", "since": camp.office.now}}
    assert any("ABDM-1094" in line for line in standing_lines(standing))
    assert desk.logged("halted")[0]["code"] == "ABDM-1094"


def test_a_halt_of_one_kind_leaves_the_other_its_turn(camp: Camp, abdm: FakeAbdm) -> None:
    record = camp.person(aadhaar(1))
    camp.issue(record, "00-1234-5678-9012")
    camp.bring(camp.laptop.link(record))
    camp.person(aadhaar(2))
    abdm.failures[Step.DEMOGRAPHICS] = [refused("ABDM-1094", Effect.STOP)]
    desk = Desk(camp, abdm)
    linked: list[str] = []

    def link(claim: Claim) -> Advance:
        linked.append(claim.enrollment)
        with camp.store.write() as connection:
            connection.exec_driver_sql("UPDATE links SET state = 'LINKED'")
        return settling(camp, lambda _: None)[JobKind.ENROLL](claim)

    advancers = {**desk.worker._advancers, JobKind.LINK: link}
    ended = Desk(camp, abdm, advancers=advancers).worker.run(once=True)
    assert (linked, ended.halts) == ([record], {JobKind.ENROLL: "ABDM-1094"})


def test_a_worker_that_begins_takes_a_halt_up_again(camp: Camp, abdm: FakeAbdm) -> None:
    record = camp.person(aadhaar(1))
    abdm.failures[Step.DEMOGRAPHICS] = [refused("ABDM-1094", Effect.STOP)]
    Desk(camp, abdm).worker.run(once=True)
    Desk(camp, abdm).worker.run(once=True)
    assert camp.state(record) == "ISSUED"
    with camp.store.read() as connection:
        assert read_abdm_standing(connection, now=camp.now)["halted"] == {}


def halted(camp: Camp) -> list[str]:
    with camp.store.read() as connection:
        return list(read_abdm_standing(connection, now=camp.now)["halted"])


def test_one_job_tells_every_quarter_of_an_hour_whether_it_goes_on(
    camp: Camp, abdm: FakeAbdm
) -> None:
    records = [camp.person(aadhaar(number)) for number in range(3)]
    no = refused("ABDM-1016", Effect.STOP)
    abdm.failures[Step.DEMOGRAPHICS] = [no, no]
    steps = itertools.count(step=10_000)
    seen: list[tuple[int, list[str]]] = []
    desk = Desk(camp, abdm, ticks=lambda: next(steps))

    def look() -> None:
        seen.append((next(steps), halted(camp)))
        if len(abdm.calls) > 2 and len(seen) >= 5:
            desk.worker.stop()

    abdm.before[Step.DEMOGRAPHICS] = look
    desk.worker.run()
    assert [kinds for _, kinds in seen] == [[], ["enroll"], ["enroll"], [], []]
    moments = [moment for moment, _ in seen]
    assert all(later - earlier >= 900_000 for earlier, later in itertools.pairwise(moments[:3]))
    assert {camp.state(record) for record in records} == {"ISSUED"}
    assert [line["kind"] for line in desk.logged("resumed")] == ["enroll"]


def test_another_worker_leaves_the_mark_of_one_that_is_halted(camp: Camp, abdm: FakeAbdm) -> None:
    camp.person(aadhaar(1))
    abdm.failures[Step.DEMOGRAPHICS] = [refused("ABDM-1016", Effect.STOP)]
    seen: list[list[str]] = []

    def help_out(_seconds: float = 0) -> bool:
        Desk(camp, abdm, name="w2").worker.run(once=True)
        seen.append(halted(camp))
        return True

    Desk(camp, abdm, is_changed=help_out).worker.run()
    assert seen == [["enroll"]]
    assert halted(camp) == []


def test_a_mark_that_a_killed_worker_left_behind_is_forgotten_after_an_hour(camp: Camp) -> None:
    with camp.store.write() as connection:
        kind, now = JobKind.ENROLL, camp.now
        note_halt(connection, kind, "ABDM-1016", worker="killed", since=now, now=now)
    camp.office.now += 3600
    assert halted(camp) == ["enroll"]
    camp.office.now += 1
    assert halted(camp) == []
    Desk(camp, FakeAbdm()).worker.run(once=True)
    assert camp.office.count("SELECT count(*) FROM meta WHERE name LIKE 'abdm-halted-%'") == 0


def test_who_is_called_for_want_of_a_benefit_is_taken_up_again_once_there_is_one(
    camp: Camp, abdm: FakeAbdm
) -> None:
    record, attended = camp.person(aadhaar(1)), camp.person(aadhaar(2))
    without = camp.person(birth={"year": 1980})
    settings = replace(SETTINGS, benefit="")
    vault = open_vault(camp.office.settings.home, None)
    for claim in camp.claim(3):
        advance_enrollment(camp.store, abdm, vault, settings, claim, clock=lambda: camp.now)
    with camp.store.write() as connection:
        keep_finish(connection, attended, Finish(), now=camp.now)
    states = [camp.state(each) for each in (record, attended, without)]
    assert states == ["NEEDS_PERSON"] * 3
    Desk(camp, abdm).worker.run(once=True)
    assert camp.state(record) == "NEEDS_PERSON"
    Desk(camp, abdm, has_benefit=True).worker.run(once=True)
    states = [camp.state(each) for each in (record, attended, without)]
    assert states == ["ISSUED", "NEEDS_PERSON", "NEEDS_PERSON"]
    camp.office.now += 901
    Desk(camp, abdm, has_benefit=True).worker.run(once=True)
    assert camp.state(attended) == "ISSUED"


def test_status_says_that_there_is_no_benefit(camp: Camp) -> None:
    with camp.store.read() as connection:
        standing = read_abdm_standing(connection, now=camp.now, lacks_benefit=True)
        other = read_abdm_standing(connection, now=camp.now)
    assert any("No benefit is set" in line for line in standing_lines(standing))
    assert not any("benefit" in line for line in standing_lines(other))


def test_a_halted_worker_ends_when_its_configuration_is_another_one(
    camp: Camp, abdm: FakeAbdm
) -> None:
    camp.person(aadhaar(1))
    abdm.failures[Step.DEMOGRAPHICS] = [refused("ABDM-1094", Effect.STOP)]
    moments = iter(range(camp.now, camp.now + 1_000_000_000, 5_000))
    desk = Desk(camp, abdm, clock=lambda: next(moments), is_changed=lambda: True)
    assert desk.worker.run().is_stale


def test_a_fault_of_ours_ends_nobody_elses_turn_and_is_tried_again_later(
    camp: Camp, abdm: FakeAbdm
) -> None:
    records = [camp.person(aadhaar(number)) for number in range(3)]

    def fail(claim: Claim) -> None:
        if claim.enrollment == records[1]:
            raise ValueError("a person's value")

    desk = Desk(camp, abdm, advancers=settling(camp, fail))
    desk.worker.run(once=True)
    job = camp.job(records[1])
    assert (job["state"], job["code"], job["attempts"]) == ("due", "worker:fault", 1)
    assert job["due_at"] > camp.now
    assert [line["error"] for line in desk.logged("crash")] == ["ValueError"]
    assert "a person's value" not in desk.stream.getvalue()


def test_a_busy_database_leaves_a_job_to_its_lease(camp: Camp, abdm: FakeAbdm) -> None:
    record = camp.person(aadhaar(1))

    def be_busy(_claim: Claim) -> Advance:
        raise DatabaseBusy("locked")

    desk = Desk(camp, abdm, advancers={JobKind.ENROLL: be_busy})
    assert desk.worker.run(once=True).fates == {Fate.WAITS: 1}
    assert len(desk.logged("database-busy")) == 1
    assert camp.state(record) == "ACCEPTED"


def test_numbers_of_who_has_one_or_withdrew_are_swept_away(camp: Camp, abdm: FakeAbdm) -> None:
    waiting, withdrawn, issued = (camp.person(aadhaar(number)) for number in range(3))
    camp.withdraw(withdrawn)
    camp.issue(issued, "00-1234-5678-9012")
    with camp.store.write() as connection:
        assert discard_numbers(connection) == 2
    assert [camp.sealed(record) for record in (waiting, withdrawn, issued)] == [1, 0, 0]


def test_the_log_names_records_and_codes_and_nobody(camp: Camp, abdm: FakeAbdm) -> None:
    record = camp.person(aadhaar(1))
    desk = Desk(camp, abdm)
    desk.worker.run(once=True)
    (line,) = desk.logged("job")
    assert (line["record"], line["fate"]) == (record, "settled")
    assert not {"Zebra", aadhaar(1), "00-0000"} & set(desk.stream.getvalue().split('"'))
