"""What is to be asked next for one person's record links, and when: facts in, requests out.

ABDM's answers come later by another road, a refused request is remembered for a while (a second
one is only told that it is a duplicate), and one request takes up to twenty records of one kind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, Final, TypeAlias

from sync.server.abdm.calls import Step

__all__ = [
    "CONTEXTS_MAX",
    "PATIENCE_SECONDS",
    "AskLinks",
    "AskToken",
    "Past",
    "Pending",
    "Plan",
    "grouped",
    "patience",
    "plan",
]

CONTEXTS_MAX: Final = 20
"""ABDM-1006: the count must be between 1 and 20."""

PATIENCE_SECONDS: Final = 600
"""How long an answer is waited for before the same is asked again. ABDM remembers a request for a
link token for 69 seconds at least, nobody says how long at most; answers come within seconds.
"""
_PATIENCE_SECONDS_MAX: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pending:
    """A link that is to be made; ``hip`` is in whose name."""

    id: str
    hip: str
    facility: str
    hi_type: str
    reference: str
    display: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A request that was made; nothing of its kind is asked before ``rests_until`` (ms).

    ``links`` are the ids of its links, or of those that waited for the token. ``is_split``: one of
    them, nobody knows which, was linked already, so each is asked for alone.
    """

    step: Step
    hip: str
    links: frozenset[str]
    rests_until: int
    is_split: bool = False
    is_silent: bool = False
    """It may have arrived, and no answer has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskToken:
    """Ask for a link token at a facility, for which ``links`` wait."""

    step: ClassVar[Step] = Step.LINK_TOKEN
    hip: str
    links: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of its links."""
        return self.links


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AskLinks:
    """Ask for up to twenty links of one kind at one facility."""

    step: ClassVar[Step] = Step.LINK
    hip: str
    hi_type: str
    links: tuple[Pending, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of its links."""
        return tuple(each.id for each in self.links)


Action: TypeAlias = AskToken | AskLinks


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to ask now, in order; ``due_at`` (ms) is when there is something to ask later."""

    actions: tuple[Action, ...]
    due_at: int | None


def plan(
    pending: Sequence[Pending], tokens: Collection[str], past: Sequence[Past], *, now: int
) -> Plan:
    """Give what is to be asked; ``tokens`` are the facilities for which there is a link token."""
    alone = {link for each in past if each.is_split for link in each.links}
    resting = _resting(past)
    actions: list[Action] = []
    later: list[int] = []
    for hip in sorted({each.hip for each in pending}):
        there = [each for each in pending if each.hip == hip]
        free = [each for each in there if resting.get(each.id, 0) <= now]
        later += [resting[each.id] for each in there if resting.get(each.id, 0) > now]
        if not free:
            continue
        if hip in tokens:
            actions += grouped(free, alone)
            continue
        rests = [each.rests_until for each in past if _is_token(each, hip)]
        if max(rests, default=0) <= now:
            actions.append(AskToken(hip=hip, links=tuple(each.id for each in free)))
        else:
            later.append(max(rests))
    return Plan(actions=tuple(actions), due_at=min(later, default=None))


def grouped(pending: Iterable[Pending], alone: Collection[str] = ()) -> Iterator[AskLinks]:
    """Put links together by facility and kind, at most twenty; those in ``alone`` by themselves."""
    ordered = sorted(pending, key=lambda each: (*_kind(each), each.reference, each.id))
    for _, of_kind in groupby(ordered, key=_kind):
        members = list(of_kind)
        together = [each for each in members if each.id not in alone]
        for first in range(0, len(together), CONTEXTS_MAX):
            yield _ask(together[first : first + CONTEXTS_MAX])
        for each in members:
            if each.id in alone:
                yield _ask((each,))


def patience(past: Iterable[Past], step: Step, hip: str, links: Collection[str]) -> int:
    """Give how many seconds to wait for an answer: longer each time that none came, up to a day."""
    silent = sum(
        each.is_silent
        for each in past
        if each.step is step and each.hip == hip and each.links.intersection(links)
    )
    return int(min(PATIENCE_SECONDS * 2 ** min(silent, 10), _PATIENCE_SECONDS_MAX))


def _resting(past: Iterable[Past]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for each in past:
        for link in each.links if each.step is Step.LINK else ():
            found[link] = max(found.get(link, 0), each.rests_until)
    return found


def _is_token(past: Past, hip: str) -> bool:
    return past.step is Step.LINK_TOKEN and past.hip == hip


def _kind(link: Pending) -> tuple[str, str, str]:
    return link.hip, link.facility, link.hi_type


def _ask(links: Sequence[Pending]) -> AskLinks:
    return AskLinks(hip=links[0].hip, hi_type=links[0].hi_type, links=tuple(links))
