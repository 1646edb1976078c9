"""``enrollkit trust`` and ``verify``, as people and programs use them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import typer

from aadhaar_ca import signer
from aadhaar_samples import ASHA, content_of, digits_of, packed_of, signed
from enrollkit.cli.main import main
from kit_samples import PASSPHRASE, unlocked
from sync.anchors import AnchorUnknown, spelt


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a certificate's file, beside a laptop that is set up."""
    monkeypatch.setenv("ENROLLKIT_HOME", str(tmp_path / "laptop"))
    monkeypatch.setenv("ENROLLKIT_PASSPHRASE", PASSPHRASE)
    with unlocked(tmp_path / "laptop"):
        pass
    path = tmp_path / "uidai_practice.cer"
    path.write_bytes(signer().pem)
    return path


def test_it_is_shown_with_its_fingerprint_and_then_verifies(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trust", "list"]) == 0
    assert "none is verified" in capsys.readouterr().out
    assert main(["trust", "add", str(file)]) == 0
    said = capsys.readouterr().out
    assert spelt(signer().anchor.fingerprint) in said
    assert "2017-01-01" in said
    digits = digits_of(packed_of(signed(content_of(ASHA), signer())))
    assert main(["verify", digits]) == 0
    said = capsys.readouterr().out
    assert "verified by DS Practice Authority 1" in said
    assert "Aadhaar number: XXXX XXXX 7058" in said
    assert main(["verify", "--json", digits]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["signer"]) == ("verified", "DS Practice Authority 1")
    assert main(["verify", digits[:-1]]) == 1


def test_programs_get_objects(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trust", "add", str(file), "--source", "uidai.gov.in", "--json"]) == 0
    added = json.loads(capsys.readouterr().out)
    assert main(["trust", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [added]
    assert (added["fingerprint"], added["source"], added["of_programme"]) == (
        signer().anchor.fingerprint, "uidai.gov.in", False,
    )  # fmt: skip
    assert main(["trust", "remove", added["fingerprint"][:16]]) == 0
    assert "Removed" in capsys.readouterr().out
    assert main(["trust", "remove", added["fingerprint"], "--json"]) == AnchorUnknown.exit_code


def test_another_fingerprint_than_the_one_that_is_known_adds_nothing(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = spelt(signer().anchor.fingerprint)
    assert main(["trust", "add", str(file), "--fingerprint", "00" * 32]) == AnchorUnknown.exit_code
    assert main(["trust", "list", "--json"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "[]"
    assert main(["trust", "add", str(file), "--fingerprint", known]) == 0


@pytest.mark.parametrize(("answer", "ends"), [(True, 0), (False, 1)])
def test_a_person_is_asked_first(
    file: Path, monkeypatch: pytest.MonkeyPatch, *, answer: bool, ends: int
) -> None:
    asked: list[str] = []

    def confirm(text: str, *, default: bool) -> bool:
        assert not default
        asked.append(text)
        return answer

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(typer, "confirm", confirm)
    assert main(["trust", "add", str(file)]) == ends
    assert asked
