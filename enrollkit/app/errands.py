"""The errands of a courier: carried files handed in at the server, item by item, in a session of
its own after this laptop's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Protocol

from enrollkit.app.desk import Desk
from enrollkit.app.letters import meaning_of, read_bundle
from enrollkit.store.carried import (
    CarriedFile,
    add_answer,
    answers_of,
    carried_data,
    carried_files,
    drop_answers,
    note_answered,
    note_refused,
)
from enrollkit.store.database import Tx
from sync.errors import (
    BundleInvalid,
    DeviceUnknown,
    EnvelopeInvalid,
    ProtocolMismatch,
    ReceiptInvalid,
    Refused,
    SyncError,
    TooLarge,
)
from sync.protocol import DeviceState
from sync.sealing import VerifyKey, open_hello_reply, open_receipt, open_signed

__all__ = ["CarriedAll", "CarriedRefused", "Road", "carry_all"]

_BAD_REQUEST: Final = "bad-request"
"""The server's code for a hello that it cannot read or that its laptop did not sign."""
_REQUEST_BYTES: Final = 512 * 1024
"""One request of a courier: a proxy that allows little takes it, and most files fit."""


class CarriedRefused(Refused):
    """The server does not take a file that was carried for another laptop, so it is not carried any
    longer. Nothing of this laptop is touched. Tell the owner to write to a stick again.
    """

    code = "carried-refused"
    exit_code = 64


class Road(Protocol):
    """What :func:`carry_all` needs of a transport."""

    def carry(self, hello: bytes, batches: Iterable[bytes]) -> Generator[bytes, None, None]:
        """Hand in a hello and batches; give the answer's items as they arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedAll:
    """What became of all carried files in one session.

    ``receipts`` that the server signed for others now; ``answered`` files that need nothing more;
    ``waiting`` files that do; ``refused`` ones that the server will never take, offered no more.
    ``error``: why it stopped, or what the server refused last.
    """

    files: int
    receipts: int
    answered: int
    waiting: int
    refused: int = 0
    error: SyncError | None = None


def carry_all(
    desk: Desk,
    transport: Road,
    *,
    is_stopping: Callable[[], bool] = lambda: False,
    room: Callable[[], int] = lambda: _REQUEST_BYTES,
) -> CarriedAll:
    """Hand in everything that is carried and has no answer yet; a session of its own.

    Every item of an answer is on disk before the next is read, so a line that breaks costs one
    batch: the next time only batches without a receipt travel. A ``SyncError`` of the road ends
    it and is in the result; one that is about a single file does not keep the others back.
    ``room`` says how many bytes the next request may carry; a single batch may be a little more.
    """
    files = desk.database.read(lambda tx: carried_files(tx, unanswered=True))
    receipts = answered = refused = 0
    error: SyncError | None = None
    for file in files:
        if is_stopping():
            break
        errand = _Errand(desk, file, room)
        try:
            answered += errand.run(transport, is_stopping)
        except (Refused, EnvelopeInvalid, TooLarge, BundleInvalid, ProtocolMismatch) as problem:
            is_final = _is_final(problem)
            error = CarriedRefused(problem.code) if is_final else problem
            if is_final:
                errand.give_up(problem)
                refused += 1
        except SyncError as broken:
            error = broken
            break
        finally:
            receipts += errand.gained
    waiting = len(desk.database.read(lambda tx: carried_files(tx, unanswered=True)))
    return CarriedAll(
        files=len(files),
        receipts=receipts,
        answered=answered,
        waiting=waiting,
        refused=refused,
        error=error,
    )


class _Errand:
    """One carried file on its way to the server."""

    def __init__(self, desk: Desk, file: CarriedFile, room: Callable[[], int]) -> None:
        self._desk = desk
        self._file = file
        self._room = room
        self._server: VerifyKey = desk.programme.signing
        letter = read_bundle(desk.database.read(lambda tx: carried_data(tx, file.digest)))
        self._nonce = letter.hello.nonce
        self._hello = letter.content.hello
        self._open = {hashlib.sha256(batch).digest(): batch for batch in letter.content.batches}
        self._signed: set[bytes] = set()
        self._pending = False
        self.gained = 0
        for _place, raw in desk.database.read(lambda tx: answers_of(tx, file.digest)):
            if meaning_of(raw) == "receipt":
                self._note_signed(open_receipt(raw, self._server).digest)

    def run(self, road: Road, is_stopping: Callable[[], bool]) -> bool:
        """Hand in what has no receipt yet; say whether nothing more is to be had."""
        while not is_stopping():
            before = self.gained
            self._ask(road)
            if self._pending:
                return False  # the office has to approve the origin first
            if not self._open or self.gained == before:
                self._note_answered()
                return True
        return False

    def give_up(self, problem: SyncError) -> None:
        """Offer the file no more, for the server will never take it."""
        code, now = problem.detail or problem.code, self._desk.system.now()
        self._desk.database.write(lambda tx: note_refused(tx, self._file.digest, code=code, at=now))

    def _ask(self, road: Road) -> None:
        pages_begun = False
        with closing(road.carry(self._hello, _portion(self._open.values(), self._room()))) as items:
            for raw in items:
                match meaning_of(raw):
                    case "hello-reply":
                        self._keep_reply(raw)
                    case "receipt":
                        self._keep_receipt(raw)
                    case "feed-page":
                        self._keep_page(raw, is_first=not pages_begun)
                        pages_begun = True

    def _keep_reply(self, raw: bytes) -> None:
        reply = open_hello_reply(raw, self._server)
        if (reply.device, reply.nonce) != (self._file.device, self._nonce):
            raise ReceiptInvalid("an answer to another hello")
        self._pending = reply.state is DeviceState.PENDING
        self._replace(raw, instead="hello-reply")

    def _keep_receipt(self, raw: bytes) -> None:
        """Keep a receipt; only whose it is and for which bytes is looked at.

        The same hello brings old receipts again: one for each batch is enough.
        """
        receipt = open_receipt(raw, self._server)
        if receipt.device != self._file.device or receipt.nonce not in {b"", self._nonce}:
            raise ReceiptInvalid("receipt of another request")
        if receipt.digest not in self._signed:
            self._desk.database.write(lambda tx: add_answer(tx, self._file.digest, raw))
            self.gained += self._note_signed(receipt.digest)

    def _note_signed(self, digest: bytes) -> bool:
        """Note that a batch has its receipt; say whether it was waiting for it in this file."""
        self._signed.add(digest)
        return self._open.pop(digest, None) is not None

    def _keep_page(self, raw: bytes, *, is_first: bool) -> None:
        meaning, _sealed = open_signed(raw, "feed-page", self._server)
        if not meaning or meaning[0] != bytes.fromhex(self._file.device):
            raise ReceiptInvalid("news for another laptop")
        self._replace(raw, instead="feed-page" if is_first else "")

    def _replace(self, raw: bytes, *, instead: str) -> None:
        """Keep an item in place of all older ones of that name."""
        digest = self._file.digest

        def work(tx: Tx) -> None:
            known = answers_of(tx, digest)
            drop_answers(tx, digest, [place for place, old in known if meaning_of(old) == instead])
            add_answer(tx, digest, raw)

        self._desk.database.write(work)

    def _note_answered(self) -> None:
        now, whole = self._desk.system.now(), not self._open
        self._desk.database.write(
            lambda tx: note_answered(tx, self._file.digest, whole=whole, at=now)
        )


def _is_final(problem: SyncError) -> bool:
    """Whether the server's own word says that these very bytes are never taken.

    A file always says the same, so asking again is of no use. Other refusals may pass.
    """
    return isinstance(problem, DeviceUnknown) or (
        type(problem) is Refused and problem.detail == _BAD_REQUEST
    )


def _portion(batches: Iterable[bytes], room: int) -> list[bytes]:
    """Give as many batches, in order, as one request takes; at least one."""
    taken: list[bytes] = []
    room = min(room, _REQUEST_BYTES)
    for batch in batches:
        room -= len(batch)
        if taken and room < 0:
            break
        taken.append(batch)
    return taken
