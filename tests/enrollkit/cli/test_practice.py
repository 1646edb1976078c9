"""Commands of a laptop that practises say so beside every number, and a real one never does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from enrollkit.cli.main import main
from kit_office import Office
from kit_samples import PASSPHRASE, intake_row, unlocked
from sync.protocol import FeedKind

NUMBER = "00-1234-5678-9012"


def laptop(home: Path, monkeypatch: pytest.MonkeyPatch, *, practice: bool, number: str) -> str:
    """Set up a laptop with one person who has an ABHA number."""
    monkeypatch.setenv("ENROLLKIT_HOME", str(home))
    monkeypatch.setenv("ENROLLKIT_PASSPHRASE", PASSPHRASE)
    with unlocked(home, practice=practice) as kit:
        record = str(kit.enrolling.submit_row(intake_row()).id)
        office = Office(kit)
        office.answer()
        address = "practice.asha@sbx" if practice else "asha@abdm"
        office.tell(FeedKind.ABHA_ISSUED, record, abha_number=number, abha_address=address)
    return record


@pytest.fixture
def asha(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return laptop(tmp_path / "laptop", monkeypatch, practice=True, number=NUMBER)


def test_show_labels_both_numbers(asha: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", asha]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[1].startswith(f"PRACTICE  {NUMBER}  ★")
    assert lines[2].startswith("PRACTICE  practice.asha@sbx  provisional ")
    assert said.err.startswith("PRACTICE: ")
    assert main(["show", asha, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["practice"] is True


def test_status_and_the_statement_say_so(asha: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert asha
    assert main(["status"]) == 0
    assert capsys.readouterr().out.startswith("PRACTICE: ")
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["practice"] is True
    assert main(["status", "--statement"]) == 0
    assert capsys.readouterr().out.startswith("PRACTICE\n")


def test_cards_are_counted_as_practice_and_verified_as_such(
    asha: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "card.png"
    assert main(["card", asha, "-o", str(out), "--abha-code", "app"]) == 0
    assert capsys.readouterr().out.startswith("PRACTICE: 1 card\n")
    assert main(["verify", str(out)]) == 0
    said = capsys.readouterr().out
    assert "The signature is right. PRACTICE: it is no real card." in said
    assert "it says the same as the signed code beside it." in said
    assert "Status: PRACTICE" in said


def test_a_laptop_in_earnest_says_nothing_of_practice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "laptop"
    record = laptop(home, monkeypatch, practice=False, number="91-1234-5678-9012")
    for command in (["show", record], ["status"], ["card", record, "-o", str(tmp_path / "c.pdf")]):
        assert main(command) == 0
        said = capsys.readouterr()
        assert "PRACTICE" not in said.out + said.err
