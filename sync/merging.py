"""Bringing two writings of one enrollment together, field by field; pure, one rule for both ends.

What only one side changed is taken from that side. What both changed is decided by the class of
the field. No value is ever lost: both versions stay in the history, whatever is current.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from schemas.pointers import value_at, with_value

__all__ = ["UNITS", "Conflict", "FieldClass", "Merged", "Unit", "merge"]

Body: TypeAlias = Mapping[str, Any]


class FieldClass(StrEnum):
    """What the server does where both sides changed a field."""

    REGISTER = "register"
    """Who somebody is and what they agreed to: the first stays, and a person decides. Never the
    last writer alone.
    """
    CONTACT = "contact"
    """How somebody is reached: what arrives later is current, the other stays in the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Fields that only make sense together, and change hands together; as JSON Pointers.

    ``compared`` says whether two sides differ; ``carried`` goes along with it.
    """

    kind: FieldClass
    compared: tuple[str, ...]
    carried: tuple[str, ...] = ()

    @property
    def pointers(self) -> tuple[str, ...]:
        """Give all fields of the unit."""
        return self.compared + self.carried


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A field that both sides changed, each otherwise. ``None`` stands for an absent value."""

    kind: FieldClass
    pointer: str
    current: Any = field(repr=False)
    incoming: Any = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """One body made of two, and what both sides changed otherwise."""

    body: dict[str, Any] = field(repr=False)
    conflicts: tuple[Conflict, ...]

    @property
    def undecided(self) -> tuple[Conflict, ...]:
        """Give the conflicts that a person must decide."""
        return tuple(each for each in self.conflicts if each.kind is FieldClass.REGISTER)


_IDENTITY: Final = ("/name",), ("/name_native",), ("/birth",), ("/gender",), ("/consent",)
_WAYS_TO_REACH: Final = (
    ("/mobile", "/mobile_owner"),
    ("/address/line",),
    ("/address/village",),
    ("/address/pincode",),
    ("/address/state", "/address/district"),
    ("/language",),
    ("/household",),
    ("/camp",),
    ("/abha_address_choice",),
)
UNITS: Final[tuple[Unit, ...]] = (
    # The same four digits sealed again are no other number.
    Unit(kind=FieldClass.REGISTER, compared=("/aadhaar_last4",), carried=("/capture_session",)),
    *(Unit(kind=FieldClass.REGISTER, compared=each) for each in _IDENTITY),
    Unit(kind=FieldClass.REGISTER, compared=("/guardian/name", "/guardian/relation")),
    *(Unit(kind=FieldClass.CONTACT, compared=each) for each in _WAYS_TO_REACH),
)
"""Every field of ``enrollment-1``. A field of a later version counts as a register: the careful
choice.
"""

_KNOWN: Final = frozenset(pointer.split("/")[1] for unit in UNITS for pointer in unit.pointers)


def merge(
    base: Body | None,
    current: Body,
    incoming: Body,
    *,
    disputed: Collection[str] = (),
    yielding: Collection[FieldClass] = (FieldClass.CONTACT,),
) -> Merged:
    """Merge what is ``incoming`` into what is ``current``, where both were made from ``base``.

    In a conflict the current value stays, except in the classes that are ``yielding``: there it
    gives way. ``None`` as base: nothing common is known, so every difference is a conflict.
    ``disputed`` are pointers that somebody else found in conflict; whatever differs there, below
    or above is one.
    """
    body: dict[str, Any] = {}
    conflicts: list[Conflict] = []
    for unit in (*UNITS, *_unknown_units(current, incoming)):
        source = current
        if _differs(unit, current, incoming):
            if base is None or _is_conflict(unit, base, current, incoming, disputed):
                conflicts += _conflicts(unit, current, incoming)
                takes_incoming = unit.kind in yielding
            else:
                takes_incoming = not _differs(unit, base, current)
            source = incoming if takes_incoming else current
        body = _with_unit(body, unit, source)
    return Merged(body=body, conflicts=tuple(conflicts))


def _unknown_units(*bodies: Body) -> list[Unit]:
    names = sorted({name for body in bodies for name in body} - _KNOWN)
    return [Unit(kind=FieldClass.REGISTER, compared=(f"/{name}",)) for name in names]


def _differs(unit: Unit, one: Body, other: Body) -> bool:
    return any(value_at(one, each) != value_at(other, each) for each in unit.compared)


def _is_conflict(
    unit: Unit, base: Body, current: Body, incoming: Body, disputed: Collection[str]
) -> bool:
    """Whether a unit that differs was changed by both, or is disputed."""
    if any(_covers(one, other) for one in disputed for other in unit.compared):
        return True
    return _differs(unit, base, current) and _differs(unit, base, incoming)


def _covers(one: str, other: str) -> bool:
    """Whether one pointer names the other, a part of it, or what it is a part of."""
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")


def _conflicts(unit: Unit, current: Body, incoming: Body) -> list[Conflict]:
    found = []
    for pointer in unit.compared:
        ours, theirs = value_at(current, pointer), value_at(incoming, pointer)
        if ours != theirs:
            found.append(Conflict(kind=unit.kind, pointer=pointer, current=ours, incoming=theirs))
    return found


def _with_unit(body: dict[str, Any], unit: Unit, source: Body) -> dict[str, Any]:
    for pointer in unit.pointers:
        value = value_at(source, pointer)
        if value is not None:
            body = with_value(body, pointer, value)
    return body
