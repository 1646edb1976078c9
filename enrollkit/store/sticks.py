"""What goes to sticks and what is known of it: which batches still lack a receipt, which file
carries them under which number, and what a file that came home may change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from enrollkit.store.batches import receipted_upto
from enrollkit.store.database import Tx
from enrollkit.store.meta import Fact, find_number, keep_number
from sync.protocol import NO_DIGEST, SealedBatch

__all__ = [
    "Cargo",
    "Stick",
    "confirm_stick",
    "feed_mark",
    "find_stick",
    "is_newest_hello",
    "keep_offer_mark",
    "note_answered_hello",
    "note_homecoming",
    "number_hello",
    "open_batches",
    "read_batches",
    "receipt_marks",
    "reserve_stick",
    "weigh_cargo",
]

_NEVER: Final = 2**62
"""Above every batch number."""
_TOLD: Final = "(kind LIKE 'enrollment.%' OR kind LIKE 'link.%')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cargo:
    """What lies in some batches: operations on people and links, and how many people and links."""

    operations: int
    people: int
    links: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stick:
    """One file that was written for a stick.

    ``nonce`` is that of its hello; ``receipted`` and ``cursor`` are what that hello said of our
    receipts and news, ``hello`` its place among all hellos of this laptop. ``written_at`` is
    ``None`` until the file was read back from the stick.
    """

    n: int
    nonce: bytes = field(repr=False)
    incarnation: str
    first: int
    last: int
    name: str
    receipted: int
    cursor: int
    hello: int
    written_at: int | None
    returned_at: int | None


def open_batches(tx: Tx, incarnation: str) -> list[tuple[int, int]]:
    """Give number and size of a life's batches that a stick must carry, in order.

    Those are the batches without a receipt, whatever sticks have them already: a stick can be
    lost. If a stick brought home that the server forgot some, everything behind its mark as well.
    """
    mark = _offer_mark(tx, incarnation)
    return [
        (int(number), int(size))
        for number, size in tx.execute(
            "SELECT number, length(data) FROM batches WHERE incarnation = ? "
            "AND (receipted_at IS NULL OR number > ?) ORDER BY number",
            (incarnation, _NEVER if mark is None else mark),
        ).fetchall()
    ]


def read_batches(tx: Tx, incarnation: str, numbers: Sequence[int]) -> list[SealedBatch]:
    """Give the batches of these numbers."""
    batches: list[SealedBatch] = []
    for number in numbers:
        first_seq, count, digest, data = tx.execute(
            "SELECT first_seq, count, digest, data FROM batches "
            "WHERE incarnation = ? AND number = ?",
            (incarnation, number),
        ).fetchone()
        batches.append(
            SealedBatch(
                incarnation=incarnation,
                number=number,
                first_seq=first_seq,
                count=count,
                digest=bytes(digest),
                data=bytes(data),
            )
        )
    return batches


def weigh_cargo(tx: Tx, incarnation: str, numbers: Sequence[int]) -> Cargo:
    """Count what lies in these batches (ascending numbers)."""
    runs = _runs(numbers)
    where = " OR ".join(["batch BETWEEN ? AND ?"] * len(runs)) or "0"
    bounds = [bound for run in runs for bound in run]
    operations, people, links = tx.execute(
        "SELECT count(*), count(DISTINCT CASE WHEN kind LIKE 'enrollment.%' THEN record END), "  # noqa: S608 - our own text
        "count(DISTINCT CASE WHEN kind LIKE 'link.%' THEN record END) FROM operations "
        f"WHERE incarnation = ? AND {_TOLD} AND ({where})",
        (incarnation, *bounds),
    ).fetchone()
    return Cargo(operations=operations, people=people, links=links)


def reserve_stick(
    tx: Tx,
    *,
    nonce: bytes,
    incarnation: str,
    numbers: Sequence[int],
    receipted: int,
    cursor: int,
    stem: str,
    size: int,
) -> Stick:
    """Give a file its number, before its first byte is written.

    Its nonce is known from now on, so that no return file is ever refused because the power went
    between the stick and this row; it counts as written only after :func:`confirm_stick`. ``stem``
    is the name's beginning, ``size`` the bytes of its batches.
    """
    cargo, hello = weigh_cargo(tx, incarnation, numbers), number_hello(tx)
    first, last = (numbers[0], numbers[-1]) if numbers else (0, 0)
    cursor_row = tx.execute(
        "INSERT INTO bundles (nonce, incarnation, first, last, people, links, bytes, name, "
        "receipted, cursor, hello) VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?)",
        (
            nonce,
            incarnation,
            first,
            last,
            cargo.people,
            cargo.links,
            size,
            receipted,
            cursor,
            hello,
        ),
    )
    n = int(cursor_row.lastrowid or 0)
    name = f"{stem}-{n}.ekb"
    tx.execute("UPDATE bundles SET name = ? WHERE n = ?", (name, n))
    return Stick(
        n=n,
        nonce=nonce,
        incarnation=incarnation,
        first=first,
        last=last,
        name=name,
        receipted=receipted,
        cursor=cursor,
        hello=hello,
        written_at=None,
        returned_at=None,
    )


def confirm_stick(tx: Tx, n: int, *, at: int) -> None:
    """Note that the file was read back from the stick and is whole."""
    tx.execute("UPDATE bundles SET written_at = ? WHERE n = ?", (at, n))


def find_stick(tx: Tx, nonce: bytes) -> Stick | None:
    """Give the file whose hello had this nonce; ``None`` if this laptop never wrote it."""
    row: Any = tx.execute(
        "SELECT n, nonce, incarnation, first, last, name, receipted, cursor, hello, "
        "written_at, returned_at FROM bundles WHERE nonce = ?",
        (nonce,),
    ).fetchone()
    if row is None:
        return None
    n, found, incarnation, first, last, name, receipted, cursor, hello, written, returned = row
    return Stick(
        n=n,
        nonce=bytes(found),
        incarnation=incarnation,
        first=first,
        last=last,
        name=name,
        receipted=receipted,
        cursor=cursor,
        hello=hello,
        written_at=written,
        returned_at=returned,
    )


def note_homecoming(tx: Tx, stick: Stick, *, at: int) -> None:
    """Note that the server's answer to a file was read; it lay on a stick for certain."""
    tx.execute(
        "UPDATE bundles SET returned_at = coalesce(returned_at, ?), "
        "written_at = coalesce(written_at, ?) WHERE n = ?",
        (at, at, stick.n),
    )


def number_hello(tx: Tx) -> int:
    """Give the next hello its place. Our own count orders the server's words, never its clock:
    that may have been set back, or be another machine's since it was restored.
    """
    number = (find_number(tx, Fact.HELLOS) or 0) + 1
    keep_number(tx, Fact.HELLOS, number)
    return number


def is_newest_hello(tx: Tx, hello: int) -> bool:
    """Whether no later hello was answered, by whatever road."""
    return hello >= (find_number(tx, Fact.ANSWERED) or 0)


def note_answered_hello(tx: Tx, hello: int) -> None:
    """Note that a hello was answered: what is said to an older one is history from now on."""
    keep_number(tx, Fact.ANSWERED, hello)


def keep_offer_mark(tx: Tx, incarnation: str, after: int | None) -> None:
    """Keep from where a life is offered again by stick; ``None``: nothing was forgotten."""
    tx.execute("UPDATE lives SET offer_after = ? WHERE incarnation = ?", (after, incarnation))


def feed_mark(tx: Tx, cursor: int) -> bytes | None:
    """Give our digest of the feed up to a number; ``None`` where it was not read yet."""
    if cursor == 0:
        return NO_DIGEST
    row = tx.execute("SELECT digest FROM feed_marks WHERE seq = ?", (cursor,)).fetchone()
    return None if row is None else bytes(row[0])


def receipt_marks(tx: Tx, incarnation: str) -> tuple[int, int]:
    """Give up to where a life has its receipts, and what a hello on a stick says of that.

    The second is smaller where a server forgot: it is asked for those receipts once more.
    """
    upto, mark = receipted_upto(tx, incarnation), _offer_mark(tx, incarnation)
    return upto, upto if mark is None else min(upto, mark)


def _offer_mark(tx: Tx, incarnation: str) -> int | None:
    row = tx.execute(
        "SELECT offer_after FROM lives WHERE incarnation = ?", (incarnation,)
    ).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Fold ascending numbers into runs without gaps."""
    if not numbers:
        return []
    breaks = [at for at, (one, next_one) in enumerate(pairwise(numbers), 1) if next_one != one + 1]
    starts = [0, *breaks]
    ends = [*breaks, len(numbers)]
    return [(numbers[start], numbers[end - 1]) for start, end in zip(starts, ends, strict=True)]
