from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from abdm_office import Camp, aadhaar
from server_laptops import Office
from sync.server.abdm.calls import Begun, Ending, EndKind, Step
from sync.server.abdm.exchanges import Exchanges, find_exchange, note_callback, was_left_open
from sync.server.abdm.jobs import JobKind


@pytest.fixture
def camp(office: Office) -> Camp:
    return Camp(office)


@pytest.fixture
def record(camp: Camp) -> str:
    return camp.person(aadhaar(1))


def exchanges_of(camp: Camp, record: str) -> Exchanges:
    return Exchanges(
        camp.store, enrollment=record, kind=JobKind.ENROLL, version=1, clock=lambda: camp.now
    )


def begun(step: Step = Step.DEMOGRAPHICS) -> Begun:
    return Begun(step=step, request_id=str(uuid.uuid4()), request={"name": "<5 letters>"})


def ending(of: Begun, kind: EndKind = EndKind.DONE, status: int | None = 200) -> Ending:
    return Ending(request_id=of.request_id, kind=kind, status=status, code="ABDM-1", response={})


def test_a_request_is_on_disk_before_it_leaves(camp: Camp, record: str) -> None:
    one = begun()
    exchanges_of(camp, record).begin(one)
    (row,) = camp.exchanges(record)
    assert (row["request_id"], row["step"], row["ended_at"]) == (one.request_id, "demo-auth", None)


def test_a_guard_keeps_a_request_from_being_written_and_from_leaving(
    camp: Camp, record: str
) -> None:
    def refuse(_connection: Connection) -> None:
        raise RuntimeError("no")

    guarded = Exchanges(
        camp.store,
        enrollment=record,
        kind=JobKind.ENROLL,
        version=1,
        clock=lambda: camp.now,
        guard=refuse,
    )
    with pytest.raises(RuntimeError):
        guarded.begin(begun())
    assert camp.exchanges(record) == []


def test_an_ending_is_never_written_over(camp: Camp, record: str) -> None:
    exchanges, one = exchanges_of(camp, record), begun()
    exchanges.begin(one)
    assert exchanges.end_alone(ending(one, EndKind.REFUSED, 422))
    assert not exchanges.end_alone(ending(one, EndKind.DONE, 200))
    (row,) = camp.exchanges(record)
    assert (row["ending"], row["status"]) == ("refused", 422)


def test_an_ending_that_is_rolled_back_leaves_the_request_open(camp: Camp, record: str) -> None:
    exchanges, one = exchanges_of(camp, record), begun()
    exchanges.begin(one)
    with pytest.raises(ZeroDivisionError), camp.store.write() as connection:
        assert exchanges.end(connection, ending(one)) / 0
    assert camp.exchanges(record)[0]["ended_at"] is None


@pytest.mark.parametrize(
    ("kind", "status", "is_open"),
    [
        (None, None, True),
        (EndKind.UNKNOWN, None, True),
        (EndKind.REFUSED, 503, False),
        (EndKind.REFUSED, 422, False),
        (EndKind.UNSENT, None, False),
        (EndKind.DONE, 200, False),
    ],
)
def test_only_what_may_have_been_done_counts_as_left_open(
    camp: Camp,
    record: str,
    kind: EndKind | None,
    status: int | None,
    is_open: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    exchanges, one, now = exchanges_of(camp, record), begun(), begun()
    exchanges.begin(one)
    exchanges.begin(now)
    if kind is not None:
        exchanges.end_alone(ending(one, kind, status))
    with camp.store.read() as connection:
        steps = (Step.DEMOGRAPHICS,)
        assert was_left_open(connection, record, steps, besides=now.request_id) is is_open
        assert not was_left_open(connection, record, (Step.QR,), besides="")


def test_a_callback_is_noted_once_beside_the_ending(camp: Camp, record: str) -> None:
    exchanges, one = exchanges_of(camp, record), begun(Step.LINK)
    exchanges.begin(one)
    exchanges.end_alone(ending(one, EndKind.DONE, 202))
    with camp.store.write() as connection:
        found = find_exchange(connection, one.request_id)
        assert found is not None
        assert found.enrollment == record
        assert note_callback(connection, one.request_id, {"a": 1}, code="", now=5)
        assert not note_callback(connection, one.request_id, {"a": 2}, code="X", now=6)
        assert find_exchange(connection, str(uuid.uuid4())) is None
    assert camp.exchanges(record)[0]["callback"] == '{"a": 1}'


def test_an_answer_without_measure_does_not_fill_the_disk(camp: Camp, record: str) -> None:
    exchanges, one = exchanges_of(camp, record), begun()
    exchanges.begin(one)
    exchanges.end_alone(
        Ending(request_id=one.request_id, kind=EndKind.REFUSED, response={"a": "x" * 1_000_000})
    )
    assert len(camp.exchanges(record)[0]["response"]) < 100


def test_half_a_character_in_an_answer_is_written_down_all_the_same(
    camp: Camp, record: str
) -> None:
    one, exchanges = begun(), exchanges_of(camp, record)
    exchanges.begin(one)
    odd = replace(ending(one), response={"requestId": "x\ud800\0"})
    assert exchanges.end_alone(odd)
    assert camp.exchanges(record)[0]["response"] == '{"requestId": "x\\ud800\\u0000"}'
