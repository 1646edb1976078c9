"""A client of ABDM that does what it is told, for the tests of the worker."""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from sync.server.abdm.calls import (
    AbdmFailure,
    AbdmRefused,
    AbdmUnknown,
    AbdmUnsent,
    Answered,
    Begin,
    Begun,
    DemographicAsk,
    Effect,
    Ending,
    EndKind,
    Enrolled,
    Paper,
    Refusal,
    Step,
)

End = Callable[[Ending], Any]

__all__ = ["FakeAbdm", "refused", "unknown", "unsent"]

T = TypeVar("T")


def refused(
    code: str, effect: Effect, reason: str = "abdm:wait", pointer: str = "", **more: Any
) -> Callable[[str], AbdmFailure]:
    """Give what makes a refusal for a request id."""
    status = more.pop("status", 422)

    def make(request_id: str) -> AbdmFailure:
        ending = Ending(request_id=request_id, kind=EndKind.REFUSED, status=status, code=code)
        refusal = Refusal(
            code=code,
            message="no",
            status=status,
            module="M1",
            effect=effect,
            reason=reason,
            pointer=pointer,
            **more,
        )
        return AbdmRefused(ending, refusal)

    return make


def unknown(request_id: str) -> AbdmFailure:
    """Make a failure of a request that left."""
    return AbdmUnknown(Ending(request_id=request_id, kind=EndKind.UNKNOWN))


def unsent(request_id: str) -> AbdmFailure:
    """Make a failure of a request that did not leave."""
    return AbdmUnsent(Ending(request_id=request_id, kind=EndKind.UNSENT))


def _unheard(_ending: Ending) -> None:
    return None


class FakeAbdm:
    """Gives each Aadhaar number one ABHA number, and fails as it was told for the next calls.

    ``before`` and ``after`` run around what a step does, outside every transaction.
    """

    def __init__(self) -> None:
        self.accounts: dict[str, str] = {}
        self.asks: list[tuple[str, DemographicAsk]] = []
        self.buffers: list[bytearray] = []
        self.calls: list[Step] = []
        self.failures: dict[Step, list[Callable[[str], AbdmFailure] | None]] = defaultdict(list)
        self.loses_answers = 0
        self.before: dict[Step, Callable[[], None]] = {}
        self.after: dict[Step, Callable[[], None]] = {}
        self.token: str | None = "token"
        self.txn_id: str | None = None
        self._lock = threading.Lock()

    def enrol_by_demographics(
        self,
        begin: Begin,
        ask: DemographicAsk,
        *,
        end: End = _unheard,  # noqa: ARG002 - it tries nothing twice
    ) -> Answered[Enrolled]:
        """Create or get."""
        number = ask.aadhaar.decode()
        self.buffers.append(ask.aadhaar)

        def answer() -> Enrolled:
            with self._lock:
                self.asks.append((number, ask))
                is_new = number not in self.accounts
                count = len(self.accounts) + 1
                abha = self.accounts.setdefault(number, f"00-0000-0000-{count:04d}")
            return Enrolled(
                abha_number=abha,
                abha_address=f"{abha.replace('-', '')}@sbx",
                is_new=is_new,
                token=self.token,
                token_seconds=1800,
                txn_id=self.txn_id,
            )

        return self._call(begin, Step.DEMOGRAPHICS, answer)

    def create_address(
        self,
        begin: Begin,
        txn_id: str,  # noqa: ARG002 - the client's shape
        handle: str,
        *,
        end: End = _unheard,  # noqa: ARG002 - the same
        hidden: tuple[str, ...] = (),  # noqa: ARG002 - the same
    ) -> Answered[str]:
        """Give the handle."""
        return self._call(begin, Step.ADDRESS, lambda: f"{handle}@sbx")

    def fetch_qr(
        self,
        begin: Begin,
        token: str,  # noqa: ARG002 - the client's shape
        *,
        end: End = _unheard,  # noqa: ARG002 - the same
    ) -> Answered[Paper]:
        """Give a picture."""
        return self._call(begin, Step.QR, lambda: Paper(media_type="image/png", data=b"qr"))

    def fetch_card(
        self,
        begin: Begin,
        token: str,  # noqa: ARG002 - the client's shape
        *,
        end: End = _unheard,  # noqa: ARG002 - the same
    ) -> Answered[Paper]:
        """Give a picture."""
        return self._call(begin, Step.CARD, lambda: Paper(media_type="image/png", data=b"card"))

    def _call(self, begin: Begin, step: Step, answer: Callable[[], T]) -> Answered[T]:
        request_id = str(uuid.uuid4())
        begin(Begun(step=step, request_id=request_id, request={"step": step.value}))
        self.calls.append(step)
        self.before.get(step, _nothing)()
        failure = self.failures[step].pop(0) if self.failures[step] else None
        if failure is not None:
            raise failure(request_id)
        value = answer()
        self.after.get(step, _nothing)()
        if step is Step.DEMOGRAPHICS and self.loses_answers:
            self.loses_answers -= 1
            raise unknown(request_id)
        ending = Ending(request_id=request_id, kind=EndKind.DONE, status=200)
        return Answered(value=value, ending=ending)


def _nothing() -> None:
    return None
