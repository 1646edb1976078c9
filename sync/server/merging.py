"""Bringing two corrections of one version together, field by field; pure.

What only one side changed is taken from that side. What both changed is decided by the class of
the field. No value is ever lost: both versions stay in the history, whatever is current.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

__all__ = ["UNITS", "Conflict", "FieldClass", "Merged", "Unit", "merge"]

Body: TypeAlias = Mapping[str, Any]
Path: TypeAlias = tuple[str, ...]


class FieldClass(StrEnum):
    """What is done where both sides changed a field."""

    WRITE_ONCE = "write-once"
    """The first stays, and a person decides."""
    REGISTER = "register"
    """Who somebody is: the first stays, and a person decides. Never the last writer alone."""
    CONTACT = "contact"
    """How somebody is reached: what arrives later is current, the other stays in the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Fields that only make sense together, and change hands together.

    ``compared`` says whether two sides differ; ``carried`` goes along with it.
    """

    kind: FieldClass
    compared: tuple[Path, ...]
    carried: tuple[Path, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
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
    """What is current now, and what both sides changed otherwise."""

    body: dict[str, Any] = field(repr=False)
    conflicts: tuple[Conflict, ...]

    @property
    def undecided(self) -> tuple[Conflict, ...]:
        """Give the conflicts that a person must decide."""
        return tuple(each for each in self.conflicts if each.kind is not FieldClass.CONTACT)


UNITS: Final[tuple[Unit, ...]] = (
    Unit(kind=FieldClass.WRITE_ONCE, compared=(("consent",),)),
    # The same four digits sealed again are no other number.
    Unit(
        kind=FieldClass.WRITE_ONCE,
        compared=(("aadhaar_last4",),),
        carried=(("capture_session",),),
    ),
    Unit(kind=FieldClass.REGISTER, compared=(("name",),)),
    Unit(kind=FieldClass.REGISTER, compared=(("name_native",),)),
    Unit(kind=FieldClass.REGISTER, compared=(("birth",),)),
    Unit(kind=FieldClass.REGISTER, compared=(("gender",),)),
    Unit(kind=FieldClass.REGISTER, compared=(("guardian",),)),
    Unit(kind=FieldClass.CONTACT, compared=(("mobile",), ("mobile_owner",))),
    Unit(kind=FieldClass.CONTACT, compared=(("address", "line"),)),
    Unit(kind=FieldClass.CONTACT, compared=(("address", "village"),)),
    Unit(kind=FieldClass.CONTACT, compared=(("address", "pincode"),)),
    Unit(kind=FieldClass.CONTACT, compared=(("address", "state"), ("address", "district"))),
    Unit(kind=FieldClass.CONTACT, compared=(("language",),)),
    Unit(kind=FieldClass.CONTACT, compared=(("household",),)),
    Unit(kind=FieldClass.CONTACT, compared=(("camp",),)),
    Unit(kind=FieldClass.CONTACT, compared=(("abha_address_choice",),)),
)
"""Every field of ``enrollment-1``. A field of a later version counts as a register: the careful
choice.
"""

_KNOWN: Final = frozenset(path[0] for unit in UNITS for path in unit.paths)


def merge(base: Body, current: Body, incoming: Body) -> Merged:
    """Merge a correction of ``base`` into what is current.

    ``base`` is what the operator saw who wrote ``incoming``; empty when that is not known, so that
    every difference counts as changed on both sides.
    """
    body: dict[str, Any] = {}
    conflicts: list[Conflict] = []
    for unit in (*UNITS, *_unknown_units(base, current, incoming)):
        was, ours, theirs = (_values(each, unit.compared) for each in (base, current, incoming))
        is_conflict = ours not in (was, theirs) and theirs != was
        takes_incoming = theirs != was and not (is_conflict and _first_stays(unit))
        _put(body, unit, incoming if takes_incoming and ours != theirs else current)
        if is_conflict:
            conflicts += _conflicts(unit, current, incoming)
    return Merged(body=body, conflicts=tuple(conflicts))


def _first_stays(unit: Unit) -> bool:
    return unit.kind is not FieldClass.CONTACT


def _unknown_units(*bodies: Body) -> list[Unit]:
    names = sorted({name for body in bodies for name in body} - _KNOWN)
    return [Unit(kind=FieldClass.REGISTER, compared=((name,),)) for name in names]


def _values(body: Body, paths: tuple[Path, ...]) -> tuple[Any, ...]:
    return tuple(_value(body, path) for path in paths)


def _value(body: Body, path: Path) -> Any:
    value: Any = body
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _put(body: dict[str, Any], unit: Unit, source: Body) -> None:
    for path in unit.paths:
        value = _value(source, path)
        if value is None:
            continue
        place = body
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = value


def _conflicts(unit: Unit, current: Body, incoming: Body) -> list[Conflict]:
    found = []
    for path in unit.compared:
        ours, theirs = _value(current, path), _value(incoming, path)
        if ours != theirs:
            pointer = "/" + "/".join(path)
            found.append(Conflict(kind=unit.kind, pointer=pointer, current=ours, incoming=theirs))
    return found
