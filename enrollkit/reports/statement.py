"""The statement at a day's end: every person captured here is somewhere, to the last one.

    total = only on this laptop + on sticks + signed for + returned + withdrawn

Whoever has no verified receipt is *on a stick* or *only on this laptop*, whatever any screen said
in between; a stick that is lost makes nobody vanish, for this laptop still holds them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

__all__ = ["Group", "OnStick", "Shares", "Statement", "add_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some who stand alike: ``place`` is ``returned``, ``unsigned``, ``withdrawn`` or ``signed``.

    ``stick`` is the number of the newest stick that carries unsigned ones.
    """

    place: str
    stick: int | None
    is_held: bool
    is_durable: bool
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How a total falls into parts. ``held`` and ``durable`` are contained in ``signed_for``."""

    total: int
    on_laptop: int
    on_sticks: int
    signed_for: int
    held: int
    durable: int
    returned: int
    withdrawn: int

    @property
    def adds_up(self) -> bool:
        """Whether everybody is in exactly one part."""
        parts = self.on_laptop + self.on_sticks + self.signed_for + self.returned + self.withdrawn
        return parts == self.total and max(self.held, self.durable) <= self.signed_for


@dataclass(frozen=True, slots=True, kw_only=True)
class OnStick:
    """Who is on one stick and not signed for yet; ``written_at`` is when it was verified there."""

    n: int
    name: str
    written_at: int
    people: int
    links: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement; counts are of people, those of papers are in ``links``.

    ``day`` limits it to those who were saved on that day in India; ``None``: everybody here.
    ``drafts`` are not enrolled and in no sum. ``chain`` (number and digest of the newest batch of
    ``incarnation``) and ``audit_head`` tie it to what this laptop had done by then.
    """

    day: date | None
    made_at: int
    programme: str
    device: str
    operator: str
    camps: tuple[str, ...]
    people: Shares
    links: Shares
    on_sticks: tuple[OnStick, ...]
    drafts: int
    incarnation: str
    chain: tuple[int, bytes]
    audit_head: bytes

    @property
    def total(self) -> int:
        """Give how many people were captured."""
        return self.people.total

    @property
    def on_laptop(self) -> int:
        """Give how many lie on this laptop and nowhere else that we know of."""
        return self.people.on_laptop

    @property
    def signed_for(self) -> int:
        """Give for how many there is a verified receipt of the server."""
        return self.people.signed_for

    @property
    def held(self) -> int:
        """Give how many of those the office looks at."""
        return self.people.held

    @property
    def durable(self) -> int:
        """Give how many of those lie in a verified backup of the server."""
        return self.people.durable

    @property
    def returned(self) -> int:
        """Give how many wait for a correction."""
        return self.people.returned

    @property
    def withdrawn(self) -> int:
        """Give how many took their consent back, signed for by the server."""
        return self.people.withdrawn

    @property
    def adds_up(self) -> bool:
        """Whether every person and every paper is in exactly one part, the sticks' included."""
        return (
            self.people.adds_up
            and self.links.adds_up
            and sum(stick.people for stick in self.on_sticks) == self.people.on_sticks
            and sum(stick.links for stick in self.on_sticks) == self.links.on_sticks
        )

    def figures(self) -> dict[str, Any]:
        """Give it as plain values: the keys of ``enrollkit status --statement --json``."""
        return {
            "day": self.day.isoformat() if self.day else None,
            "made_at": self.made_at,
            "programme": self.programme,
            "device": self.device,
            "operator": self.operator,
            "camps": list(self.camps),
            **_figures(self.people),
            "on_sticks": [
                {name: getattr(stick, name) for name in _names(stick)} for stick in self.on_sticks
            ],
            "links": _figures(self.links),
            "drafts": self.drafts,
            "adds_up": self.adds_up,
        }


def add_up(total: int, groups: Iterable[Group]) -> tuple[Shares, dict[int, int]]:
    """Give the parts of a total that was counted by itself, and how many each stick carries."""
    groups = tuple(groups)
    by_stick: dict[int, int] = {}
    for group in groups:
        if group.place == "unsigned" and group.stick is not None:
            by_stick[group.stick] = by_stick.get(group.stick, 0) + group.count
    signed = [group for group in groups if group.place == "signed"]
    shares = Shares(
        total=total,
        on_laptop=_sum(one for one in groups if one.place == "unsigned" and one.stick is None),
        on_sticks=sum(by_stick.values()),
        signed_for=_sum(signed),
        held=_sum(group for group in signed if group.is_held),
        durable=_sum(group for group in signed if group.is_durable),
        returned=_sum(group for group in groups if group.place == "returned"),
        withdrawn=_sum(group for group in groups if group.place == "withdrawn"),
    )
    return shares, by_stick


def _sum(groups: Iterable[Group]) -> int:
    return sum(group.count for group in groups)


def _names(value: Any) -> list[str]:
    return [field.name for field in fields(value)]


def _figures(shares: Shares) -> dict[str, int]:
    return {name: getattr(shares, name) for name in _names(shares)}
