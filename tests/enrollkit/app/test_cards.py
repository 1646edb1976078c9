"""The card before and after the ABHA number, for practice and in earnest, and what it is worth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from enrollkit.app.kit import Kit
from enrollkit.cards.codes import modules_of
from kit_office import Office
from kit_samples import intake_row, unlocked
from sync.protocol import FeedKind

NUMBER = "91-1234-5678-9012"
ADDRESS = "asha.devi87@abdm"


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with unlocked(tmp_path / "kit") as opened:
        yield opened


def enrolled(kit: Kit) -> str:
    result = kit.enrolling.submit_row(intake_row())
    assert result.id is not None
    return result.id


def issue(kit: Kit, record: str, number: str = NUMBER, address: str = ADDRESS) -> None:
    office = Office(kit)
    office.answer()
    office.tell(FeedKind.ABHA_ISSUED, record, abha_number=number, abha_address=address)


def test_with_the_number_the_signed_code_carries_it_and_no_provisional_status(kit: Kit) -> None:
    record = enrolled(kit)
    (before,) = kit.checking.verify(kit.cards.code(record))
    assert before.fields["status"] == "PROVISIONAL"
    issue(kit, record)
    (after,) = kit.checking.verify(kit.cards.code(record))
    assert after.verdict == "verified"
    assert after.fields["number"] == NUMBER
    assert "status" not in after.fields


def test_a_provisional_card_stays_good_and_points_to_the_number(kit: Kit) -> None:
    record = enrolled(kit)
    card = kit.cards.code(record)
    (before,) = kit.checking.verify(card)
    issue(kit, record)
    (after,) = kit.checking.verify(card)
    assert (before.verdict, after.verdict) == ("verified", "verified")
    assert "abha_number_now" not in before.fields
    assert after.fields["abha_number_now"] == NUMBER
    assert f"This person has the ABHA number {NUMBER} now." in after.text


def test_a_number_of_the_sandbox_is_called_practice_when_a_card_points_to_it(kit: Kit) -> None:
    record = enrolled(kit)
    card = kit.cards.code(record)
    issue(kit, record, number="00-2345-6789-0123", address="asha@sbx")
    (after,) = kit.checking.verify(card)
    assert "has the ABHA number PRACTICE 00-2345-6789-0123 now." in after.text


def test_a_forged_provisional_card_learns_no_number(kit: Kit) -> None:
    record = enrolled(kit)
    card = kit.cards.code(record)
    issue(kit, record)
    changed = card[:150] + ("A" if card[150] != "A" else "B") + card[151:]
    (checked,) = kit.checking.verify(changed)
    assert NUMBER not in checked.text
    assert NUMBER not in checked.fields.values()


def test_both_codes_are_read_back_from_the_printed_card(kit: Kit, tmp_path: Path) -> None:
    record = enrolled(kit)
    issue(kit, record)
    printed = kit.cards.render([record], layout="cr80", out=tmp_path / "card.png")
    found = {one.kind: one for one in kit.checking.verify(printed.files[0])}
    assert found["card"].verdict == "verified"
    assert found["abha"].verdict == "as-signed"
    assert "the same as the signed code" in found["abha"].text


def test_an_abha_code_beside_another_persons_signed_code_is_called_out(
    kit: Kit, tmp_path: Path
) -> None:
    record = enrolled(kit)
    issue(kit, record)
    forged = json.dumps({"hidn": NUMBER, "hid": ADDRESS, "name": "Somebody Else", "gender": "F"})
    picture = Image.new("L", (1200, 500), 255)
    for place, text in ((40, kit.cards.code(record)), (640, forged)):
        for y, row in enumerate(modules_of(text)):
            for x, dark in enumerate(row):
                if dark:
                    picture.paste(0, (place + 5 * x, 40 + 5 * y, place + 5 * x + 5, 45 + 5 * y))
    picture.save(tmp_path / "forged.png")
    found = {one.kind: one.verdict for one in kit.checking.verify(tmp_path / "forged.png")}
    assert found == {"card": "verified", "abha": "differs"}


def test_an_abha_code_alone_is_vouched_for_by_nobody(kit: Kit) -> None:
    record = enrolled(kit)
    issue(kit, record)
    (checked,) = kit.checking.verify(json.dumps({"hidn": NUMBER, "hid": ADDRESS, "name": "X"}))
    assert checked.verdict == "not-signed"


@pytest.mark.parametrize(("spelling", "name"), [("card", "hid"), ("app", "phr")])
def test_the_spelling_of_the_desk_code_can_be_chosen(
    kit: Kit, tmp_path: Path, spelling: str, name: str
) -> None:
    record = enrolled(kit)
    issue(kit, record)
    out = tmp_path / "card.png"
    kit.cards.render([record], layout="cr80", out=out, spelling=spelling)
    (abha,) = [one for one in kit.checking.verify(out) if one.kind == "abha"]
    assert json.loads(kit.cards.abha_code(record, spelling=spelling))[name] == ADDRESS
    assert abha.verdict == "as-signed"


def test_somebody_who_had_a_number_before_gets_the_card_with_it(kit: Kit) -> None:
    record = enrolled(kit)
    office = Office(kit)
    office.answer()
    office.tell(FeedKind.ENROLLMENT_DUPLICATE, record, code="abdm:exists", abha_number=NUMBER)
    (checked,) = kit.checking.verify(kit.cards.code(record))
    assert checked.fields["number"] == NUMBER


def test_cards_of_a_programme_for_practice_say_so_with_and_without_a_number(
    tmp_path: Path,
) -> None:
    with unlocked(tmp_path / "kit", practice=True) as kit:
        record = enrolled(kit)
        (before,) = kit.checking.verify(kit.cards.code(record))
        assert before.fields["status"] == "PRACTICE PROVISIONAL"
        assert "PRACTICE: it is no real card." in before.text
        issue(kit, record, "00-1234-5678-9012", "practice.asha@sbx")
        (after,) = kit.checking.verify(kit.cards.code(record))
        assert after.fields["status"] == "PRACTICE"
        assert after.verdict == "verified"


def test_a_number_of_a_sandbox_stays_one_when_the_programme_goes_live(kit: Kit) -> None:
    record = enrolled(kit)
    issue(kit, record, "91-1234-5678-9012", "asha.devi87@sbx")
    (checked,) = kit.checking.verify(kit.cards.code(record))
    assert checked.fields["status"] == "PRACTICE"
