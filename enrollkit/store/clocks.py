"""What this laptop's two clocks said, told to the server before the times that it puts right.

A clock in the field may say 1970 or 2036, and somebody may set it in the middle of a day. Each
operation carries its claimed time; a *reading* before it ties that time to seconds that run evenly
through one run of the machine. With one contact in that run the server knows the true time of
every operation between, however wrong the clock was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from enrollkit.errors import StoreDamaged
from enrollkit.store.database import Tx
from enrollkit.store.meta import Fact, find_text, keep_number, keep_text
from sync.ports import Clock

__all__ = ["note_server_time", "offset_now", "reading_due"]

_JUMP_SECONDS_MAX: Final = 2
"""The two clocks are read one after the other and rounded; more apart is a clock that was set."""


def reading_due(tx: Tx, clock: Clock) -> Mapping[str, Any] | None:
    """Give the reading that must stand before the next operation, and remember it as told.

    ``None`` while the last one still holds: the same run of the machine, and the wall clock moved
    as the even one did. The value is a body of shape ``clock-reading-1``.
    """
    boot, monotonic, wall = clock.boot().hex(), int(clock.monotonic()), clock.now()
    last = _kept(tx, Fact.CLOCK)
    if last is not None and last["boot"] == boot:
        moved = (wall - monotonic) - (last["wall"] - last["monotonic"])
        if abs(moved) <= _JUMP_SECONDS_MAX:
            return None
    reading: dict[str, Any] = {"boot": boot, "monotonic": monotonic, "wall": wall}
    offset = offset_now(tx, clock)
    if offset is not None:
        reading["offset"] = offset
    keep_text(tx, Fact.CLOCK, json.dumps(reading))
    return reading


def note_server_time(tx: Tx, clock: Clock, server_time: int) -> None:
    """Keep what the server's clock says at this moment (seconds since 1970 UTC).

    Only for an answer that came at once: the time in a file from a stick is days old.
    """
    keep_number(tx, Fact.SERVER_OFFSET, server_time - clock.now())
    contact = {"boot": clock.boot().hex(), "began": server_time - int(clock.monotonic())}
    keep_text(tx, Fact.SERVER_CLOCK, json.dumps(contact))


def offset_now(tx: Tx, clock: Clock) -> int | None:
    """Give the server's time minus this wall clock, now, in seconds.

    ``None`` when the server was not heard in this run of the machine. A clock that was set since
    the contact changes the answer, as it should.
    """
    contact = _kept(tx, Fact.SERVER_CLOCK)
    if contact is None or contact["boot"] != clock.boot().hex():
        return None
    return int(contact["began"]) + int(clock.monotonic()) - clock.now()


def _kept(tx: Tx, fact: Fact) -> dict[str, Any] | None:
    text = find_text(tx, fact)
    try:
        value = None if text is None else json.loads(text)
    except ValueError as error:
        raise StoreDamaged(f"meta {fact.value}") from error
    if value is not None and not isinstance(value, dict):
        raise StoreDamaged(f"meta {fact.value}")
    return value
