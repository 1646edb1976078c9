"""What use cases hand to screens and commands: plain values, ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enrollkit.domain.enrollment import FIRST_VERSION, Enrollment, State
from enrollkit.domain.problem import Problem
from enrollkit.domain.record_link import LinkState
from sync.engine.account import Progress, Summary

if TYPE_CHECKING:
    # The lock screen stands before the store is read.
    from enrollkit.store.enrollments import Source

__all__ = [
    "Call",
    "Checked",
    "DraftState",
    "Event",
    "Finding",
    "FinishState",
    "Initialised",
    "Level",
    "LinkResult",
    "LinkRow",
    "Operator",
    "OtherValue",
    "PersonPage",
    "PersonRow",
    "Printed",
    "Progress",
    "Reason",
    "Refused",
    "Returned",
    "RowResult",
    "RowSource",
    "Saved",
    "Standing",
    "Summary",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who works at the laptop: the key slot, and the name shown on screen and in the audit."""

    slot: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialised:
    """A laptop that was just set up; the operator reads ``approval_code`` to the office."""

    device: str
    approval_code: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DraftState:
    """A draft as it lies on disk. ``row`` is an intake row, perhaps incomplete, never with the
    Aadhaar number; ``aadhaar_last4`` is set once that is sealed. ``step`` is the screen's word.
    ``corrects`` is the name, as saved, of the person that this is a correction of. The rest is
    kept for :meth:`enrollkit.app.drafts.Drafts.restore`.
    """

    id: str
    step: str
    row: Mapping[str, Any]
    aadhaar_last4: str | None
    updated_at: int
    corrects: str | None = None
    version: int = FIRST_VERSION
    sealed: bytes | None = None
    capture_session: str | None = None
    source: Source | None = None

    def __repr__(self) -> str:
        return f"DraftState({self.id}, <withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Saved:
    """A person saved on this laptop: on disk, in the queue, in the audit.

    ``call`` says why somebody will have to call the person; empty when nobody has to.
    """

    id: str
    provisional: str
    name: str
    call: str = ""

    def __repr__(self) -> str:
        return f"Saved({self.id}, <withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Not saved: every problem at once. The draft is still there."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSource:
    """Which line of which file a row came from (line numbers start at 1)."""

    name: str
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """What became of one row of a file.

    ``ok``: saved (``id``, ``provisional``), now or, with ``already``, by an earlier run.
    Otherwise ``problems`` say why; with ``draft`` it waits in the app for a person's look.
    ``notes`` tell what was tidied or looked unusual, in a row that was not saved too.
    """

    row: int
    ok: bool
    id: str | None = None
    provisional: str | None = None
    already: bool = False
    draft: str | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PersonRow:
    """One person in a list. ``age`` is in completed years, the youngest the birth date allows."""

    id: str
    name: str
    name_native: str | None
    gender: str
    birth: str
    age: int
    village: str
    state: State
    provisional: str
    abha_number: str | None

    def __repr__(self) -> str:
        return f"PersonRow({self.id}, <withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a record: ``what`` in words, ``who`` where a person did it."""

    at: int
    what: str
    who: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reason:
    """Why the server sent a record back, or holds it: a code, the field to blame, words.

    ``pointer`` is the field of the form (empty: none in particular), ``value`` what stood there
    then, as people write it.
    """

    code: str
    pointer: str
    text: str
    value: str = ""

    def __repr__(self) -> str:
        return f"Reason({self.code}, {self.pointer}, <withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OtherValue:
    """One field that was changed here and at the office.

    ``pointer`` is the field of the form; ``yours`` and ``theirs`` are its values as a form holds
    them (``None``: empty), ``yours_text`` and ``theirs_text`` as people write them.
    """

    pointer: str
    yours: Any
    theirs: Any
    yours_text: str
    theirs_text: str

    def __repr__(self) -> str:
        return f"OtherValue({self.pointer}, <withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Returned:
    """Somebody who came home for correction, or whom the office holds back (``held``).

    ``reason`` names field, words and the value blamed; ``record`` says which health record it is
    about, if it is not the person. ``can_correct``: a next version can be written here.
    """

    id: str
    name: str
    state: str
    held: bool
    reason: Reason
    conflicts: tuple[OtherValue, ...] = ()
    record: str | None = None
    can_correct: bool = True

    def __repr__(self) -> str:
        return f"Returned({self.id}, {self.reason.code}, <withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Call:
    """Somebody who has to be called: who, why, since when, and not before when (``call_at``)."""

    id: str
    name: str
    provisional: str
    mobile: str | None
    village: str
    reason: Reason
    since: int
    call_at: int | None

    def __repr__(self) -> str:
        return f"Call({self.id}, {self.reason.code}, <withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LinkRow:
    """One record link of a person."""

    id: str
    hi_type: str
    display: str
    date: date
    facility: str
    reference: str
    state: LinkState
    held: bool = False
    reason: Reason | None = None

    def __repr__(self) -> str:
        return f"LinkRow({self.id}, <withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PersonPage:
    """All that this laptop knows of one person.

    ``held``: the server signed for the newest word and holds it back, for ``reason``.
    ``conflicts`` are fields in which this laptop and the office both wrote. ``why_not`` says in
    words why no correction can be made here, if none can. ``call_at``: calling the person is of no
    use before. ``practice``: the numbers are not real.
    """

    enrollment: Enrollment
    state: State
    version: int
    provisional: str
    abha_number: str | None
    abha_address: str | None
    reason: Reason | None
    history: tuple[Event, ...]
    links: tuple[LinkRow, ...]
    held: bool = False
    conflicts: tuple[OtherValue, ...] = ()
    why_not: str = ""
    call_at: int | None = None
    practice: bool = False

    def __repr__(self) -> str:
        return f"PersonPage({self.enrollment.id}, <withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkResult:
    """What became of one record-link row; ``notes`` tell what was tidied or looked unusual."""

    row: int
    ok: bool
    id: str | None = None
    reference: str | None = None
    already: bool = False
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """Cards that were written to files."""

    cards: int
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What one scanned code is, and whether and by whom it is signed.

    ``verdict`` is ``verified`` only when a signature of a known, approved device was checked,
    ``as-signed`` for an unsigned code that says what a verified one beside it says; ``fields`` are
    what the code says, labelled for people.
    """

    kind: str
    verdict: str
    signer: str | None
    text: str
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Counts that are so, of people unless said otherwise.

    ``waiting`` are people whose newest version no server has signed for; ``held`` are signed for,
    and wait for a look at the office; ``durable`` lie in a verified backup of the server.
    ``last_receipt_at`` is when the last signature was verified.
    """

    total: int
    by_state: Mapping[str, int]
    today: int
    drafts: int
    waiting: int
    links: int
    links_waiting: int
    signed_for: int
    held: int
    durable: int
    returned: int
    last_receipt_at: int | None
    links_returned: int = 0

    @property
    def issued(self) -> int:
        """How many have an ABHA number from their enrollment."""
        return self.by_state.get(State.ISSUED.value, 0)


class Level(StrEnum):
    """How much a finding of the doctor matters."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing the doctor looked at."""

    code: str
    level: Level
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FinishState:
    """Where finishing an enrollment with the person present stands, as the server says it.

    ``stage`` is a value of :class:`sync.protocol.FinishStage`. ``hint`` is the masked mobile that a
    code went to; ``again_in`` how many seconds until another can be sent; ``handles`` the ABHA
    addresses to choose from, without their suffix. ``name`` is empty on a laptop that does not
    hold the person; so is ``record``, where it was not typed, until it brought the right code.
    """

    record: str
    stage: str
    name: str
    hint: str
    again_in: int
    handles: tuple[str, ...]
    abha_number: str | None
    abha_address: str | None
    reason: Reason | None

    @property
    def is_known(self) -> bool:
        """Whether the office knows whom it is about."""
        nobody = {"finish:unknown", "finish:ambiguous"}
        return self.reason is None or self.reason.code not in nobody

    def __repr__(self) -> str:
        return f"FinishState({self.stage}, <withheld>)"
