"""Carrying for other laptops: their sealed files taken along, and handed on to the next stick.

A courier sees which laptop, how many and how large, and no more. It keeps what the server signed
and nothing else; what an answer is worth, its origin checks again. It cannot make the origin
forget: the origin lets nothing go before a receipt that only the server can write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from enrollkit.app.desk import Desk
from enrollkit.app.letters import (
    OwnFile,
    PassedOver,
    files_on,
    meaning_of,
    open_return,
    read_bundle,
)
from enrollkit.errors import DocumentError
from enrollkit.store.carried import (
    CARRIED_BYTES_MAX,
    CARRIED_BYTES_OF_ONE_MAX,
    CarriedFile,
    answers_of,
    carried_bytes,
    carried_data,
    carried_files,
    drop_refused,
    forget_delivered,
    insert_carried,
    is_carried,
    note_answered,
    note_handed,
)
from enrollkit.store.database import Tx
from sync.bundle import (
    BUNDLE_SUFFIX,
    RETURN_SUFFIX,
    Bundle,
    bundle_name,
    encode_bundle,
    encode_return,
    kind_of,
    read_file,
    return_name,
    write_file,
)
from sync.errors import BundleForeign, BundleInvalid, EnvelopeInvalid, SyncError
from sync.programme import open_programme
from sync.protocol import MINIMUM_VERSION, BatchHeader, HelloReply
from sync.sealing import open_hello, open_hello_reply, read_batch_header

__all__ = ["Carried", "CourierFull", "Taken", "hand_over", "keep_answer", "take_along", "take_from"]


class CourierFull(DocumentError):
    """This laptop carries as much for others as it may. This file was not taken, and it stays as
    it is. Send or write to a stick what is carried already, then try again.
    """

    code = "courier-full"
    exit_code = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A file taken along for ``device``. ``operations`` is what its public headers count.

    ``already``: it was taken before, and nothing changed. ``is_whole``: it was not cut short; what
    was whole in it is carried all the same, for it may be the only copy.
    """

    file: Path
    device: str
    operations: int
    already: bool
    is_whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was taken along from a folder, and what could not be."""

    files: tuple[Carried, ...]
    passed_over: tuple[PassedOver, ...]


def take_along(desk: Desk, path: Path) -> Carried:
    """Take a file of another laptop of this programme along, unopened.

    ``BundleForeign`` for another programme's, ``BundleInvalid`` for no such file or one whose
    hello its laptop did not sign, ``OwnFile`` for this laptop's own, ``CourierFull`` when too much
    is carried already.
    """
    data = read_file(path)
    if kind_of(data) == "return":
        return _take_return(desk, path, data)
    letter = read_bundle(data)
    device = letter.hello.device
    if device == desk.keys.id:
        raise OwnFile(path.name)
    _demand_signed(desk, letter.content.hello, device)
    content, headers = _own_batches(letter.content, device)
    _demand_same_programme(desk, headers)
    if len(content.batches) != len(letter.content.batches) or not content.is_whole:
        data = encode_bundle(content.hello, content.batches)
    span = (headers[0].number, headers[-1].number) if headers else (0, 0)
    name = bundle_name(device, letter.hello.incarnation, *span)
    operations = sum(header.count for header in headers)
    already = _keep(desk, data, device=device, name=name, operations=operations)
    return Carried(
        file=path,
        device=device,
        operations=operations,
        already=already,
        is_whole=content.is_whole,
    )


def take_from(desk: Desk, path: Path) -> Taken:
    """Take a file along, or all of other laptops in a folder; this laptop's own stay as they are.

    A single file that cannot be taken raises why.
    """
    if not path.is_dir():
        return Taken(files=(take_along(desk, path),), passed_over=())
    taken: list[Carried] = []
    passed_over: list[PassedOver] = []
    for file in files_on(path, BUNDLE_SUFFIX, RETURN_SUFFIX):
        try:
            taken.append(take_along(desk, file))
        except OwnFile:
            continue
        except (SyncError, CourierFull) as error:
            passed_over.append(PassedOver.of(file, error))
    return Taken(files=tuple(taken), passed_over=tuple(passed_over))


def keep_answer(desk: Desk, data: bytes, reply: HelloReply) -> bool:
    """Take along the answer to another laptop; say whether it is new here."""
    digest = hashlib.sha256(data).hexdigest()
    # A later copy of the same answer may be fuller or cut shorter: both are kept, side by side.
    name = f"{return_name(reply.device, reply.nonce).removesuffix(RETURN_SUFFIX)}-{digest[:4]}"
    name += RETURN_SUFFIX
    already = _keep(desk, data, device=reply.device, name=name, operations=0)
    if not already:
        now = desk.system.now()
        desk.database.write(lambda tx: note_answered(tx, digest, whole=False, at=now))
    return not already


def hand_over(desk: Desk, folder: Path) -> list[Path]:
    """Write to a stick what is carried: answers for their origin, and what has none yet as it came.

    Give the files that stand there now.
    """
    desk.database.write(lambda tx: forget_delivered(tx, now=desk.system.now()))
    written: list[Path] = []
    for file in desk.database.read(carried_files):
        for name, data in _letters(desk, file):
            _write_once(folder / name, data)
            written.append(folder / name)
        if file.answered_at is not None:
            _note_handed(desk, file.digest)
    return written


def _note_handed(desk: Desk, digest: str) -> None:
    now = desk.system.now()
    desk.database.write(lambda tx: note_handed(tx, digest, at=now))


def _take_return(desk: Desk, path: Path, data: bytes) -> Carried:
    reply, content = open_return(desk, data)
    if reply.device == desk.keys.id:
        raise OwnFile(path.name)
    is_new = keep_answer(desk, data, reply)
    return Carried(
        file=path,
        device=reply.device,
        operations=0,
        already=not is_new,
        is_whole=content.is_whole,
    )


def _demand_signed(desk: Desk, hello: bytes, device: str) -> None:
    """Check the hello with the laptop's key, of the programme or else of the hello itself."""
    known = desk.programme.device(device)
    try:
        version = open_hello(hello, known.key if known else None).version
    except EnvelopeInvalid as error:
        raise BundleInvalid("hello") from error
    if version < MINIMUM_VERSION:
        raise BundleInvalid(f"version {version}")


def _own_batches(content: Bundle, device: str) -> tuple[Bundle, list[BatchHeader]]:
    """Give the batches that name this laptop, and their public headers; leave out all others."""
    kept: list[bytes] = []
    headers: list[BatchHeader] = []
    for batch in content.batches:
        try:
            header = read_batch_header(batch)
        except SyncError:
            continue
        if header.device == device:
            kept.append(batch)
            headers.append(header)
    is_whole = content.is_whole and len(kept) == len(content.batches)
    return Bundle(hello=content.hello, batches=tuple(kept), is_whole=is_whole), headers


def _demand_same_programme(desk: Desk, headers: Sequence[BatchHeader]) -> None:
    """Check that the batches are sealed to a server of this programme."""

    def ingest_keys(tx: Tx) -> set[str]:
        rows = tx.execute("SELECT raw FROM programmes").fetchall()
        return {open_programme(bytes(raw), desk.programme.signing).ingest.id for (raw,) in rows}

    if {header.key_id for header in headers} - desk.database.read(ingest_keys):
        raise BundleForeign("sealed to another server")


def _keep(desk: Desk, data: bytes, *, device: str, name: str, operations: int) -> bool:
    """Keep a file; say whether it was here already. ``CourierFull`` past the limit."""
    digest, now = hashlib.sha256(data).hexdigest(), desk.system.now()

    def work(tx: Tx) -> bool:
        if is_carried(tx, digest):
            return True
        if _is_full(tx, device, len(data)):
            drop_refused(tx)
        if _is_full(tx, device, len(data)):
            raise CourierFull(f"{len(data)} bytes more")
        insert_carried(
            tx, digest=digest, device=device, name=name, data=data, operations=operations, at=now
        )
        return False

    return desk.database.write(work)


def _is_full(tx: Tx, device: str, size: int) -> bool:
    """Whether so many bytes more are too many, of all laptops or of this one."""
    is_fair = carried_bytes(tx, device) + size <= CARRIED_BYTES_OF_ONE_MAX
    return not is_fair or carried_bytes(tx) + size > CARRIED_BYTES_MAX


def _letters(desk: Desk, file: CarriedFile) -> Iterator[tuple[str, bytes]]:
    """Give name and content of what goes onto a stick for one carried file."""
    data = desk.database.read(lambda tx: carried_data(tx, file.digest))
    if data and file.refused is None:
        yield file.name, data
    items = [raw for _place, raw in desk.database.read(lambda tx: answers_of(tx, file.digest))]
    named: dict[str, list[bytes]] = {"hello-reply": [], "receipt": [], "feed-page": []}
    for raw in items:
        named[meaning_of(raw)].append(raw)
    if named["hello-reply"]:
        reply = open_hello_reply(named["hello-reply"][-1], desk.programme.signing)
        yield (
            return_name(file.device, reply.nonce),
            encode_return(named["hello-reply"][-1], named["receipt"], named["feed-page"]),
        )


def _write_once(path: Path, data: bytes) -> None:
    """Write a file unless these very bytes stand there."""
    try:
        if path.is_file() and read_file(path) == data:
            return
    except SyncError:
        pass  # it cannot be read: it is written anew
    write_file(path, data)
