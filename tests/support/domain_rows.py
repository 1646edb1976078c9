"""Intake rows for tests of the domain, and a camp that remembers whom it took."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from typing import Any

from hypothesis import strategies as st

from enrollkit.domain.enrollment import person_from
from enrollkit.domain.intake import normalise
from enrollkit.domain.matching import Likeness, match_key
from enrollkit.domain.problem import Problem
from enrollkit.domain.rules import Context, check, stands_in_the_way
from enrollkit.reference.places import Places

__all__ = ["ANY_JSON", "TODAY", "Camp", "context", "row", "with_value"]

TODAY = date(2026, 11, 22)
LANGUAGES = frozenset("hi mr bn ta te kn gu or pa ml as ur en".split())  # noqa: SIM905 - one line
PLACES = Places.load()

_texts = st.text(st.characters(codec=None), max_size=12)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)
"""Whatever Python's json can read: lone surrogates, NaN and huge numbers too."""


def row(**changes: Any) -> dict[str, Any]:
    """Give a row without fault; ``birth={...}`` and the like replace whole fields."""
    whole: dict[str, Any] = {
        "name": "Kamla Devi",
        "gender": "F",
        "birth": {"year": 1987, "month": 3, "day": 14},
        "mobile": "9000000001",
        "mobile_owner": "self",
        "address": {
            "line": "Ward 4",
            "village": "Nagla",
            "pincode": "800001",
            "state": 10,
            "district": 212,
        },
        "consent": {
            "version": "1.4",
            "language": "hi",
            "method": "signature",
            "given_at": "2026-11-22T10:30:00+05:30",
        },
        "language": "hi",
    }
    return {**deepcopy(whole), **changes}


def with_value(whole: Mapping[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """Give a copy of a row with another value at a pointer."""
    changed = deepcopy(dict(whole))
    *path, last = pointer.split("/")[1:]
    inner = changed
    for key in path:
        inner = inner.setdefault(key, {})
    inner[last] = value
    return changed


def context(**changes: Any) -> Context:
    """Give a context in which nobody else is known."""
    given: dict[str, Any] = {"today": TODAY, "consents": {"1.4": LANGUAGES}, "places": PLACES}
    return Context(**{**given, **changes})


class Camp:
    """Takes rows one after the other and checks each against those it took."""

    def __init__(self) -> None:
        self._mobiles: Counter[str | None] = Counter()
        self._filed: defaultdict[str, list[Likeness]] = defaultdict(list)
        self._holders: dict[str, str] = {}

    def take(self, ident: str, raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """Give the row as it would be stored, and all notes and problems; remember who passed."""
        tidied, notes = normalise(raw)
        number = tidied.get("aadhaar")
        holder = self._holders.get(number) if isinstance(number, str) else None
        problems = check(
            tidied,
            context(
                count_mobile=self._mobiles.__getitem__,
                find_alike=self._filed.__getitem__,
                aadhaar_holder=holder,
            ),
        )
        if not stands_in_the_way(problems):
            self._remember(ident, tidied)
        return tidied, [*notes, *problems]

    def _remember(self, ident: str, tidied: Mapping[str, Any]) -> None:
        person = person_from(tidied)
        number = tidied.get("aadhaar")
        one = Likeness.of(person, ident=ident, aadhaar_last4=number and number[-4:])
        self._mobiles[person.mobile] += 1
        self._filed[match_key(one)].append(one)
        if number:
            self._holders[number] = ident
