"""What the kit asks while a person is present, and what it does with the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from enrollkit.app import finishing
from enrollkit.app.kit import Kit
from enrollkit.domain.enrollment import State
from enrollkit.domain.identifiers import provisional_number
from enrollkit.errors import RecordNotFound
from kit_office import Office
from kit_samples import intake_row, unlocked
from sync.errors import Offline
from sync.protocol import FinishAnswer, FinishRequest, FinishStage
from sync.sealing import SigningKey, open_finish_request, seal_finish_answer

SERVER = SigningKey.generate()
NUMBER = "91-1111-1111-1111"
ADDRESS = "asha.devi@sbx"
OTHER = "0e" * 16


@dataclass
class Server:
    """Answers each step with ``says``; ``heard`` are the steps that came."""

    kit: Kit
    says: dict[str, Any] = field(default_factory=dict)
    heard: list[FinishRequest] = field(default_factory=list)
    break_line: Callable[[], None] = lambda: None

    def finish(self, message: bytes) -> bytes:
        keys = self.kit._open().keys
        request = open_finish_request(message, keys.signing.public)
        self.heard.append(request)
        self.break_line()
        values: dict[str, Any] = {
            "device": request.device,
            "record": request.subject.ljust(32, "0"),
            "stage": FinishStage.READY,
            "code": "",
            "pointer": "",
            "hint": "",
            "again_at": 0,
            "handles": (),
            "abha_number": None,
            "abha_address": None,
            "server_time": 1_795_300_000,
            "nonce": request.nonce,
        }
        answer = FinishAnswer(**(values | self.says))
        return seal_finish_answer(answer, SERVER, keys.opening.public)

    def close(self) -> None:
        """Hang up."""

    def traffic(self) -> tuple[int, int, int]:
        return 1500, 1600, 1


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with unlocked(tmp_path / "laptop", server=SERVER) as found:
        yield found


@pytest.fixture
def server(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> Server:
    found = Server(kit)
    monkeypatch.setattr(finishing, "HttpTransport", lambda _url: found)
    return found


@pytest.fixture
def record(kit: Kit) -> str:
    saved = kit.enrolling.submit_row(intake_row(), source=None)
    assert saved.id is not None
    Office(kit).answer()
    return saved.id


def test_a_person_of_this_laptop_is_asked_for_by_their_record(
    kit: Kit, server: Server, record: str
) -> None:
    for ident in (record, provisional_number(record)):
        state = kit.finishing.look(ident)
        assert (state.record, state.stage, state.name) == (record, "ready", "Asha Devi")
    assert [step.subject for step in server.heard] == [record, record]


def test_a_person_of_another_laptop_is_asked_for_by_the_number_on_the_card(
    kit: Kit, server: Server
) -> None:
    state = kit.finishing.send(provisional_number(OTHER))
    assert (server.heard[0].subject, state.name) == (OTHER[:15], "")
    assert kit.finishing.look(OTHER.upper()).record == OTHER
    assert server.heard[1].subject == OTHER


def test_the_server_need_not_tell_the_whole_record_id(
    kit: Kit, server: Server, record: str
) -> None:
    server.says = {"record": "", "stage": FinishStage.CODE_SENT}
    assert kit.finishing.send(record).record == record
    state = kit.finishing.send(provisional_number(OTHER))
    assert (state.record, state.is_known) == ("", True)
    server.says = {"record": "", "stage": FinishStage.REFUSED, "code": "finish:unknown"}
    assert not kit.finishing.send(provisional_number(OTHER)).is_known


@pytest.mark.parametrize("ident", ["", "Asha", "7K2M-94QD-XV3T-9", "91-2222-2222-2222", "0e"])
def test_what_names_nobody_is_not_asked_for(kit: Kit, server: Server, ident: str) -> None:
    with pytest.raises(RecordNotFound):
        kit.finishing.look(ident)
    assert server.heard == []


def test_seconds_are_counted_by_the_servers_clock(kit: Kit, server: Server, record: str) -> None:
    server.says = {"stage": FinishStage.CODE_SENT, "again_at": 1_795_300_042}
    assert kit.finishing.send(record).again_in == 42
    server.says = {"stage": FinishStage.CODE_SENT, "again_at": 1_795_299_000}
    assert kit.finishing.look(record).again_in == 0


def test_a_number_is_written_down_at_once(kit: Kit, server: Server, record: str) -> None:
    server.says = {"stage": FinishStage.MOBILE, "abha_number": NUMBER}
    kit.finishing.code(record, "123456")
    page = kit.people.page(record)
    assert (page.state, page.abha_number, page.abha_address) == (State.ISSUED, NUMBER, None)
    server.says |= {"stage": FinishStage.DONE, "abha_address": ADDRESS}
    kit.finishing.choose_address(record, "asha.devi")
    assert kit.people.page(record).abha_address == ADDRESS


def test_the_same_news_changes_nothing_afterwards(kit: Kit, server: Server, record: str) -> None:
    server.says = {"stage": FinishStage.DONE, "abha_number": NUMBER, "abha_address": ADDRESS}
    kit.finishing.code(record, "123456")
    events = len(kit.people.page(record).history)
    kit.finishing.look(record)
    body = {"abha_number": NUMBER, "abha_address": ADDRESS}
    assert Office(kit).tell("abha.issued", record, **body) == "applied"
    page = kit.people.page(record)
    assert (page.state, page.abha_number, len(page.history)) == (State.ISSUED, NUMBER, events)


def test_a_number_that_was_there_before_is_written_down_as_such(
    kit: Kit, server: Server, record: str
) -> None:
    server.says = {"stage": FinishStage.DONE, "abha_number": NUMBER, "code": "abdm:exists"}
    state = kit.finishing.code(record, "123456")
    page = kit.people.page(record)
    assert (page.state, page.abha_number) == (State.DUPLICATE, NUMBER)
    assert state.reason is not None
    assert state.reason.text.endswith("theirs.")
    assert page.history[-1].what == "has an ABHA number already"


def test_a_person_who_was_returned_is_issued(kit: Kit, server: Server, record: str) -> None:
    Office(kit).tell("enrollment.returned", record, code="abdm:mismatch", pointer="")
    server.says = {"stage": FinishStage.ADDRESS, "abha_number": NUMBER, "handles": ("asha.d",)}
    assert kit.finishing.code(record, "123456").handles == ("asha.d",)
    page = kit.people.page(record)
    assert (page.state, page.reason) == (State.ISSUED, None)


def test_why_not_is_said_in_words_with_the_field(kit: Kit, server: Server, record: str) -> None:
    server.says = {
        "stage": FinishStage.REFUSED, "code": "abdm:mobile-full", "pointer": "/mobile",
    }  # fmt: skip
    here = kit.finishing.send(record).reason
    there = kit.finishing.send(provisional_number(OTHER)).reason
    assert here is not None
    assert there is not None
    assert (here.pointer, here.text) == (there.pointer, there.text)
    assert here.value
    assert not there.value


def test_without_an_aadhaar_number_it_is_said_before_anything_is_sent(
    kit: Kit, server: Server, record: str
) -> None:
    saved = kit.enrolling.submit_row(intake_row(name="Meena Kumari", aadhaar=None), source=None)
    state = kit.finishing.look(str(saved.id))
    assert (state.stage, state.reason and state.reason.code) == (
        "refused",
        "person:aadhaar-missing",
    )
    server.says = {"stage": FinishStage.REFUSED, "code": "person:aadhaar-missing"}
    assert kit.finishing.look(record).stage == "ready", "the number was added since"


def test_the_operator_who_asked_stands_in_the_audit_and_no_value_does(
    kit: Kit, server: Server, record: str
) -> None:
    kit.finishing.send(record)
    kit.finishing.code(record, "482913")
    kit.finishing.look(record)
    rows = kit._open().database.read(
        lambda tx: tx.execute("SELECT * FROM audit WHERE action LIKE 'finish.%'").fetchall()
    )
    assert [row[3] for row in rows] == ["finish.send", "finish.code"]
    assert all(record in row for row in rows)
    assert "482913" not in str(rows)


def test_its_bytes_count_as_those_of_the_day(kit: Kit, server: Server, record: str) -> None:
    kit.finishing.look(record)
    assert kit.delivery.bytes_used_today() == 3100


def test_no_answer_changes_nothing_here(kit: Kit, server: Server, record: str) -> None:
    def cut() -> None:
        raise Offline

    server.break_line = cut
    with pytest.raises(Offline):
        kit.finishing.send(record)
    assert len(server.heard) == 3
    assert len({step.nonce for step in server.heard}) == 1
    assert kit.people.page(record).state is State.ACCEPTED


def test_neither_code_nor_state_prints_a_value(kit: Kit, server: Server, record: str) -> None:
    server.says = {"stage": FinishStage.CODE_SENT, "hint": "******4321"}
    state = kit.finishing.code(record, "482913")
    shown = repr(state) + repr(server.heard)
    assert "4321" not in shown
    assert "482913" not in shown
