"""Cards of one laptop, checked on another: two hundred good ones, and every kind of bad one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from enrollkit.cards import base45
from enrollkit.errors import DocumentUnreadable
from journey_camp import Laptop, Office, Outcome, open_office, write_rows
from journey_people import corpus, people

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journey-cards")]

PEOPLE = 200


@dataclass(slots=True, kw_only=True)
class Stall:
    """Whose cards are checked, and the laptop that checks them without a network."""

    folder: Path
    office: Office
    issuer: Laptop
    checker: Laptop
    names: dict[str, str]
    codes: list[str]
    early: Outcome

    def card_of(self, laptop: Laptop) -> str:
        """Enroll one person on a laptop and give the text of the card's code."""
        enroll(laptop, self.folder / f"{laptop.device}.jsonl", people(5000, 1))
        return codes_of(laptop)[0]

    def check(self, code: str) -> Outcome:
        return self.checker.run("verify", code, "--json")


def enroll(laptop: Laptop, file: Path, rows: list[dict[str, object]]) -> Outcome:
    return laptop.run("enroll", write_rows(file, rows), "--json")


def codes_of(laptop: Laptop) -> list[str]:
    ids = laptop.ids()
    with laptop.unlocked() as kit:
        return [kit.cards.code(ident) for ident in ids]


@pytest.fixture(scope="module")
def stall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stall]:
    folder = tmp_path_factory.mktemp("cards")
    camp = corpus()
    rows = camp.rows if camp else people(0, PEOPLE)
    with open_office(folder / "office") as office:
        issuer, checker = (office.laptop(folder / name) for name in ("issuer", "checker"))
        saved = enroll(issuer, folder / "camp.jsonl", rows)
        names = {
            answer["provisional"]: row["name"] for answer, row in zip(saved.rows, rows, strict=True)
        }
        codes = codes_of(issuer)
        early = checker.run("verify", codes[0], "--json")
        assert issuer.run("sync").code == 0
        assert checker.run("sync").code == 0
        yield Stall(
            folder=folder, office=office, issuer=issuer, checker=checker, names=names,
            codes=codes, early=early,
        )  # fmt: skip


def test_all_cards_of_a_camp_are_verified_from_paper_on_another_laptop(stall: Stall) -> None:
    sheet = stall.folder / "cards.pdf"
    printed = stall.issuer.run("card", "--all", "--layout", "a4", "-o", sheet, "--json")
    assert (printed.code, printed.object["cards"]) == (0, PEOPLE)
    checked = stall.checker.run("verify", sheet, "--json")
    assert (checked.code, checked.err) == (0, "")
    assert {row["verdict"] for row in checked.rows} == {"verified"}
    assert {row["signer"] for row in checked.rows} == {stall.issuer.device}
    read = {row["fields"]["number"]: row["fields"]["name"] for row in checked.rows}
    assert len(checked.rows) == len(stall.names) == PEOPLE
    assert read == stall.names
    assert {row["fields"]["status"] for row in checked.rows} == {"PROVISIONAL"}


def test_a_card_printed_as_a_picture_is_verified(stall: Stall) -> None:
    picture = stall.folder / "one.png"
    number = next(iter(stall.names))
    assert stall.issuer.run("card", number, "-o", picture).code == 0
    checked = stall.checker.run("verify", picture, "--json")
    assert checked.object["verdict"] == "verified"
    assert checked.object["fields"]["number"] == number


def test_a_laptop_that_has_not_heard_of_the_issuer_vouches_for_nothing(stall: Stall) -> None:
    assert stall.early.code == 1
    assert stall.early.object["verdict"] == "unknown-signer"
    assert stall.check(stall.codes[0]).object["verdict"] == "verified"


def test_one_flipped_bit_in_any_code_is_never_verified(stall: Stall) -> None:
    with stall.checker.unlocked() as kit:
        for number, code in enumerate(stall.codes):
            (good,) = kit.checking.verify(code)
            (bad,) = kit.checking.verify(flipped(code, number * 7919))
            assert (good.verdict, bad.verdict == "verified") == ("verified", False), number


def test_one_flipped_bit_under_the_wrapping_is_called_a_forgery(stall: Stall) -> None:
    """The bit is flipped in the signed bytes, which are then packed again as a card is."""
    with stall.checker.unlocked() as kit:
        verdicts = set()
        for number, code in enumerate(stall.codes):
            signed = zlib.decompress(base45.decode(code))
            (bad,) = kit.checking.verify(packed(flip(signed, number * 104_729)))
            assert bad.verdict != "verified", number
            verdicts.add(bad.verdict)
    assert "tampered" in verdicts


def test_every_bit_of_the_signature_counts(stall: Stall) -> None:
    signed = zlib.decompress(base45.decode(stall.codes[0]))
    with stall.checker.unlocked() as kit:
        for bit in range((len(signed) - 64) * 8, len(signed) * 8):
            (bad,) = kit.checking.verify(packed(flip(signed, bit)))
            assert bad.verdict == "tampered", bit


def test_a_forged_card_says_so_and_shows_no_name(stall: Stall) -> None:
    signed = zlib.decompress(base45.decode(stall.codes[0]))
    told = stall.check(packed(flip(signed, len(signed) * 8 - 1)))
    assert (told.code, told.object["verdict"]) == (1, "tampered")
    assert told.object["fields"] == {}
    assert "do not trust" in told.object["text"].lower()


def test_a_card_of_another_programme_is_not_verified(stall: Stall) -> None:
    with open_office(stall.folder / "elsewhere", name="Elsewhere", running=False) as other:
        foreign = stall.card_of(other.laptop(stall.folder / "foreign"))
    told = stall.check(foreign)
    assert (told.code, told.object["verdict"]) == (1, "unknown-signer")


def test_a_card_of_a_laptop_that_was_never_approved_is_not_verified(stall: Stall) -> None:
    unknown = stall.card_of(stall.office.laptop(stall.folder / "unknown", approved=False))
    assert stall.checker.run("sync").code == 0
    told = stall.check(unknown)
    assert (told.code, told.object["verdict"]) == (1, "unknown-signer")


def test_a_card_of_a_laptop_that_was_shut_out_says_so(stall: Stall) -> None:
    lost = stall.office.laptop(stall.folder / "lost")
    code = stall.card_of(lost)
    assert lost.run("sync").code == 0
    assert stall.checker.run("sync").code == 0
    assert stall.check(code).object["verdict"] == "verified"
    stall.office.run("device", "revoke", lost.device)
    assert stall.checker.run("sync").code == 0
    told = stall.check(code)
    assert (told.code, told.object["verdict"]) == (1, "revoked-signer")
    assert "shut out" in told.object["text"]
    assert told.object["signer"] == lost.device


def test_a_page_without_a_card_is_not_called_a_bad_card(stall: Stall) -> None:
    letter = stall.folder / "letter.pdf"
    letter.write_bytes(b"%PDF-1.4 this is no PDF at all")
    told = stall.checker.run("verify", letter)
    assert told.code == DocumentUnreadable.exit_code
    assert DocumentUnreadable().text in told.err


def flipped(code: str, bit: int) -> str:
    """Flip one bit of what the code's text stands for."""
    return base45.encode(flip(base45.decode(code), bit))


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


def packed(signed: bytes) -> str:
    return base45.encode(zlib.compress(signed, 9))
