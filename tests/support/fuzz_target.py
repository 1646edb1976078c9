"""What a fuzzer needs to know of one reader, and the rule that every reader is held to."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Final, Literal

from sync.errors import EnvelopeInvalid, OperatorError, ProtocolMismatch, ReceiptInvalid, TooLarge

__all__ = ["ROAD", "Form", "Target", "TooSlow", "within_time"]

Form = Literal["bytes", "cbor", "json"]

ROAD: Final[tuple[type[OperatorError], ...]] = (
    EnvelopeInvalid,
    ProtocolMismatch,
    ReceiptInvalid,
    TooLarge,
)
"""What anything that came over the road may be told to be."""

CPU_SECONDS_MAX: Final = 5.0
"""Many times what any input takes, on any machine: more is a hang."""


class TooSlow(BaseException):
    """One input took more than its time; no reader can catch this by mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One reader of outside bytes.

    ``run`` reads them and checks what it got; ``allowed`` are the only errors it may raise.
    ``samples`` are inputs that it reads without one. ``form`` says in what language they are
    written, for changes that keep the grammar.
    """

    name: str
    run: Callable[[bytes], object]
    samples: Callable[[], Sequence[bytes]]
    allowed: tuple[type[OperatorError], ...] = ()
    form: Form = "bytes"

    def read(self, data: bytes) -> None:
        """Read once; every other error than the allowed ones passes through, and so a finding."""
        with within_time(), suppress(*self.allowed):
            self.run(data)


@contextmanager
def within_time(seconds: float = CPU_SECONDS_MAX) -> Iterator[None]:
    """Raise :class:`TooSlow` in what follows after so much time of the processor, where it can."""
    if not hasattr(signal, "setitimer"):  # Windows
        yield
        return
    before = signal.signal(signal.SIGPROF, _interrupt)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise TooSlow
