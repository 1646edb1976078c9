"""An office that takes sticks in, in this process: real server code, real keys, no network."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from enrollkit.app.kit import Kit
from enrollkit.domain.identifiers import approval_code
from kit_samples import CHEAP, PASSPHRASE, StoppedSystem, intake_row
from server_laptops import Office
from sync.bundle import decode_bundle, encode_return, return_name
from sync.protocol import DeviceState, HelloReply
from sync.sealing import open_hello_reply, sign_hello_reply
from sync.server.approval import approve_code
from sync.server.programme import newest_programme
from sync.server.wiring import make_receiver

__all__ = ["StickOffice", "enroll", "open_stick_office"]


class StickOffice:
    """A server with laptops; its clock moves on by a second with every file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.office = Office(folder / "office", io.StringIO())
        self.receiver = make_receiver(
            self.office.settings,
            store=self.office.store,
            keys=self.office.keys,
            clock=self._tick,
            note_taken=lambda _taken: None,
        )
        self._kits = contextlib.ExitStack()

    def close(self) -> None:
        self._kits.close()
        self.office.close()

    def kit(self, name: str, *, approved: bool = True) -> Kit:
        """Give a laptop of this programme, unlocked."""
        with self.office.store.read() as connection:
            _, programme = newest_programme(connection)
        kit = Kit.at(self.folder / name, system=StoppedSystem())
        self._kits.callback(kit.close)
        kit.initialise(programme, operator="Sunita K.", passphrase=PASSPHRASE, kdf=CHEAP)
        if approved:
            self.approve(kit)
        return kit

    def approve(self, kit: Kit) -> None:
        code = approval_code(kit._open().keys.signing.public.digest())
        with self.office.store.write() as connection:
            approve_code(connection, self.office.keys, code, now=self.office.now)

    def answer(self, bundle: Path) -> Path:
        """Take a file in and write the answer beside it."""
        content = decode_bundle(bundle.read_bytes())
        answer = self.receiver.receive(content)
        reply = self.opened(answer.reply)
        path = bundle.with_name(return_name(reply.device, reply.nonce))
        path.write_bytes(encode_return(answer.reply, answer.receipts, answer.pages))
        return path

    def carry(self, hello: bytes, batches: Iterable[bytes]) -> Generator[bytes, None, None]:
        """Answer a courier as ``POST /v1/bundles`` does: a ``Road`` of the kit."""
        reception = self.receiver.open_reception()
        yield from reception.begin(hello)
        if reception.state is DeviceState.PENDING:
            return
        for batch in batches:
            yield from reception.take(batch)
        yield from reception.finish()

    def opened(self, reply: bytes) -> HelloReply:
        return open_hello_reply(reply, self.office.keys.signing.public)

    def reworded(self, reply: bytes, **changes: Any) -> bytes:
        """Sign a reply that says something else: what a restored or other server would say."""
        return sign_hello_reply(replace(self.opened(reply), **changes), self.office.keys.signing)

    def count(self) -> int:
        return self.office.count("SELECT count(*) FROM enrollments")

    def _tick(self) -> int:
        self.office.now += 1
        return self.office.now


@contextlib.contextmanager
def open_stick_office(folder: Path) -> Iterator[StickOffice]:
    office = StickOffice(folder)
    try:
        yield office
    finally:
        office.close()


def enroll(kit: Kit, count: int, *, freeze: bool = False) -> list[str]:
    """Save people with different names; ``freeze`` makes each a batch of its own."""
    from enrollkit.app.outgoing import outbox_of  # noqa: PLC0415 - only where it is wanted

    ids = []
    before = kit.standing().total
    for number in range(before, before + count):
        row = intake_row(
            name=f"{_NAMES[number % 8]} {_NAMES[number // 8 % 8]} Devi",
            mobile=f"9{number:09d}",
            birth={"year": 1960 + number % 40},
            aadhaar=None,
            name_native=None,
        )
        result = kit.enrolling.submit_row(row)
        assert result.ok, result
        ids.append(str(result.id))
        if freeze:
            outbox_of(kit._open()).freeze()
    return ids


_NAMES = ("Asha", "Bimla", "Chanda", "Deepa", "Gauri", "Hema", "Jyoti", "Kusum")
