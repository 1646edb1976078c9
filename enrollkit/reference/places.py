"""States and districts of India by their LGD codes, for look-ups without a network.

The facts are the Local Government Directory's (https://lgdirectory.gov.in) as of 2022-03-11, under
the Government Open Data License – India; ``scripts/make_places.py`` writes ``data/lgd.json`` from a
newer download. ABDM refuses an enrollment whose district lies in another state (M1, demo_auth).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from importlib.resources import files
from typing import Any, Final

from enrollkit.domain.matching import sound

__all__ = ["Place", "Places"]

_SMALL_WORDS: Final = frozenset({"AND", "OF", "THE"})
_LETTER_NAMES: Final = frozenset({"NTR", "SPSR"})
_LENGTH_MAX: Final = 60
# Below this likeness (difflib's ratio) Rampur would be taken for Raipur.
_LIKENESS_MIN: Final = 0.87


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A state or a district: its LGD code, its name, and the state that it lies in or is."""

    code: int
    name: str
    state: int


class Places:
    """All states and districts. State codes and district codes are two number ranges."""

    def __init__(self, states: tuple[Place, ...], districts: tuple[Place, ...]) -> None:
        self._states = {place.code: place for place in states}
        self._districts = {place.code: place for place in districts}

    @classmethod
    def load(cls) -> Places:
        """Read the list that comes with the kit: about a millisecond."""
        listed = _read("lgd.json")["states"]
        states = tuple(
            Place(code=one["code"], name=_title(one["name"]), state=one["code"]) for one in listed
        )
        districts = tuple(
            Place(code=code, name=_title(name), state=one["code"])
            for one in listed
            for code, name in one["districts"]
        )
        return cls(states, districts)

    def states(self) -> list[Place]:
        """Give all states and union territories by name."""
        return sorted(self._states.values(), key=lambda place: place.name)

    def districts(self, state: int) -> list[Place]:
        """Give the districts of a state by name; none for an unknown code."""
        found = (place for place in self._districts.values() if place.state == state)
        return sorted(found, key=lambda place: place.name)

    def state_of(self, district: int) -> int | None:
        """Give the code of the state that a district lies in; ``None`` for an unknown code."""
        place = self._districts.get(district)
        return place.state if place else None

    def state_name(self, code: int) -> str | None:
        """Give a state's name, such as ``Jammu and Kashmir``."""
        place = self._states.get(code)
        return place.name if place else None

    def district_name(self, code: int) -> str | None:
        """Give a district's name, such as ``S.A.S Nagar``."""
        place = self._districts.get(code)
        return place.name if place else None

    def find_state(self, text: str) -> int | None:
        """Give the code of the state that somebody wrote, in nearly any spelling."""
        return self._state_spellings.best(text)

    def find_district(self, text: str, state: int | None = None) -> int | None:
        """Give the code of the district that somebody wrote, in nearly any spelling.

        Old names are known (Allahabad, Gurgaon). ``None`` when nothing is near enough, and when
        districts of two states have that name and no state is given.
        """
        spellings = self._district_spellings
        if state is not None:
            known = spellings.get(state)
            return known.best(text) if known else None
        exact = {code for known in spellings.values() for code in known.exact(text)}
        found = exact or {known.best(text) for known in spellings.values()} - {None}
        return found.pop() if len(found) == 1 else None

    @cached_property
    def _state_spellings(self) -> _Spellings:
        spellings = _Spellings()
        for place in self._states.values():
            spellings.add(place.name, place.code)
        for name, code in _read("old_names.json")["states"].items():
            spellings.add(name, code)
        return spellings

    @cached_property
    def _district_spellings(self) -> dict[int, _Spellings]:
        spellings = {code: _Spellings() for code in self._states}
        for place in self._districts.values():
            spellings[place.state].add(place.name, place.code)
        for state, names in _read("old_names.json")["districts"].items():
            known = spellings[int(state)]
            for old, now in names.items():
                known.add_old(old, now)
        return spellings


class _Spellings:
    """The names of some places, asked for by letters, by sound, or by likeness."""

    def __init__(self) -> None:
        self._by_letters: dict[str, set[int]] = {}
        self._by_sound: dict[str, set[int]] = {}

    def add(self, name: str, code: int) -> None:
        plain = _plain(name)
        self._by_letters.setdefault(plain, set()).add(code)
        self._by_sound.setdefault(sound(plain), set()).add(code)

    def add_old(self, old: str, now: str) -> None:
        """Know a place by its old name too, unless another has that name today."""
        if not self.exact(old):
            for code in self.exact(now):
                self.add(old, code)

    def exact(self, text: str) -> set[int]:
        """Give all that have these letters, whatever the case, the spaces and the points."""
        return self._by_letters.get(_plain(text[:_LENGTH_MAX]), set())

    def best(self, text: str) -> int | None:
        """Give the one that is meant; ``None`` when none or several can be."""
        wanted = _plain(text[:_LENGTH_MAX])
        if not wanted:
            return None
        found = self._by_letters.get(wanted) or self._by_sound.get(sound(wanted))
        if not found:
            close = get_close_matches(wanted, self._by_letters, n=2, cutoff=_LIKENESS_MIN)
            found = {code for known in close for code in self._by_letters[known]}
        return next(iter(found)) if len(found) == 1 else None


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold().replace("&", "and"))


def _title(name: str) -> str:
    """Write ``JAMMU AND KASHMIR`` as ``Jammu and Kashmir``; initials and ``NTR`` stay."""
    words = name.split()
    return " ".join(_title_word(word, first=place == 0) for place, word in enumerate(words))


def _title_word(word: str, *, first: bool) -> str:
    if "." in word or word in _LETTER_NAMES:
        return word
    if word.upper() in _SMALL_WORDS and not first:
        return word.lower()
    return re.sub(r"[A-Za-z]+", lambda part: part.group().capitalize(), word)


def _read(name: str) -> dict[str, Any]:
    text = (files("enrollkit.reference") / "data" / name).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
