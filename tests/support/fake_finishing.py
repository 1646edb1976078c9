"""Finishing with the person present, as `kit.finishing` does it: the server and ABDM in memory."""

from __future__ import annotations

from dataclasses import replace

from enrollkit.app.reason_words import reason_words
from enrollkit.app.results import FinishState, PersonPage, Reason
from enrollkit.domain.enrollment import State
from enrollkit.domain.identifiers import parse_provisional_number, provisional_number
from enrollkit.errors import OperatorError, RecordNotFound
from fake_kit import FakeKit, FakePeople
from sync.protocol import FinishStage

AADHAAR_CODE = "482913"
MOBILE_CODE = "771204"
NUMBER = "00-2345-6789-0123"
ELSEWHERE = "0e" * 16
"""Somebody whom the programme knows and this laptop does not."""
NEVER_SENT = "5e" * 16
"""Somebody whom the office does not have yet."""
_AGAIN_SECONDS = 60


class FinishKit(FakeKit):
    """A kit whose server can finish people; what a test wants to go wrong is set beforehand."""

    def __init__(self) -> None:
        super().__init__()
        self.stages: dict[str, FinishState] = {}
        self.asked: list[tuple[str, ...]] = []
        """Every step as the server saw it, with its value."""
        self.fail_step: OperatorError | None = None
        """Raised once, by the next step, before the server hears of it."""
        self.lose_answer: OperatorError | None = None
        """Raised once, by the next step but a look, after the server has done it."""
        self.rounds_of_work = 0
        """How often the server says that it is still at it."""
        self.other_mobile = False
        """Whether the mobile that was given is not the one that Aadhaar knows."""
        self.sent_at = 0

    @property
    def people(self) -> FinishPeople:
        return FinishPeople(self)

    @property
    def finishing(self) -> FakeFinishing:
        return FakeFinishing(self)


class FinishPeople(FakePeople):
    """Knows of a number what the finishing gave."""

    def page(self, ident: str) -> PersonPage:
        assert isinstance(self.kit, FinishKit)
        state = self.kit.stages.get(ident)
        if state is None or state.abha_number is None:
            return super().page(ident)
        bare = state.abha_number.replace("-", "") + "@abdm"
        address = state.abha_address or bare
        return replace(super().page(ident), abha_number=state.abha_number, abha_address=address)


class FakeFinishing:
    """The steps, each with the answer of an honest server."""

    def __init__(self, kit: FinishKit) -> None:
        self.kit = kit

    def look(self, ident: str) -> FinishState:
        return self._answer(ident, "look")

    def send(self, ident: str) -> FinishState:
        return self._answer(ident, "send")

    def code(self, ident: str, code: str) -> FinishState:
        return self._answer(ident, "code", code)

    def mobile_send(self, ident: str) -> FinishState:
        return self._answer(ident, "mobile-send")

    def mobile_code(self, ident: str, code: str) -> FinishState:
        return self._answer(ident, "mobile-code", code)

    def skip_mobile(self, ident: str) -> FinishState:
        return self._answer(ident, "mobile-skip")

    def choose_address(self, ident: str, handle: str) -> FinishState:
        return self._answer(ident, "address", handle)

    def skip_address(self, ident: str) -> FinishState:
        return self._answer(ident, "address-skip")

    def _answer(self, ident: str, action: str, value: str = "") -> FinishState:
        kit = self.kit
        kit._open()
        if kit.fail_step is not None:
            error, kit.fail_step = kit.fail_step, None
            raise error
        record = self._record(ident)
        if record == NEVER_SENT:
            unknown = replace(self._first(record), reason=_reason("finish:unknown"))
            return replace(unknown, stage=FinishStage.REFUSED)
        kit.asked.append((action, value) if value else (action,))
        state = kit.stages.get(record) or self._first(record)
        if action != "look":
            state = replace(state, reason=None)
        if action in {"send", "mobile-send"}:
            state = self._send(state, mobile=action == "mobile-send")
        elif action != "look":
            state = self._step(state, action, value)
        kit.stages[record] = state
        if not state.record and action == "code" and state.abha_number:
            state = replace(state, record=record)
        if state.abha_number and record in kit.states:
            kit.states[record] = State.ISSUED
        if kit.lose_answer is not None and action != "look":
            error, kit.lose_answer = kit.lose_answer, None
            raise error
        if kit.rounds_of_work and action != "send":
            kit.rounds_of_work -= 1
            return replace(state, stage=FinishStage.WORKING)
        return replace(state, again_in=max(0, kit.sent_at + _AGAIN_SECONDS - kit.now))

    def _staged(self, record: str, stage: FinishStage, code: str = "otp:late") -> FinishState:
        """Put somebody at a stage, with all that can stand there and the longest of it."""
        later = {FinishStage.ADDRESS, FinishStage.DONE, FinishStage.MOBILE, FinishStage.MOBILE_SENT}
        handles = tuple(f"a.handle_of.eigh{number}" for number in range(9))
        return replace(
            self._first(record), stage=stage, hint="******3210", handles=handles,
            abha_number=NUMBER if stage in later else None, reason=_reason(code),
        )  # fmt: skip

    def _record(self, ident: str) -> str:
        for record in [*self.kit.people_here, ELSEWHERE, NEVER_SENT]:
            if ident == record or parse_provisional_number(ident) == provisional_number(record):
                return record
        raise RecordNotFound

    def _first(self, record: str) -> FinishState:
        here = self.kit.people_here.get(record)
        return FinishState(
            record=record if here else "", stage=FinishStage.READY,
            name=here.person.name if here else "",
            hint="", again_in=0, handles=(), abha_number=None, abha_address=None, reason=None,
        )  # fmt: skip

    def _send(self, state: FinishState, *, mobile: bool) -> FinishState:
        if self.kit.now < self.kit.sent_at + _AGAIN_SECONDS:
            return replace(state, reason=_reason("otp:wait"))
        self.kit.sent_at = self.kit.now
        stage = FinishStage.MOBILE_SENT if mobile else FinishStage.CODE_SENT
        return replace(state, stage=stage, hint="******3210")

    def _step(self, state: FinishState, action: str, value: str) -> FinishState:
        right = {"code": AADHAAR_CODE, "mobile-code": MOBILE_CODE}
        if action in right and value != right[action]:
            return replace(state, reason=_reason("otp:wrong"))
        if action == "code" and self.kit.other_mobile:
            self.kit.sent_at = 0
            return replace(state, stage=FinishStage.MOBILE, abha_number=NUMBER, hint="******1234")
        if action in {"code", "mobile-code", "mobile-skip"}:
            handles = ("sunita.devi87", "sunitadevi1987", "devi.sunita14")
            return replace(
                state, stage=FinishStage.ADDRESS, abha_number=NUMBER, handles=handles, hint=""
            )
        if value == "taken.handle":
            return replace(state, reason=_reason("abdm:address-taken"))
        address = f"{value or NUMBER.replace('-', '')}@sbx"
        return replace(state, stage=FinishStage.DONE, abha_address=address)


def refused(state: FinishState, code: str) -> FinishState:
    """The state after ABDM said no."""
    return replace(state, stage=FinishStage.REFUSED, reason=_reason(code))


def untold(state: FinishState) -> FinishState:
    """What a laptop hears that neither holds the person nor brought the code."""
    return replace(state, stage=FinishStage.DONE, abha_number=None, abha_address=None)


def _reason(code: str) -> Reason:
    return Reason(code=code, pointer="", text=reason_words(code))
