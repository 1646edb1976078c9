"""Sticks: what waits here written to one, and what comes home on one.

A file out there must never hold what this laptop thinks never left. So every record on it becomes
*sent*, and the file's number and nonce are on disk, before the file gets its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from enrollkit.app.courier import Carried, Taken, hand_over, take_along, take_from
from enrollkit.app.desk import Desk
from enrollkit.app.incoming import envelope_of, inbox_of
from enrollkit.app.outgoing import outbox_of
from enrollkit.app.returns import Received, receive_from
from enrollkit.store.audit import append_audit
from enrollkit.store.batches import chain_head
from enrollkit.store.database import Tx
from enrollkit.store.outbox import StoredOutbox
from enrollkit.store.sticks import (
    Cargo,
    Stick,
    confirm_stick,
    open_batches,
    read_batches,
    receipt_marks,
    reserve_stick,
    weigh_cargo,
)
from sync.bundle import BUNDLE_SUFFIX, bundle_name, encode_bundle, write_file
from sync.errors import StickGone
from sync.protocol import LIMITS, PROTOCOL_VERSION, Hello

__all__ = ["Exported", "Sticks"]

_NONCE_BYTES: Final = 16
_BOOT_BYTES: Final = 8
_FRAME_BYTES: Final = 5
"""What a CBOR sequence adds to a batch (RFC 8949, 3)."""
_BEGINNING_BYTES: Final = 8 * 1024
"""Magic, a hello that introduces its keys, and the trailer."""
_BATCHES_PER_FILE_MAX: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written: own files and those carried for others, all of them in ``files``.

    ``people`` and ``links`` are how many different ones lie on them without a receipt,
    ``operations`` the words about them; ``carried`` counts the files of other laptops.
    ``sticks`` are the numbers of the own files, for people to write on the stick.
    """

    files: tuple[Path, ...]
    people: int
    links: int
    operations: int
    carried: int
    sticks: tuple[int, ...]


class Sticks:
    """Going out by stick, coming home by stick, and carrying for others."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def export(self, folder: Path, *, bytes_max: int = LIMITS.bundle_bytes_max) -> Exported:
        """Write everything without a receipt to a stick's folder, and what is carried for others.

        One file for each life of this laptop, more where a file would be larger than
        ``bytes_max``. What earlier sticks have is written again: a stick can be lost. Where
        nothing waits, a file without people asks for receipts and news. ``StickGone``,
        ``StickFull`` or ``StickFaulty`` when the stick fails; then do it again, with any stick.
        """
        if not folder.is_dir():
            raise StickGone("no such folder")
        outbox = outbox_of(self._desk)
        while outbox.freeze(photos=True):
            pass  # text first, then all photos: a stick has room for everything
        written: list[tuple[Stick, Path]] = []
        cargo: list[Cargo] = []
        for life in (*outbox.closed_lives(), outbox.incarnation()):
            waiting = self._waiting(life)
            written += self._write_life(outbox, life, waiting, folder, bytes_max)
            cargo.append(self._weigh(life, waiting))
        carried = hand_over(self._desk, folder)
        return Exported(
            files=(*(path for _stick, path in written), *carried),
            people=sum(one.people for one in cargo),
            links=sum(one.links for one in cargo),
            operations=sum(one.operations for one in cargo),
            carried=len(carried),
            sticks=tuple(stick.n for stick, _path in written),
        )

    def receive(self, path: Path) -> Received:
        """Apply a return file, or all in a folder, in any order and any number of times.

        The answer to another laptop is taken along for it. A single file that cannot be used
        raises why; in a folder it is passed over and told.
        """
        return receive_from(self._desk, path)

    def carry(self, path: Path) -> Carried:
        """Take another laptop's file along, unopened, to the server or to the next stick."""
        return take_along(self._desk, path)

    def carry_from(self, path: Path) -> Taken:
        """Take a file along, or all files of other laptops in a folder."""
        return take_from(self._desk, path)

    def _write_life(
        self,
        outbox: StoredOutbox,
        life: str,
        waiting: Sequence[tuple[int, int]],
        folder: Path,
        bytes_max: int,
    ) -> Iterator[tuple[Stick, Path]]:
        """Write a life's files; the open one speaks even when it has nothing to say."""
        runs = _runs(waiting, bytes_max)
        if not runs and life == outbox.incarnation():
            runs = [()]
        for numbers in runs:
            yield self._write(outbox, life, numbers, folder)

    def _write(
        self, outbox: StoredOutbox, life: str, numbers: Sequence[int], folder: Path
    ) -> tuple[Stick, Path]:
        desk = self._desk
        batches = desk.database.read(lambda tx: read_batches(tx, life, numbers))
        hello, receipted = self._hello(life)
        data = encode_bundle(
            # A restored server may never have met this laptop, and by stick it cannot ask.
            envelope_of(desk).sign_hello(hello, introduce=True),
            [batch.data for batch in batches],
        )
        for batch in batches:
            outbox.note_offered(batch)
        span = (numbers[0], numbers[-1]) if numbers else (0, 0)
        stem = bundle_name(desk.keys.id, life, *span).removesuffix(BUNDLE_SUFFIX)
        stick = desk.database.write(
            lambda tx: reserve_stick(
                tx,
                nonce=hello.nonce,
                incarnation=life,
                numbers=numbers,
                receipted=receipted,
                cursor=hello.cursor,
                stem=stem,
                size=len(data),
            )
        )
        path = folder / stick.name
        write_file(path, data)
        desk.database.write(lambda tx: self._confirm(tx, stick))
        return stick, path

    def _hello(self, life: str) -> tuple[Hello, int]:
        """Give a life's hello with a fresh nonce, and up to where it truly has its receipts.

        It names no run of this machine: whoever finds the stick could hand it in as if it were
        said at that moment, and the server would measure this laptop's clock by it.
        """
        desk, inbox = self._desk, inbox_of(self._desk)
        (number, digest), (receipted, said) = desk.database.read(
            lambda tx: (chain_head(tx, life), receipt_marks(tx, life))
        )
        hello = Hello(
            version=PROTOCOL_VERSION,
            device=desk.keys.id,
            incarnation=life,
            last_batch=number,
            last_digest=digest,
            receipted_upto=said,
            cursor=inbox.cursor(),
            programme_serial=inbox.programme_serial(),
            time=desk.system.now(),
            boot=desk.system.token(_BOOT_BYTES),
            monotonic=0,
            nonce=desk.system.token(_NONCE_BYTES),
        )
        return hello, receipted

    def _waiting(self, life: str) -> list[tuple[int, int]]:
        return self._desk.database.read(lambda tx: open_batches(tx, life))

    def _weigh(self, life: str, waiting: Sequence[tuple[int, int]]) -> Cargo:
        numbers = [number for number, _size in waiting]
        return self._desk.database.read(lambda tx: weigh_cargo(tx, life, numbers))

    def _confirm(self, tx: Tx, stick: Stick) -> None:
        now, slot = self._desk.system.now(), self._desk.operator.slot
        confirm_stick(tx, stick.n, at=now)
        append_audit(tx, at=now, operator=slot, action="stick.write")


def _runs(waiting: Sequence[tuple[int, int]], bytes_max: int) -> list[tuple[int, ...]]:
    """Cut batches (number, size) into files of at most ``bytes_max``."""
    runs: list[list[int]] = []
    room = 0
    for number, size in waiting:
        room -= size + _FRAME_BYTES
        if not runs or room < 0 or len(runs[-1]) >= _BATCHES_PER_FILE_MAX:
            runs.append([])
            room = bytes_max - _BEGINNING_BYTES - size - _FRAME_BYTES
        runs[-1].append(number)
    return [tuple(run) for run in runs]
