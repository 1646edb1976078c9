"""Old Aadhaar letters hold the whole number; four digits of it get past the reader."""

from __future__ import annotations

import dataclasses
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollkit.domain.person import Gender
from enrollkit.identity.aadhaar import AadhaarDetails
from enrollkit.identity.aadhaar_letter import LETTER_CHARACTERS_MAX, read_letter
from enrollkit.identity.packing import Fault

AADHAAR = "999941057058"
LETTER = (
    '<?xml version="1.0" encoding="UTF-8"?> <PrintLetterBarcodeData uid="999941057058" '
    'name="Asha Devi" gender="F" yob="1987" co="W/O Ram &amp; Lal" house="14" street="Mill Road" '
    'lm="near the well" loc="Ward 4" vtc="Partapur" po="Garhi" dist="Banswara" subdist="Garhi" '
    'state="Rajasthan" pc="327023" dob="14/03/1987"/>'
)


def details(text: str) -> AadhaarDetails:
    found = read_letter(text)
    assert isinstance(found, AadhaarDetails)
    return found


def test_a_letter_is_read_and_only_four_digits_of_its_number_stay() -> None:
    found = details(LETTER)
    assert (found.last4, found.name, found.gender) == ("7058", "Asha Devi", Gender.FEMALE)
    assert found.care_of == "W/O Ram & Lal"
    assert found.birth is not None
    assert found.birth.text() == "14/03/1987"
    assert (found.village, found.district, found.pincode) == ("Partapur", "Banswara", "327023")
    assert AADHAAR not in repr(dataclasses.asdict(found))
    assert "9999" not in repr(dataclasses.asdict(found))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<?xml", "</?xml"),
        ('"', '\\"'),
        ('"', "'"),
        ("&amp;", "&"),
        (" co=", " careof="),
        (" co=", " gname="),
        ('uid="999941057058"', 'uid="xxxxxxxx7058"'),
        ('uid="999941057058"', 'uid="9999 4105 7058"'),
        (" ", "\n  "),
        ('dob="14/03/1987"', 'dob="1987-03-14"'),
        ('"UTF-8"?>', '"UTF-8" junk <'),
        ("/>", ""),
    ],
)
def test_the_dirt_of_real_letters_is_no_harm(old: str, new: str) -> None:
    assert old in LETTER
    found = details(LETTER.replace(old, new))
    assert (found.last4, found.name, found.care_of) == ("7058", "Asha Devi", "W/O Ram & Lal")
    assert found.birth is not None
    assert found.birth.text() == "14/03/1987"


def test_a_year_alone_stays_a_year() -> None:
    found = details(LETTER.replace('dob="14/03/1987"', ""))
    assert found.birth is not None
    assert found.birth.text() == "1987"


@pytest.mark.parametrize("name", ["name", "co", "house", "vtc", "gender", "dob"])
def test_a_number_in_another_field_is_masked_too(name: str) -> None:
    found = details(LETTER.replace(f' {name}="', f' {name}="9999 4105 7058 ', 1))
    assert "9999" not in repr(dataclasses.asdict(found))


@pytest.mark.parametrize("uid", ["", "99994105", "9999410570581234", "nothing", "7058999941057o58"])
def test_a_number_that_is_none_leaves_no_digits(uid: str) -> None:
    found = details(LETTER.replace(AADHAAR, uid))
    assert found.last4 in {"", uid[-4:] if len(uid) == 8 else ""}


def test_what_is_no_letter_has_a_reason() -> None:
    assert read_letter("<PrintLetterBarcodeData/>") is Fault.FIELDS
    assert read_letter("hello") is Fault.FIELDS
    assert read_letter(LETTER.replace("Asha Devi", "\x1b[2J")) is Fault.FIELDS
    assert read_letter(LETTER + " " * LETTER_CHARACTERS_MAX) is Fault.TOO_LARGE


def test_entities_are_not_opened() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "Usha">]>' + LETTER.replace("Asha Devi", "&b;&b;")
    assert details(bomb).name == "&b;&b;"


@given(st.text(max_size=300) | st.text(alphabet='<>="/&; abuidname0123', max_size=300))
def test_whatever_stands_there_is_a_value_and_never_a_number(noise: str) -> None:
    for text in (noise, LETTER.replace("Mill Road", noise), "<PrintLetterBarcodeData " + noise):
        found = read_letter(text)
        if isinstance(found, AadhaarDetails):
            assert AADHAAR not in repr(dataclasses.asdict(found))


@pytest.mark.parametrize("piece", ["a", "a=", 'a="', '\\"', "=" * 3, " "])
def test_no_text_takes_long(piece: str) -> None:
    text = "<PrintLetterBarcodeData " + piece * LETTER_CHARACTERS_MAX
    began = time.process_time()
    read_letter(text[:LETTER_CHARACTERS_MAX])
    assert time.process_time() - began < 2
