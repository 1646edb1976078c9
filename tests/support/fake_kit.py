"""A kit in memory with the facade of `enrollkit.app.kit.Kit`, for tests of screens.

It speaks the real result types and runs the real rules; only disk, keys and network are missing.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from enrollkit.app.amending import NumberIssued, PersonWithdrawn
from enrollkit.app.forecast import Estimate
from enrollkit.app.reason_words import reason_words
from enrollkit.app.results import (
    Call,
    DraftState,
    Event,
    Finding,
    Level,
    LinkResult,
    LinkRow,
    Operator,
    OtherValue,
    PersonPage,
    PersonRow,
    Printed,
    Progress,
    Reason,
    Refused,
    Returned,
    Saved,
    Standing,
    Summary,
)
from enrollkit.app.returns import Received
from enrollkit.app.sticks import Exported
from enrollkit.app.system import local_time
from enrollkit.app.values import other_value, value_text
from enrollkit.cards.codes import terminal_code
from enrollkit.domain.consent import ConsentWording
from enrollkit.domain.enrollment import CORRECTABLE, Enrollment, State
from enrollkit.domain.foresight import foresee, foreseen_call
from enrollkit.domain.intake import normalise
from enrollkit.domain.link_rules import check_link, default_reference, normalise_link
from enrollkit.domain.matching import Likeness, match_key
from enrollkit.domain.problem import Problem
from enrollkit.domain.record_link import LinkState, RecordLink
from enrollkit.domain.rules import Context, check, stands_in_the_way
from enrollkit.errors import OperatorError, RecordNotFound, VaultLocked, WrongPassphrase
from enrollkit.reference.places import Places
from enrollkit.reports.statement import OnStick, Shares, Statement
from schemas.formats import is_aadhaar
from schemas.pointers import value_at

NOON = 1_795_329_600
"""2026-11-22 12:10 in India."""

PASSPHRASE = "four quiet monsoon clouds"

WORDING = (
    "I hereby declare that I am voluntarily sharing my identity information. " * 14
).strip() + " END OF THE TEXT."


@dataclass(frozen=True)
class FakeProgramme:
    """The two facts that screens read."""

    name: str = "Camp Nagla"
    issued: int = NOON - 86_400 * 30
    practice: bool = False


class FakeKit:
    """In memory; every failure that a test wants is set as a value beforehand."""

    def __init__(self) -> None:
        self.is_initialised = True
        self.operator: Operator | None = None
        self.now = NOON
        self._places = Places.load()
        self.desk: dict[str, DraftState] = {}
        self.people_here: dict[str, Enrollment] = {}
        self.states: dict[str, State] = {}
        self.issuing: set[str] = set()
        """Who gets a number by the next session."""
        self.links_back = 0
        self.linked: dict[str, list[RecordLink]] = {}
        self.saves = 0
        self.submits = 0
        self.sealed_numbers: list[str] = []
        self.ui_thread: int | None = None
        self.fail_save: OperatorError | Exception | None = None
        self.fail_submit: OperatorError | Exception | None = None
        self.fail_send: OperatorError | None = None
        self.fail_search: Exception | None = None
        self.sending = threading.Event()
        self.sending.set()
        self.findings = [Finding(code="clock", level=Level.OK, text="The clock is right.")]
        self.reasons: dict[str, tuple[str, str]] = {}
        """Code and pointer, by record."""
        self.others: dict[str, dict[str, Any]] = {}
        """What the office has, by record and pointer."""
        self.held: set[str] = set()
        self.call_times: dict[str, int] = {}
        """Not before when somebody can be called, by record."""
        self.practice = False
        self.removed: set[str] = set()
        self.withdrawals: list[tuple[str, str | None]] = []
        self.estimated = Estimate(bytes=6200, seconds=62, link="2G")
        self.stopped_by_hand = False
        self.notes_of_session: dict[str, Any] = {}
        """Further fields of the summary that a session ends with."""
        self.asked_limit: int | None = None
        self.used_today = 0
        self.sticks_written: list[Path] = []
        self.fail_stick: OperatorError | None = None
        self.came_home: Received = Received()
        self.on_sticks = 0
        self.printed: list[Path] = []
        self.layouts: list[str] = []
        self.crashes: list[BaseException] = []
        self._ids = (f"{number:032x}" for number in itertools.count(0x9F3A << 112, 7919 << 80))

    # Opening

    @property
    def is_locked(self) -> bool:
        return self.operator is None

    def unlock(self, passphrase: str) -> Operator:
        self._not_on_ui()
        if passphrase != PASSPHRASE:
            raise WrongPassphrase
        self.operator = Operator(slot=0, name="Sunita K.")
        return self.operator

    def lock(self) -> None:
        self.operator = None

    def close(self) -> None:
        self.lock()

    def report_crash(self, error: BaseException) -> Path:
        self.crashes.append(error)
        return Path("crash-report.txt")

    @property
    def programme(self) -> FakeProgramme:
        self._open()
        return FakeProgramme(practice=self.practice)

    @property
    def places(self) -> Places:
        self._open_anywhere()
        return self._places

    def wordings(self) -> list[ConsentWording]:
        self._open()
        return [
            ConsentWording(
                code="abha-enrollment", version="1.4", language="en", text=WORDING, official=True
            ),
            ConsentWording(
                code="abha-enrollment",
                version="1.4",
                language="hi",
                text="मैं स्वेच्छा से अपनी जानकारी साझा कर रहा हूँ। " * 10,
                official=False,
            ),
        ]

    @property
    def drafts(self) -> FakeDrafts:
        return FakeDrafts(self)

    @property
    def enrolling(self) -> FakeEnrolling:
        return FakeEnrolling(self)

    @property
    def people(self) -> FakePeople:
        return FakePeople(self)

    @property
    def links(self) -> FakeLinks:
        return FakeLinks(self)

    @property
    def corrections(self) -> FakeCorrections:
        return FakeCorrections(self)

    @property
    def sticks(self) -> FakeSticks:
        return FakeSticks(self)

    @property
    def cards(self) -> FakeCards:
        return FakeCards(self)

    @property
    def delivery(self) -> FakeDelivery:
        return FakeDelivery(self)

    def standing(self) -> Standing:
        self._open()
        counts = Counter(state.value for state in self.states.values())
        signed = counts["ACCEPTED"] + counts["ISSUED"]
        return Standing(
            total=len(self.people_here),
            by_state=dict(counts),
            today=len(self.people_here),
            drafts=len(self.desk),
            waiting=counts["SUBMITTED"] + counts["SENT"],
            links=sum(map(len, self.linked.values())),
            links_waiting=sum(map(len, self.linked.values())),
            signed_for=signed,
            durable=0,
            held=len(self.held),
            returned=counts["RETURNED"],
            last_receipt_at=NOON - 3600 if signed else None,
            links_returned=self.links_back,
        )

    def statement(self, day: date | None = None) -> Statement:
        self._open()
        counts = Counter(self.states.values())
        waiting = counts[State.SUBMITTED] + counts[State.SENT]
        people = Shares(
            total=len(self.states), on_laptop=waiting - self.on_sticks, on_sticks=self.on_sticks,
            signed_for=counts[State.ACCEPTED] + counts[State.ISSUED], held=len(self.held),
            durable=0, returned=counts[State.RETURNED], withdrawn=counts[State.WITHDRAWN],
        )  # fmt: skip
        none = Shares(
            total=0, on_laptop=0, on_sticks=0, signed_for=0, held=0, durable=0, returned=0,
            withdrawn=0,
        )  # fmt: skip
        stick = OnStick(n=3, name="x.ekb", written_at=self.now, people=self.on_sticks, links=0)
        return Statement(
            day=day, made_at=self.now, programme="Camp Nagla", device="0" * 16,
            operator="Sunita K.", camps=("CAMP-1",), people=people, links=none,
            on_sticks=(stick,) if self.on_sticks else (), drafts=len(self.desk),
            incarnation="0" * 16, chain=(0, bytes(32)), audit_head=bytes(32),
        )  # fmt: skip

    def print_statement(self, path: Path, day: date | None = None) -> Printed:
        del day
        self._open()
        self.printed.append(path)
        return Printed(cards=1, files=(path,))

    def doctor(self) -> list[Finding]:
        self._open()
        return self.findings

    # For tests

    def put_person(self, row: Mapping[str, Any], state: State = State.SUBMITTED) -> str:
        """Have somebody here already."""
        ident = next(self._ids)
        body = {key: value for key, value in row.items() if value is not None and key != "aadhaar"}
        self.people_here[ident] = Enrollment.from_body(body, record_id=ident, version=1)
        self.states[ident] = state
        return ident

    def send_back(self, ident: str, code: str, pointer: str, **others: Any) -> None:
        """Have somebody come home; ``others`` are the office's values by field."""
        self.states[ident] = State.RETURNED
        self.reasons[ident] = (code, pointer)
        self.others[ident] = {"/" + name: value for name, value in others.items()}

    def ask_for(
        self, ident: str, code: str, pointer: str = "", *, call_at: int | None = None
    ) -> None:
        """Have the office ask for somebody to be called."""
        self.states[ident] = State.NEEDS_PERSON
        self.reasons[ident] = (code, pointer)
        if call_at is not None:
            self.call_times[ident] = call_at

    def next_id(self) -> str:
        return next(self._ids)

    def _open(self) -> None:
        self._not_on_ui()
        self._open_anywhere()

    def _open_anywhere(self) -> None:
        if self.operator is None:
            raise VaultLocked

    def _not_on_ui(self) -> None:
        assert threading.get_ident() != self.ui_thread, "a kit call on the UI thread"


class FakeDrafts:
    def __init__(self, kit: FakeKit) -> None:
        self.kit = kit

    def start(self, row: Mapping[str, Any] | None = None) -> DraftState:
        self.kit._open()
        draft = DraftState(
            id=self.kit.next_id(), step="", row=dict(row or {}), aadhaar_last4=None,
            updated_at=self.kit.now,
        )  # fmt: skip
        self.kit.desk[draft.id] = draft
        return draft

    def save(self, draft_id: str, row: Mapping[str, Any], step: str) -> DraftState:
        self.kit._open()
        if self.kit.fail_save is not None:
            raise self.kit.fail_save
        self.kit.saves += 1
        draft = replace(self.load(draft_id), row=dict(row), step=step, updated_at=self.kit.now)
        self.kit.desk[draft_id] = draft
        return draft

    def load(self, draft_id: str) -> DraftState:
        self.kit._open()
        if draft_id not in self.kit.desk:
            raise RecordNotFound
        return self.kit.desk[draft_id]

    def list(self) -> list[DraftState]:
        self.kit._open()
        return list(reversed(self.kit.desk.values()))

    def discard(self, draft_id: str) -> DraftState:
        self.load(draft_id)
        return self.kit.desk.pop(draft_id)

    def restore(self, draft: DraftState) -> None:
        self.kit._open()
        self.kit.desk[draft.id] = draft

    def seal_aadhaar(self, draft_id: str, number: str) -> str | Problem:
        self.load(draft_id)
        digits = "".join(number.split()).replace("-", "")
        if not is_aadhaar(digits):
            return Problem(
                pointer="/aadhaar", code="format:aadhaar", text="This is no Aadhaar number."
            )
        self.kit.sealed_numbers.append(digits)
        self.kit.desk[draft_id] = replace(self.kit.desk[draft_id], aadhaar_last4=digits[-4:])
        return digits[-4:]

    def clear_aadhaar(self, draft_id: str) -> None:
        self.kit.desk[draft_id] = replace(self.load(draft_id), aadhaar_last4=None)


class FakeEnrolling:
    def __init__(self, kit: FakeKit) -> None:
        self.kit = kit

    def check(self, row: Mapping[str, Any], draft_id: str | None = None) -> list[Problem]:
        self.kit._open()
        tidied, notes = normalise(row)
        around = self._context(draft_id)
        return [*check(tidied, around), *foresee(tidied, around), *notes]

    def submit_draft(
        self, draft_id: str, *, looked_at: frozenset[str] = frozenset()
    ) -> Saved | Refused:
        self.kit._open()
        if self.kit.fail_submit is not None:
            raise self.kit.fail_submit
        draft = self.kit.drafts.load(draft_id)
        tidied, _notes = normalise(draft.row)
        around = self._context(draft_id)
        problems = [*check(tidied, around), *foresee(tidied, around)]
        if stands_in_the_way(problems, looked_at):
            return Refused(problems=tuple(problems))
        self.kit.submits += 1
        enrollment = Enrollment.from_body(tidied, record_id=draft_id, version=draft.version)
        self.kit.reasons.pop(draft_id, None)
        self.kit.others.pop(draft_id, None)
        self.kit.people_here[draft_id] = enrollment
        self.kit.states[draft_id] = State.SUBMITTED
        del self.kit.desk[draft_id]
        return Saved(
            id=draft_id, provisional=enrollment.provisional, name=enrollment.person.name,
            call=foreseen_call(problems),
        )  # fmt: skip

    def _context(self, draft_id: str | None) -> Context:
        known = {
            ident: Likeness.of(one.person, ident=ident, aadhaar_last4=None)
            for ident, one in self.kit.people_here.items()
            if ident != draft_id
        }
        draft = self.kit.desk.get(draft_id or "")
        return Context(
            today=local_time(self.kit.now).date(),
            consents={"1.4": frozenset({"en", "hi"})},
            places=self.kit._places,
            find_alike=lambda key: [one for one in known.values() if match_key(one) == key],
            aadhaar_last4=draft.aadhaar_last4 if draft else None,
        )


class FakePeople:
    def __init__(self, kit: FakeKit) -> None:
        self.kit = kit

    def search(self, text: str, limit: int = 50) -> list[PersonRow]:
        self.kit._open()
        if self.kit.fail_search is not None:
            raise self.kit.fail_search
        found = [
            one
            for one in self.kit.people_here.values()
            if text.casefold() in f"{one.person.name} {one.provisional}".casefold()
        ]
        return [self._row(one) for one in reversed(found)][:limit]

    def _row(self, one: Enrollment) -> PersonRow:
        person = one.person
        state = self.kit.states[one.id]
        return PersonRow(
            id=one.id,
            name=person.name,
            name_native=person.name_native,
            gender=person.gender.value,
            birth=person.birth.text(),
            age=person.birth.age_said(local_time(self.kit.now).date()),
            village=person.address.village,
            state=state,
            provisional=one.provisional,
            abha_number="91-2345-6789-0123" if state is State.ISSUED else None,
        )

    def page(self, ident: str) -> PersonPage:
        self.kit._open()
        if ident not in self.kit.people_here:
            raise RecordNotFound
        one, state = self.kit.people_here[ident], self.kit.states[ident]
        issued = state is State.ISSUED
        return PersonPage(
            enrollment=one,
            state=state,
            version=1,
            provisional=one.provisional,
            abha_number="91-2345-6789-0123" if issued else None,
            abha_address=f"{one.person.name.split()[0].lower()}.87@abdm" if issued else None,
            reason=self.kit.corrections.reason(ident),
            history=(Event(at=self.kit.now, what="saved on this laptop", who="Sunita K."),),
            links=tuple(self._link(link) for link in self.kit.linked.get(ident, [])),
            held=ident in self.kit.held,
            conflicts=self.kit.corrections.conflicts(ident),
            why_not="" if state in CORRECTABLE else _why_not(state),
            practice=self.kit.practice,
            call_at=self.kit.call_times.get(ident),
        )

    def calls(self) -> list[Call]:
        self.kit._open()
        return [
            Call(
                id=ident, name=one.person.name, provisional=one.provisional,
                mobile=one.person.mobile, village=one.person.address.village,
                reason=self.kit.corrections.reason(ident)
                or Reason(code="needs-person", pointer="", text=reason_words("needs-person")),
                since=NOON - 86_400, call_at=self.kit.call_times.get(ident),
            )
            for ident, one in self.kit.people_here.items()
            if self.kit.states[ident] is State.NEEDS_PERSON
        ]  # fmt: skip

    def _link(self, link: RecordLink) -> LinkRow:
        return LinkRow(
            id=link.id,
            hi_type=link.hi_type.value,
            display=link.display,
            date=link.date,
            facility=link.facility,
            reference=link.reference,
            state=LinkState.REMOVED if link.id in self.kit.removed else LinkState.SUBMITTED,
        )


class FakeLinks:
    def __init__(self, kit: FakeKit) -> None:
        self.kit = kit

    def add(self, person: str, row: Mapping[str, Any]) -> LinkResult:
        self.kit._open()
        tidied, _notes = normalise_link({**row, "person": person})
        problems = check_link(tidied, today=local_time(self.kit.now).date(), birth=None)
        if stands_in_the_way(problems):
            return LinkResult(row=1, ok=False, problems=tuple(problems))
        record = self.kit.next_id()
        body = {key: value for key, value in tidied.items() if key != "person"}
        body.setdefault("reference", default_reference(tidied, record))
        link = RecordLink.from_body({**body, "enrollment": person}, record_id=record)
        self.kit.linked.setdefault(person, []).append(link)
        return LinkResult(row=1, ok=True, id=record, reference=link.reference)


class FakeCards:
    def __init__(self, kit: FakeKit) -> None:
        self.kit = kit

    def render(self, idents: list[str] | None, *, layout: str, out: Path) -> Printed:
        self.kit._open()
        count = len(self.kit.people_here) if idents is None else len(idents)
        self.kit.layouts.append(layout)
        return Printed(cards=count, files=(out,))

    def provisional_code(self, provisional: str) -> str:
        self.kit._open()
        return terminal_code(provisional)


class FakeCorrections:
    def __init__(self, kit: FakeKit) -> None:
        self.kit = kit

    def returned(self) -> list[Returned]:
        self.kit._open()
        return [
            Returned(
                id=ident, name=one.person.name, state=self.kit.states[ident].value,
                held=ident in self.kit.held,
                reason=self.reason(ident) or Reason(code="x", pointer="", text="It waits."),
                conflicts=self.conflicts(ident), can_correct=self.kit.states[ident] in CORRECTABLE,
            )
            for ident, one in self.kit.people_here.items()
            if self.kit.states[ident] is State.RETURNED or ident in self.kit.held
        ]  # fmt: skip

    def start(self, ident: str) -> DraftState:
        self.kit._open()
        one, state = self.kit.people_here[ident], self.kit.states[ident]
        if state not in CORRECTABLE:
            raise _REASON.get(state, NumberIssued)
        if ident not in self.kit.desk:
            self.kit.desk[ident] = DraftState(
                id=ident, step="", row=one.body(), aadhaar_last4=one.aadhaar_last4,
                updated_at=self.kit.now, corrects=one.person.name, version=one.version + 1,
            )  # fmt: skip
        return self.kit.desk[ident]

    def withdraw(self, ident: str, reason: str | None = None) -> None:
        self.kit._open()
        self.kit.states[ident] = State.WITHDRAWN
        self.kit.withdrawals.append((ident, reason))

    def remove_link(self, link: str, reason: str | None = None) -> None:
        del reason
        self.kit._open()
        self.kit.removed.add(link)

    def reason(self, ident: str) -> Reason | None:
        state = self.kit.states[ident]
        default = ("mobile", "/mobile") if state is State.RETURNED else None
        told = self.kit.reasons.get(ident, default)
        if told is None:
            return None
        code, pointer = told
        value = value_at(self.kit.people_here[ident].body(), pointer)
        text = "The number belongs to many." if code == "mobile" else reason_words(code)
        said = value_text(pointer, value, self.kit._places) if value else ""
        return Reason(code=code, pointer=pointer, text=text, value=said)

    def conflicts(self, ident: str) -> tuple[OtherValue, ...]:
        body = self.kit.people_here[ident].body()
        return tuple(
            other_value(body, pointer, theirs, self.kit._places)
            for pointer, theirs in self.kit.others.get(ident, {}).items()
        )


class FakeSticks:
    def __init__(self, kit: FakeKit) -> None:
        self.kit = kit

    def export(self, folder: Path) -> Exported:
        self.kit._open()
        if self.kit.fail_stick is not None:
            raise self.kit.fail_stick
        self.kit.sticks_written.append(folder)
        people = sum(state is State.SUBMITTED for state in self.kit.states.values())
        self.kit.on_sticks = people
        number = len(self.kit.sticks_written)
        return Exported(
            files=(folder / f"camp-{number}.ekb",), people=people, links=0, operations=people,
            carried=0, sticks=(number,),
        )  # fmt: skip

    def receive(self, path: Path) -> Received:
        del path
        self.kit._open()
        if self.kit.fail_stick is not None:
            raise self.kit.fail_stick
        return self.kit.came_home


class FakeDelivery:
    def __init__(self, kit: FakeKit) -> None:
        self.kit = kit

    def estimate(self) -> Estimate:
        self.kit._open()
        return self.kit.estimated

    def bytes_used_today(self) -> int:
        self.kit._open()
        return self.kit.used_today

    def run(
        self,
        on_progress: Callable[[Progress], None],
        *,
        limit_bytes: int | None = None,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> Summary:
        self.kit._open()
        self.kit.asked_limit = limit_bytes
        waiting = [ident for ident, state in self.kit.states.items() if state is State.SUBMITTED]
        total, done = len(waiting), 0
        on_progress(_progress("connecting", total, done, "Looking for the server"))
        assert self.kit.sending.wait(20)
        self.kit.stopped_by_hand = is_stopping()
        if self.kit.fail_send is None and not self.kit.stopped_by_hand:
            for ident in waiting:
                self.kit.states[ident] = State.ACCEPTED
                done += 1
                on_progress(_progress("people", total, done, "The server signs"))
            self.kit.states.update(dict.fromkeys(self.kit.issuing, State.ISSUED))
        return Summary(
            sent=total, accepted=done, duplicate=0, held=0, rejected=0, feed=0,
            bytes_up=60 * total, bytes_down=90, requests=2, seconds=1.5, waiting=total - done,
            error=self.kit.fail_send,  # type: ignore[arg-type]
            stopped=self.kit.stopped_by_hand, **self.kit.notes_of_session,
        )  # fmt: skip


_REASON = {State.WITHDRAWN: PersonWithdrawn, State.ISSUED: NumberIssued}


def _why_not(state: State) -> str:
    return _REASON.get(state, NumberIssued)().text


def _progress(phase: Any, total: int, done: int, text: str) -> Progress:
    return Progress(
        phase=phase, people_total=total, people_signed=done, bytes_up=60 * done,
        bytes_down=90, text=text,
    )  # fmt: skip
