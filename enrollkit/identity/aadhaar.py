"""What the kit keeps of an Aadhaar document: the facts for the form, and four digits of the number.

Every reader of Aadhaar documents reduces to this type at once. No whole number, no hash of a mobile
number or e-mail address, and no e-mail address get into it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from enrollkit.domain.person import BirthDate, Gender
from enrollkit.identity.masking import mask_aadhaar, showable
from enrollkit.identity.packing import Fault, NotUsable

__all__ = ["AadhaarDetails", "last_four", "read_birth", "read_gender", "read_text"]

FIELD_CHARACTERS_MAX: Final = 400
_LAST_FOUR: Final = re.compile(r"[0-9xX*]{0,8}([0-9]{4})")
_BIRTHS: Final = (
    re.compile(r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4})", re.ASCII),
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})", re.ASCII),
    re.compile(r"(?P<year>\d{4})", re.ASCII),
)
_GENDERS: Final = {
    "M": Gender.MALE,
    "MALE": Gender.MALE,
    "F": Gender.FEMALE,
    "FEMALE": Gender.FEMALE,
    "T": Gender.OTHER,
    "TRANSGENDER": Gender.OTHER,
    "O": Gender.OTHER,
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AadhaarDetails:
    """A person as their Aadhaar document names them; empty texts are facts that it does not hold.

    ``last4`` are the last four digits of the number. ``village`` is UIDAI's *vtc* (village, town
    or city), ``locality`` its *loc*. ``birth`` and ``gender`` are ``None`` where nobody can tell.
    """

    last4: str
    name: str
    birth: BirthDate | None
    gender: Gender | None
    care_of: str = ""
    house: str = ""
    street: str = ""
    landmark: str = ""
    locality: str = ""
    village: str = ""
    post_office: str = ""
    subdistrict: str = ""
    district: str = ""
    state: str = ""
    pincode: str = ""

    def __repr__(self) -> str:
        return "AadhaarDetails(<withheld>)"

    @property
    def line(self) -> str:
        """The first part of the address, as people write it in one line."""
        parts = (self.house, self.street, self.landmark, self.locality)
        return ", ".join(part for part in parts if part)

    def fields(self) -> dict[str, str]:
        """Give what may be shown, each as one short line; facts that are missing are left out."""
        texts = {
            "name": self.name,
            "born": self.birth.text() if self.birth else "",
            "gender": self.gender.value if self.gender else "",
            "aadhaar": f"XXXX XXXX {self.last4}" if self.last4 else "",
            "care_of": self.care_of,
            "address": self.line,
            "village": self.village,
            "post_office": self.post_office,
            "subdistrict": self.subdistrict,
            "district": self.district,
            "state": self.state,
            "pincode": self.pincode,
        }
        return {name: showable(text) for name, text in texts.items() if text}


def read_text(raw: str) -> str:
    """Make one line of a field, without any Aadhaar number; :class:`NotUsable` if it is no text."""
    plain = "".join(" " if character in "\t\r\n\xa0" else character for character in raw)
    plain = plain.replace("\xad", "")
    if len(plain) > FIELD_CHARACTERS_MAX or not plain.isprintable():
        raise NotUsable(Fault.FIELDS)
    return mask_aadhaar(" ".join(plain.split()))


def read_birth(text: str) -> BirthDate | None:
    """Read a date or a year as UIDAI has written them; ``None`` for anything else."""
    for shape in _BIRTHS:
        found = shape.fullmatch(text.strip())
        if found is not None:
            parts = {name: int(value) for name, value in found.groupdict().items()}
            return BirthDate(**parts) if _exists(**parts) else None
    return None


def read_gender(text: str) -> Gender | None:
    """Read a gender in a letter or a word; ``None`` for anything else."""
    return _GENDERS.get(text.strip().upper())


def last_four(number: str) -> str:
    """Give the last four digits of a number, whole or masked (``XXXXXX1234``), else nothing."""
    found = _LAST_FOUR.fullmatch("".join(number.split()))
    return found[1] if found else ""


def _exists(year: int, month: int = 1, day: int = 1) -> bool:
    try:
        return date(year, month, day).year > 1800  # noqa: PLR2004 - nobody was born before
    except ValueError:
        return False
