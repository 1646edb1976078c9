"""Only a supervisor decides whom this laptop believes, and it stays in the audit."""

from __future__ import annotations

from pathlib import Path

import pytest

from aadhaar_ca import signer
from enrollkit.app.kit import Kit
from enrollkit.app.trust import AnchorOfProgramme, SupervisorNeeded
from enrollkit.errors import FileUnreadable
from enrollkit.store.audit import verify_audit
from kit_samples import NOW, PASSPHRASE, unlocked
from sync.anchors import AnchorInvalid, AnchorUnknown
from sync.programme import ProgrammeAnchor


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "uidai_practice.cer"
    path.write_bytes(signer().pem)
    return path


def audit_of(kit: Kit) -> list[str]:
    database = kit._open().database
    assert database.read(verify_audit) is None
    return [
        f"{action} {record}".strip()
        for action, record in database.read(
            lambda tx: tx.execute("SELECT action, record FROM audit ORDER BY seq").fetchall()
        )
        if action.startswith("trust")
    ]


def test_what_is_added_is_listed_after_a_lock_and_stands_in_the_audit(
    tmp_path: Path, file: Path
) -> None:
    fingerprint = signer().anchor.fingerprint
    with unlocked(tmp_path / "a") as kit:
        row, is_new = kit.trust.add(file, source="uidai.gov.in")
        assert is_new
        assert kit.trust.add(file) == (kit.trust.look(file), False)
        kit.lock()
        kit.unlock(PASSPHRASE)
        assert kit.trust.list() == [row]
        assert (row.fingerprint, row.source, row.added_at) == (fingerprint, "uidai.gov.in", NOW)
        assert audit_of(kit) == [f"trust.add {fingerprint[:32]}"]


def test_a_file_that_was_exchanged_after_the_look_is_not_believed(
    tmp_path: Path, file: Path
) -> None:
    with unlocked(tmp_path / "a") as kit:
        seen = kit.trust.look(file)
        file.write_bytes(signer("Somebody else").pem)
        with pytest.raises(AnchorUnknown):
            kit.trust.add(file, fingerprint=seen.fingerprint)
        assert kit.trust.list() == []


def test_what_is_taken_away_is_believed_no_more(tmp_path: Path, file: Path) -> None:
    fingerprint = signer().anchor.fingerprint
    with unlocked(tmp_path / "a") as kit:
        kit.trust.add(file)
        assert kit.trust.remove(fingerprint[:16]).fingerprint == fingerprint
        assert kit.trust.list() == []
        with pytest.raises(AnchorUnknown):
            kit.trust.remove(fingerprint)
        assert [line.split()[0] for line in audit_of(kit)] == ["trust.add", "trust.remove"]


def test_the_programmes_are_listed_and_not_taken_away_here(tmp_path: Path, file: Path) -> None:
    anchors = (
        ProgrammeAnchor(certificate=signer().der, source="the office"),
        ProgrammeAnchor(certificate=b"what no library reads", source="a mistake"),
    )
    with unlocked(tmp_path / "a", anchors=anchors) as kit:
        good, bad = kit.trust.list()
        assert (good.is_of_programme, good.is_usable, good.source) == (True, True, "the office")
        assert (bad.is_of_programme, bad.is_usable) == (True, False)
        assert kit.trust.add(file)[1] is False
        for row in (good, bad):
            with pytest.raises(AnchorOfProgramme):
                kit.trust.remove(row.fingerprint)


def test_an_operator_who_is_no_supervisor_changes_nothing(tmp_path: Path, file: Path) -> None:
    with unlocked(tmp_path / "a") as kit:
        kit.trust.add(file)
        kit._open().database.write(lambda tx: tx.execute("UPDATE operators SET role = 'operator'"))
        with pytest.raises(SupervisorNeeded):
            kit.trust.add(file)
        with pytest.raises(SupervisorNeeded):
            kit.trust.remove(signer().anchor.fingerprint)
        assert len(kit.trust.list()) == 1


def test_a_file_that_is_none_changes_nothing(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unlocked(tmp_path / "a") as kit:
        with pytest.raises(FileUnreadable):
            kit.trust.add(tmp_path / "no such.cer")
        monkeypatch.setattr("enrollkit.app.trust.ANCHORS_MAX", 0)
        with pytest.raises(AnchorInvalid):
            kit.trust.add(file)
        file.write_bytes(b"hello" * 100_000)
        with pytest.raises(AnchorInvalid):
            kit.trust.look(file)
        assert kit.trust.list() == []
        assert audit_of(kit) == []
