"""The people of the practice ABDM: create-or-get, six to a mobile, one account to a person."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from sync.server.sandbox.places import place_names
from sync.server.sandbox.replies import Refused, coded, flat
from sync.server.sandbox.rules import FULL_MOBILE, TAKEN_HANDLE, Rule

__all__ = ["Account", "Accounts", "Person"]

_PER_MOBILE_MAX: Final = 6
_ACCOUNTS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Person:
    """Somebody as a client describes them. ``birth``: year, month or 0, day or 0."""

    name: str
    birth: tuple[int, int, int]
    gender: str
    state: int
    district: int
    mobile: str | None
    pincode: str
    address: str

    def __repr__(self) -> str:
        return "Person(<withheld>)"


@dataclass(slots=True, kw_only=True, repr=False)
class Account:
    """One ABHA number of practice. ``person`` is ``None`` where only a code has vouched so far."""

    number: str
    digest: str
    opened_at: float
    rule: Rule | None = None
    person: Person | None = None
    mobile: str | None = None
    addresses: list[str] = field(default_factory=list)
    linked: set[tuple[str, str]] = field(default_factory=set)
    was_there: bool = False
    """Whether the practice knew them before it was asked (see :mod:`sync.server.sandbox.rules`)."""

    @property
    def bare_number(self) -> str:
        """Give the fourteen digits alone."""
        return self.number.replace("-", "")


class Accounts:
    """All accounts in memory. Safe for several threads: one lock, held for the whole decision."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_digest: dict[str, Account] = {}
        self._by_number: dict[str, Account] = {}
        self._by_address: dict[str, Account] = {}
        self._mobiles: Counter[str] = Counter()

    def find_or_create(
        self, digest: str, rule: Rule | None, person: Person | None, mobile: str | None
    ) -> tuple[Account, bool]:
        """Give somebody's account and whether it was made now; refuse what ABDM refuses.

        ``person`` is ``None`` on the road by one-time code, where nothing is to be compared.
        """
        with self._lock:
            found = self._by_digest.get(digest)
            if found is not None:
                _compare(found, person)
                return found, False
            if rule is Rule.EXISTING:
                return self._open(digest, rule, person, mobile, was_there=True), False
            self._check_room(mobile)
            if len(self._by_number) >= _ACCOUNTS_MAX:
                words = "Client ID has reached the maximum limit of ABHA account creations"
                raise coded(422, "ABDM-1227", words)
            return self._open(digest, rule, person, mobile), True

    def set_mobile(self, account: Account, mobile: str) -> None:
        """Note a mobile that its owner has proven; refuse a seventh account on it."""
        with self._lock:
            if account.mobile != mobile:
                self._check_room(mobile)
                self._mobiles.subtract([account.mobile] if account.mobile else [])
                self._mobiles[mobile] += 1
                account.mobile = mobile

    def add_address(self, account: Account, handle: str) -> str:
        """Give an account the address that was asked for, first in its list; or refuse."""
        wanted = handle.removeprefix("practice.")
        address = f"practice.{wanted}@sbx"
        with self._lock:
            if address.lower() in self._by_address or wanted.lower().startswith(TAKEN_HANDLE):
                raise coded(400, "ABDM-1101", "ABHA Address already exists")
            self._by_address[address.lower()] = account
            account.addresses.insert(0, address)
            return address

    def by_number(self, bare: str) -> Account | None:
        """Find an account by its fourteen digits."""
        return self._by_number.get(bare)

    def by_address(self, address: str) -> Account | None:
        """Find an account by one of its addresses."""
        return self._by_address.get(address.lower())

    def described(self) -> list[dict[str, Any]]:
        """Say of each account what a test may know: no name, no mobile."""
        with self._lock:
            return [
                {
                    "abha_number": one.number,
                    "abha_address": one.addresses[0],
                    "person": one.digest,
                    "was_there": one.was_there,
                    "opened_at": one.opened_at,
                    "linked": sorted([hip, reference] for hip, reference in one.linked),
                }
                for one in self._by_number.values()
            ]

    def _open(
        self,
        digest: str,
        rule: Rule | None,
        person: Person | None,
        mobile: str | None,
        *,
        was_there: bool = False,
    ) -> Account:
        number = self._free_number()
        account = Account(
            number=f"{number[:2]}-{number[2:6]}-{number[6:10]}-{number[10:]}",
            digest=digest,
            opened_at=self._clock(),
            rule=rule,
            person=person,
            mobile=mobile,
            addresses=[f"practice.{number}@sbx"],
            was_there=was_there,
        )
        self._by_digest[digest] = self._by_number[number] = account
        self._by_address[account.addresses[0]] = account
        self._mobiles.update([mobile] if mobile else [])
        return account

    def _check_room(self, mobile: str | None) -> None:
        if mobile is not None and (
            self._mobiles[mobile] >= _PER_MOBILE_MAX or mobile == FULL_MOBILE
        ):
            raise flat(422, "ABDM-1124", "This mobile number is already linked to 6 ABHA Numbers")

    def _free_number(self) -> str:
        while True:
            stem = f"00{secrets.randbelow(10**11):011d}"
            number = stem + _luhn_digit(stem)
            if number not in self._by_number:
                return number


def place_of(person: Person) -> tuple[str, str]:
    """Give the names of somebody's state and district, which were checked before."""
    return place_names(person.state, person.district) or ("", "")


def mismatch() -> Refused:
    """Refuse as Aadhaar does when anything differs: it does not tell which field."""
    words = "The information provided does not match the details on record with Aadhaar"
    return coded(422, "ABDM-1207", words)


def _compare(account: Account, person: Person | None) -> None:
    """Refuse somebody who was described otherwise before; learn them if nobody was described."""
    known = account.person
    if person is None:
        return
    if known is None:
        account.person = person
    elif (_plain(known.name), known.gender) != (_plain(person.name), person.gender) or not (
        _may_be_same(known.birth, person.birth)
    ):
        raise mismatch()


def _may_be_same(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return one[0] == other[0] and all(
        left == right or 0 in {left, right} for left, right in zip(one[1:], other[1:], strict=True)
    )


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _luhn_digit(stem: str) -> str:
    """Give the check digit that real ABHA numbers carry too (Luhn, mod 10)."""
    total = 0
    for place, digit in enumerate(reversed(stem)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - Luhn: the sum of both digits
    return str(-total % 10)
