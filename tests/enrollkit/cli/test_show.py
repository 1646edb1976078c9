"""``enrollkit show``: why somebody came home, and what the office has, in words and in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from enrollkit.cli.main import main
from kit_office import Office, held
from kit_samples import PASSPHRASE, intake_row, unlocked


@pytest.fixture
def asha(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have somebody on whom the laptop and the office do not agree."""
    home = tmp_path / "laptop"
    monkeypatch.setenv("ENROLLKIT_HOME", str(home))
    monkeypatch.setenv("ENROLLKIT_PASSPHRASE", PASSPHRASE)
    with unlocked(home) as kit:
        record = str(kit.enrolling.submit_row(intake_row()).id)
        office = Office(kit)
        office.answer(held("conflict", "/name"))
        theirs = {**kit.people.page(record).enrollment.body(), "name": "Aasha Devi"}
        conflicts = [{"pointer": "/name", "yours": "Asha Devi", "theirs": "Aasha Devi"}]
        office.tell("correction", record, version=3, body=theirs, conflicts=conflicts)
    return record


def test_both_values_and_the_reason_are_printed(
    asha: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", asha]) == 0
    said = capsys.readouterr().out
    assert "Name (Asha Devi)  The office changed the same field." in said
    assert "[conflict]" in said
    assert "Name  here: Asha Devi · from the office: Aasha Devi" in said


def test_a_program_gets_them_as_values(asha: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", asha, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["state"] == "RETURNED"
    assert said["reason"]["code"] == "conflict"
    assert said["conflicts"] == [{"pointer": "/name", "yours": "Asha Devi", "theirs": "Aasha Devi"}]


def test_a_sealed_number_is_named_and_no_value_is_made_up_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENROLLKIT_HOME", str(tmp_path / "other"))
    monkeypatch.setenv("ENROLLKIT_PASSPHRASE", PASSPHRASE)
    with unlocked(tmp_path / "other") as kit:
        record = str(kit.enrolling.submit_row(intake_row()).id)
        Office(kit).answer(held("abdm:aadhaar", "/aadhaar"))
    assert main(["show", record]) == 0
    said = capsys.readouterr().out
    assert "Aadhaar number  Aadhaar does not know this number." in said
    assert "nothing" not in said
    assert main(["show", record, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reason"]["pointer"] == "/aadhaar"
