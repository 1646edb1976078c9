"""Files from a stick looked at from outside: what they are, whose they are, of which programme."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from enrollkit.app.desk import Desk
from enrollkit.errors import DocumentError
from enrollkit.locale import _
from sync import wire
from sync.bundle import Bundle, Return, decode_bundle, decode_return
from sync.errors import (
    BundleForeign,
    BundleInvalid,
    EnvelopeInvalid,
    OperatorError,
    ReceiptInvalid,
    StickGone,
)
from sync.protocol import Hello, HelloReply
from sync.sealing import open_hello_reply, read_signer, read_unverified

__all__ = [
    "OutwardFile",
    "OwnFile",
    "PassedOver",
    "StickUnknown",
    "files_on",
    "meaning_of",
    "open_return",
    "read_bundle",
]


class OutwardFile(DocumentError):
    """This file goes to the office, it does not come from there. Nothing was changed. To carry it
    for another laptop, type: enrollkit courier FILE
    """

    code = "outward-file"
    exit_code = 37


class StickUnknown(DocumentError):
    """This file answers a stick that this laptop does not remember; perhaps its disk was restored
    from an older copy. Nothing was changed and nothing is lost. Write to a stick again.
    """

    code = "stick-unknown"
    exit_code = 38


class OwnFile(DocumentError):
    """This file is this laptop's own: there is nothing to carry for another. Nothing was changed.
    Take it to the office; what comes back is read with: enrollkit receive FILE
    """

    code = "own-file"
    exit_code = 39


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A file in a folder that was not used, and why."""

    file: Path
    code: str
    text: str

    @classmethod
    def of(cls, file: Path, error: OperatorError) -> PassedOver:
        """Give it with the error's words."""
        return cls(file=file, code=error.code, text=_(error.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutwardLetter:
    """Another's bundle: its hello, unverified, and its content."""

    hello: Hello
    content: Bundle


def files_on(path: Path, *suffixes: str) -> list[Path]:
    """Give a file, or the files of a folder with these endings, by name; ``StickGone`` if none.

    A stick of FAT may have turned the endings into capitals.
    """
    if not path.is_dir():
        return [path]
    try:
        return sorted(
            file
            for file in path.iterdir()
            if file.suffix.lower() in suffixes and not file.name.startswith(".")
        )
    except OSError as error:
        raise StickGone(type(error).__name__) from error


def open_return(desk: Desk, data: bytes) -> tuple[HelloReply, Return]:
    """Read a return file of this programme, for whichever laptop; its reply is verified.

    ``BundleForeign`` when another programme's server signed it, ``BundleInvalid`` when its
    beginning is damaged.
    """
    content = decode_return(data)
    server = desk.programme.signing
    try:
        if read_signer(content.reply) != server.id:
            raise BundleForeign("reply of another server")
        return open_hello_reply(content.reply, server), content
    except (EnvelopeInvalid, ReceiptInvalid) as error:
        raise BundleInvalid("reply") from error


def read_bundle(data: bytes) -> OutwardLetter:
    """Read a bundle from outside; nothing in it is verified. ``BundleInvalid`` for a wrong hello.

    A hello's own bytes are all that a courier ever looks at beside the batches' public headers.
    """
    content = decode_bundle(data)
    try:
        signer, meaning, payload = read_unverified(content.hello)
        hello = wire.decode_hello(payload)
    except EnvelopeInvalid as error:
        raise BundleInvalid("hello") from error
    if meaning != ["hello"] or hello.device != signer.hex():
        raise BundleInvalid("hello")
    return OutwardLetter(hello=hello, content=content)


def meaning_of(raw: bytes) -> str:
    """Give what a signed item says it is; an empty text for what is none of ours."""
    try:
        return str(read_unverified(raw)[1][0])
    except EnvelopeInvalid:
        return ""
