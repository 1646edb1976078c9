"""What may be said of a scanned code: verified only after a signature of a known device."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from enrollkit.app.cards import guardian_line
from enrollkit.app.kit import Kit
from enrollkit.errors import DocumentUnreadable
from kit_samples import PASSPHRASE, intake_row, unlocked
from sync.programme import ProgrammeDevice, sign_programme
from sync.protocol import DeviceState
from sync.sealing import SigningKey, VerifyKey
from sync_samples import programme


def card_of(kit: Kit) -> str:
    result = kit.enrolling.submit_row(intake_row())
    assert result.id is not None
    return kit.cards.code(result.id)


def knowing(kit: Kit, server: SigningKey, key: VerifyKey, state: DeviceState) -> None:
    """Hand the laptop a newer programme that lists a device."""
    newer = programme(server, serial=2, devices=(ProgrammeDevice(key=key, state=state),))
    kit._open().programme = newer
    assert sign_programme(newer, server)


def test_an_own_card_is_verified_offline(tmp_path: Path) -> None:
    with unlocked(tmp_path / "a") as kit:
        (checked,) = kit.checking.verify(card_of(kit))
        assert (checked.kind, checked.verdict) == ("card", "verified")
        assert checked.fields["name"] == "Asha Devi"


def test_a_card_of_a_listed_laptop_is_verified_and_of_an_unlisted_one_is_not(
    tmp_path: Path,
) -> None:
    server = SigningKey.generate()
    with unlocked(tmp_path / "a", server=server) as a, unlocked(tmp_path / "b", server=server) as b:
        card = card_of(a)
        assert b.checking.verify(card)[0].verdict == "unknown-signer"
        knowing(b, server, a._open().keys.signing.public, DeviceState.APPROVED)
        assert b.checking.verify(card)[0].verdict == "verified"


def test_a_card_of_a_laptop_that_was_shut_out_says_so(tmp_path: Path) -> None:
    server = SigningKey.generate()
    with unlocked(tmp_path / "a", server=server) as a, unlocked(tmp_path / "b", server=server) as b:
        card = card_of(a)
        knowing(b, server, a._open().keys.signing.public, DeviceState.REVOKED)
        assert b.checking.verify(card)[0].verdict == "revoked-signer"


def test_a_changed_card_is_never_verified(tmp_path: Path) -> None:
    with unlocked(tmp_path / "a") as kit:
        card = card_of(kit)
        for place in range(0, len(card), 5):
            changed = card[:place] + ("A" if card[place] != "A" else "B") + card[place + 1 :]
            assert kit.checking.verify(changed)[0].verdict != "verified"


@pytest.mark.parametrize(
    ("text", "kind", "verdict"),
    [
        ("7K2M-94QD-XV3T-8", "unknown", "not-checked"),
        ('{"hidn":"91-1234-5678-9015","hid":"a@abdm","name":"X"}', "abha", "not-signed"),
        ("hello", "unknown", "not-checked"),
    ],
)
def test_other_codes_are_named_and_never_called_verified(
    tmp_path: Path, text: str, kind: str, verdict: str
) -> None:
    with unlocked(tmp_path / "a") as kit:
        (checked,) = kit.checking.verify(text)
        assert (checked.kind, checked.verdict) == (kind, verdict)


def test_a_picture_without_a_code_says_so(tmp_path: Path) -> None:
    Image.new("L", (100, 100), 255).save(tmp_path / "blank.png")
    with unlocked(tmp_path / "a") as kit, pytest.raises(DocumentUnreadable):
        kit.checking.verify(tmp_path / "blank.png")


def test_printed_cards_are_read_back_from_paper(tmp_path: Path) -> None:
    with unlocked(tmp_path / "a") as kit:
        card_of(kit)
        printed = kit.cards.render(None, layout="a4", out=tmp_path / "cards.png")
        verdicts = [code.verdict for file in printed.files for code in kit.checking.verify(file)]
        assert verdicts == ["verified"]
        kit.lock()
        kit.unlock(PASSPHRASE)
        (person,) = kit.people.search("")
        words = [event.what for event in kit.people.page(person.id).history]
        assert words == ["saved on this laptop", "card made"]


def test_a_childs_card_says_who_the_grown_up_is(tmp_path: Path) -> None:
    with unlocked(tmp_path / "a") as kit:
        child = intake_row(
            birth={"year": 2020}, guardian={"name": "Asha Devi", "relation": "mother"}
        )
        result = kit.enrolling.submit_row(child)
        assert result.id is not None
        person = kit.people.page(result.id).enrollment.person
        assert guardian_line(person) == "Mother: Asha Devi"
