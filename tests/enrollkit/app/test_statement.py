"""The statement of a laptop: everybody is somewhere, on the screen, on paper and in the code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from enrollkit.app.kit import Kit
from enrollkit.app.statement import StatementNotWritten, StatementWrong
from enrollkit.store import statements
from kit_samples import NOW, intake_row, unlocked
from stick_office import StickOffice, enroll, open_stick_office
from sync.bundle import decode_return, encode_return
from sync.protocol import Outcome, Verdict
from sync.sealing import open_receipt, sign_receipt

TODAY = date(2026, 11, 22)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[StickOffice]:
    with open_stick_office(tmp_path) as office:
        yield office


def parts(kit: Kit, day: date | None = None) -> dict[str, Any]:
    told = kit.statement(day)
    assert told.adds_up
    figures = told.figures()
    return {
        name: figures[name] for name in ("total", "on_laptop", "signed_for", "held", "returned")
    }


def answered(office: StickOffice, kit: Kit, stick: Path, *verdicts: Verdict) -> None:
    """Bring a stick home whose one receipt says this."""
    from dataclasses import replace  # noqa: PLC0415 - to word a receipt anew

    stick.mkdir(exist_ok=True)
    answer = office.answer(kit.sticks.export(stick).files[0])
    content = decode_return(answer.read_bytes())
    key = office.office.keys.signing
    receipts = []
    for raw in content.receipts:
        receipt = open_receipt(raw, key.public)
        told = (*(Verdict(outcome=Outcome.ACCEPTED),) * len(receipt.verdicts), *verdicts)
        reworded = replace(receipt, verdicts=told[-len(receipt.verdicts) :])
        receipts.append(sign_receipt(reworded, key))
    answer.write_bytes(encode_return(content.reply, receipts, ()))
    kit.sticks.receive(answer)


def test_refused_and_held_people_are_told_apart(office: StickOffice, tmp_path: Path) -> None:
    kit = office.kit("laptop")
    enroll(kit, 3)
    answered(
        office,
        kit,
        tmp_path / "stick",
        Verdict(outcome=Outcome.HELD, code="twin"),
        Verdict(outcome=Outcome.REJECTED, code="schema", pointer="/mobile"),
    )
    enroll(kit, 1)
    assert parts(kit) == {"total": 4, "on_laptop": 1, "signed_for": 2, "held": 1, "returned": 1}


def test_the_backup_of_the_server_is_told(office: StickOffice, tmp_path: Path) -> None:
    kit = office.kit("laptop")
    enroll(kit, 2)
    stick = tmp_path / "stick"
    stick.mkdir()
    answer = office.answer(kit.sticks.export(stick).files[0])
    kit.sticks.receive(answer)
    assert kit.statement().durable == 0
    content = decode_return(answer.read_bytes())
    reply = office.reworded(
        content.reply, durable_upto=1, server_time=office.office.now + 60, held_upto=0,
        held_digest=bytes(32),
    )  # fmt: skip
    answer.write_bytes(encode_return(reply, content.receipts, ()))
    kit.sticks.receive(answer)
    assert kit.statement().durable == kit.statement().signed_for == 2


def test_who_was_saved_on_another_day_is_in_the_whole_and_not_in_the_day(tmp_path: Path) -> None:
    with unlocked(tmp_path) as kit:
        enroll(kit, 2)
        kit._system.time = NOW + 24 * 3600  # type: ignore[attr-defined] - the tests' clock
        enroll(kit, 1)
        assert parts(kit)["total"] == 3
        assert parts(kit, TODAY)["total"] == 2
        assert parts(kit, TODAY + timedelta(days=1))["total"] == 1
        assert parts(kit, TODAY + timedelta(days=2))["total"] == 0


def test_drafts_are_not_enrolled(tmp_path: Path) -> None:
    with unlocked(tmp_path) as kit:
        draft = kit.drafts.start()
        kit.drafts.save(draft.id, intake_row(aadhaar=None), "person")
        told = kit.statement()
        assert (told.total, told.drafts) == (0, 1)


def test_no_statement_is_made_of_figures_that_do_not_add_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unlocked(tmp_path) as kit:
        enroll(kit, 2)
        monkeypatch.setattr(statements, "_total", lambda *_: 3)
        with pytest.raises(StatementWrong):
            kit.statement()
        with pytest.raises(StatementWrong):
            kit.print_statement(tmp_path / "statement.pdf")
        assert not (tmp_path / "statement.pdf").exists()


def test_the_printed_code_is_checked_by_any_laptop_of_the_programme(
    office: StickOffice, tmp_path: Path
) -> None:
    kit, other = office.kit("laptop"), office.kit("other")
    enroll(kit, 5)
    stick = tmp_path / "stick"
    stick.mkdir()
    kit.sticks.export(stick)
    enroll(kit, 1)
    paper = tmp_path / "statement.pdf"
    assert kit.print_statement(paper, TODAY).files == (paper,)
    (own,) = kit.checking.verify(paper)
    assert (own.kind, own.verdict, own.signer) == ("statement", "verified", kit._open().keys.id)
    assert own.fields["total"] == "6"
    assert (own.fields["on_laptop"], own.fields["on_sticks"]) == ("1", "5")
    assert own.fields["day"] == "2026-11-22"
    (before,) = other.checking.verify(paper)
    assert (before.verdict, dict(before.fields)) == ("unknown-signer", {})

    # Once the office has met both, each knows the other by the programme's list.
    for laptop in (kit, other):
        laptop.sticks.export(stick)
    asking = other._open().keys.id
    for file in sorted(stick.glob("*.ekb"), key=lambda file: file.name.startswith(asking)):
        office.answer(file)  # who asks comes last, when the office has met the one who signed
    other.sticks.receive(stick)
    (after,) = other.checking.verify(paper)
    assert after.verdict == "verified"


@pytest.mark.parametrize("name", ["statement.txt", "nowhere/statement.pdf"])
def test_a_statement_that_cannot_be_written_says_so(tmp_path: Path, name: str) -> None:
    with unlocked(tmp_path / "home") as kit, pytest.raises(StatementNotWritten):
        kit.print_statement(tmp_path / name)
