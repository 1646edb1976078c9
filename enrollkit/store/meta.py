"""Single values that the laptop must remember; keys that only this database may hold."""

from __future__ import annotations

from enum import StrEnum

from enrollkit.errors import StoreDamaged
from enrollkit.store.database import Tx

__all__ = [
    "Fact",
    "find_fact",
    "find_number",
    "find_text",
    "forget_fact",
    "keep_fact",
    "keep_number",
    "keep_text",
]


class Fact(StrEnum):
    """What is remembered, by name."""

    INCARNATION = "incarnation"
    """Which life of this device is writing: 16 hex digits."""
    SIGNING_KEY = "device.signing-key"
    OPENING_KEY = "device.opening-key"
    DEVICE_STATE = "device.state"
    """How the programme stands to this device, from the last contact."""
    EPOCH = "server.epoch"
    SERVER_OFFSET = "server.offset"
    """Server time minus this laptop's time at the last contact, in seconds."""
    CURSOR = "feed.cursor"
    FEED_DIGEST = "feed.digest"
    """Digest of the feed up to the cursor: 32 bytes."""
    HELLOS = "hello.count"
    """How many hellos this laptop has counted: to sticks, and answered ones on the network."""
    ANSWERED = "hello.answered"
    """The newest of them that was answered by any road: a word on an older one is history."""
    CLOCK = "clock.reading"
    """The newest reading of both clocks, as JSON of ``clock-reading-1``."""
    SERVER_CLOCK = "server.clock"
    """JSON of ``boot``, and ``began``: when that run began by the server's clock."""
    LINK = "link.measured"
    """JSON: what the last session taught of the link."""
    TRAFFIC = "link.traffic"
    """JSON of ``day`` and ``bytes``: what that day's sessions used, both ways."""


def keep_fact(tx: Tx, fact: Fact, value: bytes) -> None:
    """Remember bytes, in place of what was there."""
    tx.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (fact.value, value),
    )


def find_fact(tx: Tx, fact: Fact) -> bytes | None:
    """Give the bytes remembered, if any."""
    row = tx.execute("SELECT value FROM meta WHERE key = ?", (fact.value,)).fetchone()
    return None if row is None else bytes(row[0])


def forget_fact(tx: Tx, fact: Fact) -> None:
    """Remember nothing of that name any more."""
    tx.execute("DELETE FROM meta WHERE key = ?", (fact.value,))


def keep_text(tx: Tx, fact: Fact, value: str) -> None:
    """Remember a text."""
    keep_fact(tx, fact, value.encode())


def find_text(tx: Tx, fact: Fact) -> str | None:
    """Give the text remembered, if any."""
    value = find_fact(tx, fact)
    return None if value is None else value.decode()


def keep_number(tx: Tx, fact: Fact, value: int) -> None:
    """Remember a whole number."""
    keep_text(tx, fact, str(value))


def find_number(tx: Tx, fact: Fact) -> int | None:
    """Give the number remembered, if any."""
    text = find_text(tx, fact)
    try:
        return None if text is None else int(text)
    except ValueError as error:
        raise StoreDamaged(f"meta {fact.value}") from error
