"""What the office believes reaches the laptops in the signed programme, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aadhaar_ca import signer
from server_laptops import Office
from sync.anchors import ANCHORS_MAX, AnchorInvalid, AnchorUnknown, spelt
from sync.server import cli
from sync.server.errors import FileUnusable

Run = Callable[..., str]


@pytest.fixture
def trust(office: Office) -> Run:
    def run_command(*arguments: str) -> str:
        home = ["--home", str(office.settings.home)]
        command = ["trust", *arguments, *home]
        result = CliRunner().invoke(cli.cli, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run_command


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "uidai_practice.cer"
    path.write_bytes(signer().pem)
    return path


def test_a_certificate_is_shown_with_its_fingerprint_and_goes_out_signed(
    trust: Run, office: Office, file: Path
) -> None:
    before = office.programme()
    assert before.anchors == ()
    said = trust("add", str(file), "--source", "uidai.gov.in, 22 Nov")
    assert spelt(signer().anchor.fingerprint) in said
    after = office.programme()
    assert after.serial > before.serial
    assert [(a.certificate, a.source) for a in after.anchors] == [
        (signer().der, "uidai.gov.in, 22 Nov")
    ]


def test_the_same_one_again_changes_nothing(trust: Run, office: Office, file: Path) -> None:
    trust("add", str(file))
    serial = office.programme().serial
    assert "already" in trust("add", str(file))
    assert office.programme().serial == serial


def test_several_stand_side_by_side_newest_first(trust: Run, office: Office, file: Path) -> None:
    trust("add", str(file))
    old = file.with_name("old.cer")
    old.write_bytes(signer("DS Practice Authority 0", begins=2014, ends=2017).der)
    trust("add", str(old), "--json")
    rows = json.loads(trust("list", "--json"))
    assert [(row["name"], row["source"]) for row in rows] == [
        ("DS Practice Authority 1", "uidai_practice.cer"),
        ("DS Practice Authority 0", "old.cer"),
    ]
    assert (rows[1]["valid_from"], rows[1]["valid_to"]) == ("2014-01-01", "2017-01-01")
    assert len(office.programme().anchors) == 2


def test_one_that_is_taken_away_leaves_the_programme(
    trust: Run, office: Office, file: Path
) -> None:
    trust("add", str(file))
    serial = office.programme().serial
    assert "Removed" in trust("remove", spelt(signer().anchor.fingerprint)[:23])
    assert office.programme().anchors == ()
    assert office.programme().serial > serial
    assert "No certificate yet" in trust("list")


def test_what_is_no_certificate_changes_nothing(trust: Run, office: Office, file: Path) -> None:
    serial = office.programme().serial
    file.write_bytes(b"hello")
    with pytest.raises(AnchorInvalid):
        trust("add", str(file))
    with pytest.raises(FileUnusable):
        trust("add", str(file.with_name("no such.cer")))
    with pytest.raises(AnchorUnknown):
        trust("remove", "00" * 32)
    assert office.programme().serial == serial


def test_there_is_an_end_to_how_many(
    trust: Run, office: Office, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ANCHORS_MAX == 64
    monkeypatch.setattr("sync.server.trusting.ANCHORS_MAX", 0)
    with pytest.raises(AnchorInvalid, match="many"):
        trust("add", str(file))
    assert office.programme().anchors == ()
