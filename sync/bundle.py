"""Files on a stick: a laptop's batches on their way out (.ekb), the server's answers on their way
home (.ekr), and how they are written so that a pulled stick leaves a whole file or none.

    .ekb   magic, signed hello, batches in order                       , trailer
    .ekr   magic, signed hello reply, receipts, then pages of news     , trailer

Both are CBOR sequences of byte strings. The trailer is the SHA-256 of everything before it. It
says that the file is whole and nothing else: what an item is worth, its own signature says. So a
file that was cut short or damaged is still read as far as its items are whole.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sync import wire
from sync.errors import BundleInvalid, EnvelopeInvalid, StickFaulty, StickFull, StickGone, TooLarge
from sync.protocol import LIMITS
from sync.sealing import read_unverified

__all__ = [
    "BUNDLE_SUFFIX",
    "RETURN_SUFFIX",
    "Bundle",
    "Return",
    "bundle_name",
    "decode_bundle",
    "decode_return",
    "encode_bundle",
    "encode_return",
    "kind_of",
    "read_file",
    "return_name",
    "write_file",
]

BUNDLE_SUFFIX: Final = ".ekb"
RETURN_SUFFIX: Final = ".ekr"

_BUNDLE_MAGIC: Final = b"enrollkit-bundle-1"
_RETURN_MAGIC: Final = b"enrollkit-return-1"
_TRAILER_BYTES: Final = 32
"""No signed message is so short: a signature alone has 64 bytes."""
_TRAILER_HEAD: Final = b"\x58\x20"
"""How a byte string of 32 bytes begins (RFC 8949, 3)."""
_ITEMS_MAX: Final = 100_000
_PIECE_BYTES: Final = 256 * 1024
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_UNSUPPORTED: Final = frozenset(
    {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM}
)
"""What systems say whose folders cannot be opened or synced; the rename is all they offer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A laptop's signed hello and its batches, as bytes; nothing of it is verified.

    ``is_whole`` is ``False`` when the file was cut short or changed on its way: what is here may
    be used as far as its signatures hold, and the rest must come again.
    """

    hello: bytes = field(repr=False)
    batches: tuple[bytes, ...] = field(repr=False)
    is_whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """The server's answer to one bundle, as bytes; nothing of it is verified, as in a bundle."""

    reply: bytes = field(repr=False)
    receipts: tuple[bytes, ...] = field(repr=False)
    pages: tuple[bytes, ...] = field(repr=False)
    is_whole: bool = True


def encode_bundle(hello: bytes, batches: Iterable[bytes]) -> bytes:
    """Write a bundle; ``TooLarge`` when it would not be read again: use a second file."""
    return _encode([_BUNDLE_MAGIC, hello, *batches])


def encode_return(reply: bytes, receipts: Iterable[bytes], pages: Iterable[bytes]) -> bytes:
    """Write an answer; ``TooLarge`` when it would not be read again."""
    return _encode([_RETURN_MAGIC, reply, *receipts, *pages])


def kind_of(data: bytes) -> str:
    """Say what a file is by its first bytes: ``bundle`` or ``return``; else ``BundleInvalid``."""
    for kind, magic in (("bundle", _BUNDLE_MAGIC), ("return", _RETURN_MAGIC)):
        if data.startswith(wire.encode(magic)):
            return kind
    raise BundleInvalid("magic")


def decode_bundle(data: bytes) -> Bundle:
    """Read a bundle as far as it is whole; ``BundleInvalid`` when not even its hello is."""
    first, rest, is_whole = _decode(data, "bundle", item_bytes_max=LIMITS.blob_batch_bytes_max)
    return Bundle(hello=first, batches=tuple(rest), is_whole=is_whole)


def decode_return(data: bytes) -> Return:
    """Read an answer as far as it is whole; ``BundleInvalid`` when not even its reply is.

    Messages of a kind that only a newer server knows are passed over.
    """
    first, rest, is_whole = _decode(data, "return", item_bytes_max=LIMITS.feed_page_bytes_max)
    named: dict[str, list[bytes]] = {"receipt": [], "feed-page": []}
    for item in rest:
        named.setdefault(_meaning(item), []).append(item)
    return Return(
        reply=first,
        receipts=tuple(named["receipt"]),
        pages=tuple(named["feed-page"]),
        is_whole=is_whole,
    )


def bundle_name(device: str, incarnation: str, first: int, last: int) -> str:
    """Name a bundle's file: letters, digits, hyphens, under 64 of them, as every stick takes it."""
    return f"{device}-{incarnation[:8]}-{first}-{last}{BUNDLE_SUFFIX}"


def return_name(device: str, nonce: bytes) -> str:
    """Name an answer's file after the laptop and the hello that it answers: no two collide."""
    return f"{device}-{nonce[:8].hex()}{RETURN_SUFFIX}"


def read_file(path: Path, *, bytes_max: int = LIMITS.bundle_bytes_max) -> bytes:
    """Read a file from a stick; ``StickGone`` when it cannot be, ``BundleInvalid`` if too large."""
    with _stick_errors(), _opened(path) as handle:
        if os.fstat(handle).st_size > bytes_max:
            raise BundleInvalid("too large")
        data = b"".join(_pieces(handle, bytes_max=bytes_max + 1))
    if len(data) > bytes_max:
        raise BundleInvalid("too large")
    return data


def write_file(path: Path, data: bytes) -> None:
    """Write a file to a stick: under its name stands the whole file, the earlier one, or none.

    It is read back from the stick itself before it gets its name. ``StickFull``, ``StickGone`` or
    ``StickFaulty`` when that failed; the part that was written is taken away if the stick lets us.
    """
    part = path.with_name(f"{path.stem[:40]}-{secrets.token_hex(4)}.part")
    try:
        with _stick_errors():
            _write(part, data)
            _demand_readable(part, len(data), hashlib.sha256(data).digest())
            os.replace(part, path)  # noqa: PTH105 - beside every other system call of this file
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)  # noqa: PTH108 - the same
        raise
    with _stick_errors():
        _sync_folder(path.parent)


def _encode(items: Sequence[bytes]) -> bytes:
    body = b"".join(wire.encode_sequence(items))
    whole = body + _TRAILER_HEAD + hashlib.sha256(body).digest()
    if len(whole) > LIMITS.bundle_bytes_max or len(items) > _ITEMS_MAX:
        raise TooLarge("bundle")
    return whole


def _decode(data: bytes, kind: str, *, item_bytes_max: int) -> tuple[bytes, list[bytes], bool]:
    """Give the first message, those that follow, and whether nothing is missing or changed."""
    if kind_of(data) != kind or len(data) > LIMITS.bundle_bytes_max:
        raise BundleInvalid("not a " + kind)
    items, is_read = _whole_items(data, item_bytes_max)
    body = memoryview(data)[: -len(_TRAILER_HEAD) - _TRAILER_BYTES]
    digest = hashlib.sha256(body).digest()
    is_whole = is_read and items[-1] == digest and data.endswith(_TRAILER_HEAD + digest)
    if len(items[-1]) == _TRAILER_BYTES:
        items.pop()
    if len(items) < 2 or len(items[1]) > LIMITS.hello_bytes_max:  # noqa: PLR2004 - magic, hello
        raise BundleInvalid("no beginning")
    return items[1], items[2:], is_whole


def _whole_items(data: bytes, item_bytes_max: int) -> tuple[list[bytes], bool]:
    """Give the items up to the end, or up to where nothing makes sense any more; and which."""
    reader = wire.SequenceReader(item_bytes_max=item_bytes_max)
    items: list[bytes] = []
    for start in range(0, len(data), _PIECE_BYTES):
        try:
            for item in reader.feed(data[start : start + _PIECE_BYTES]):
                if len(items) >= _ITEMS_MAX:
                    return items, False
                items.append(item)
        except (EnvelopeInvalid, TooLarge):
            return items, False
    return items, reader.is_between_items


def _meaning(item: bytes) -> str:
    try:
        return str(read_unverified(item)[1][0])
    except EnvelopeInvalid:
        return ""  # damaged; the trailer, or the batch that stays unreceipted, says so


def _write(part: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(part, flags, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest[:_PIECE_BYTES]) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _demand_readable(part: Path, size: int, digest: bytes) -> None:
    """Read the file back past the page cache, as far as the system lets us, and compare."""
    found = hashlib.sha256()
    with _opened(part) as handle:
        forget: Callable[[int, int, int, int], None] | None = getattr(os, "posix_fadvise", None)
        if forget is not None:
            with contextlib.suppress(OSError):  # advice: the reading itself tells what is wrong
                forget(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        for piece in _pieces(handle, bytes_max=size + 1):
            found.update(piece)
    if found.digest() != digest:
        raise StickFaulty("other bytes came back")


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open a plain file; a pipe of that name must not keep anybody waiting."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise BundleInvalid("no file")
        yield handle
    finally:
        os.close(handle)


def _pieces(handle: int, *, bytes_max: int) -> Iterator[bytes]:
    while bytes_max > 0 and (piece := os.read(handle, min(_PIECE_BYTES, bytes_max))):
        bytes_max -= len(piece)
        yield piece


def _sync_folder(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return
        raise
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    finally:
        os.close(handle)


@contextmanager
def _stick_errors() -> Iterator[None]:
    """Turn what the system says into what an operator can do."""
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "unknown")
        raise (StickFull if error.errno in _FULL else StickGone)(name) from error
