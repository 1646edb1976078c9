"""Who is enrolled: the facts that ABDM asks for, as the person gave them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

__all__ = ["Address", "BirthDate", "Gender", "Guardian", "MobileOwner", "Person", "Relation"]


class Gender(StrEnum):
    """As ABDM writes it (M1)."""

    MALE = "M"
    FEMALE = "F"
    OTHER = "O"


class MobileOwner(StrEnum):
    """Whose mobile number was given."""

    SELF = "self"
    FAMILY = "family"
    NONE = "none"


class Relation(StrEnum):
    """What the guardian is to the person."""

    FATHER = "father"
    MOTHER = "mother"
    SPOUSE = "spouse"
    GUARDIAN = "guardian"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BirthDate:
    """A date of birth that may be partial: many Aadhaar cards know the year only.

    ``month`` and ``day`` are ``None`` when they are not known; a day has always a month.
    """

    year: int
    month: int | None = None
    day: int | None = None

    def __repr__(self) -> str:
        return "BirthDate(<withheld>)"

    def first_possible_day(self) -> date:
        """Give the earliest day it can mean."""
        return date(self.year, self.month or 1, self.day or 1)

    def age_at(self, today: date) -> int:
        """Give the completed years on a day, the youngest that the known parts allow."""
        month, day = self.month or 12, self.day or 31
        return max(0, today.year - self.year - ((today.month, today.day) < (month, day)))

    def age_said(self, today: date) -> int:
        """Give the age as people say it: of a year alone, "60 years" stays 60 all the year."""
        return max(0, today.year - self.year) if self.month is None else self.age_at(today)

    def text(self) -> str:
        """Write what is known: ``14/03/1987``, ``03/1987`` or ``1987``."""
        parts = [f"{self.day:02d}"] if self.day else []
        parts += [f"{self.month:02d}"] if self.month else []
        return "/".join([*parts, f"{self.year:04d}"])


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Address:
    """Where the person lives; ``state`` and ``district`` are LGD codes."""

    line: str
    village: str
    pincode: str
    state: int
    district: int

    def __repr__(self) -> str:
        return "Address(<withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Guardian:
    """Who answers for a minor, or whose name stands on the card."""

    name: str
    relation: Relation

    def __repr__(self) -> str:
        return "Guardian(<withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Person:
    """The person as captured. ``language`` is ISO 639-1; absent facts are ``None``."""

    name: str
    name_native: str | None
    gender: Gender
    birth: BirthDate
    mobile: str | None
    mobile_owner: MobileOwner
    address: Address
    guardian: Guardian | None
    language: str

    def __repr__(self) -> str:
        return "Person(<withheld>)"
