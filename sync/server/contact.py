"""What the server says to a laptop that calls: who it is to us, what we hold, what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from sync.errors import EnvelopeInvalid, ProtocolMismatch
from sync.protocol import (
    MINIMUM_VERSION,
    PROTOCOL_VERSION,
    DeviceState,
    Hello,
    HelloReply,
)
from sync.sealing import (
    open_feed_request,
    open_hello,
    read_signer,
    seal_feed_page,
    sign_hello_reply,
    sign_receipt,
)
from sync.server import feed
from sync.server.devices import Device, find_device, meet_device, note_contact
from sync.server.errors import HttpFault
from sync.server.keys import ServerKeys
from sync.server.programme import newest_programme, publish
from sync.server.receipts import Chain, read_chain, rebuild_receipt
from sync.server.store import Store
from sync.server.store.tables import batches

__all__ = ["Contact", "Greeting"]

_RECEIPTS_MAX: Final = 500
"""Receipts given with one hello; the laptop offers again what it still misses."""

_RECEIPT_BYTES_MAX: Final = 1024 * 1024

VERDICTS_MAX: Final = 20_000
"""Verdicts looked up for one hello: five hundred batches of forty people each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """An answered hello: the reply in words, and all signed messages in their order."""

    reply: HelloReply
    signed: tuple[bytes, ...]


class Contact:
    """Answers hellos and feed requests. ``clock`` gives seconds since 1970 UTC."""

    def __init__(
        self,
        *,
        store: Store,
        keys: ServerKeys,
        epoch: str,
        clock: Callable[[], int],
        pending_max: int,
        verdicts_max: int = VERDICTS_MAX,
    ) -> None:
        self._store = store
        self._keys = keys
        self._epoch = epoch
        self._clock = clock
        self._pending_max = pending_max
        self._verdicts_max = verdicts_max

    def greet(self, message: bytes) -> Greeting:
        """Answer a hello, then give the receipts that the laptop misses.

        ``HttpFault``, ``EnvelopeInvalid``, ``TooLarge`` or ``ProtocolMismatch`` when it cannot.
        """
        hello = self._open_hello(message)
        now = self._clock()
        with self._store.write() as connection:
            device = find_device(connection, hello.device) or self._meet(connection, hello, now)
            note_contact(connection, device.id, now=now)
            chain = read_chain(connection, device.id, hello.incarnation)
            serial, _ = newest_programme(connection)
            news = feed.digest_at(connection, device.id, hello.cursor)
        reply = self._reply(hello, device, chain, serial=serial, news=news, now=now)
        signed = [sign_hello_reply(reply, self._keys.signing)]
        if device.state is not DeviceState.PENDING:
            signed += self._missing_receipts(hello, chain.held_upto, now)
        return Greeting(reply=reply, signed=tuple(signed))

    def page(self, message: bytes, after: int) -> bytes:
        """Answer a signed feed request with one page that only this laptop can open."""
        signer = read_signer(message)
        with self._store.write() as connection:
            device = find_device(connection, signer)
            if device is None:
                raise HttpFault("device-unknown")
            if device.state is DeviceState.PENDING:
                raise HttpFault("device-pending")
            request = open_feed_request(message, device.key)
            if request.after != after:
                raise EnvelopeInvalid("cursor")
            page = feed.take_page(connection, device, request)
        return seal_feed_page(page, self._keys.signing, device.seal_key)

    def _open_hello(self, message: bytes) -> Hello:
        signer = read_signer(message)
        with self._store.read() as connection:
            known = find_device(connection, signer)
        hello = open_hello(message, known.key if known else None)
        if hello.version < MINIMUM_VERSION:
            raise ProtocolMismatch(f"version {hello.version}")
        return hello

    def _meet(self, connection: Connection, hello: Hello, now: int) -> Device:
        device = meet_device(connection, hello, now=now, pending_max=self._pending_max)
        if device.state is DeviceState.APPROVED:
            publish(connection, self._keys, now=now)
        return find_device(connection, device.id) or device

    def _reply(
        self, hello: Hello, device: Device, chain: Chain, *, serial: int, news: bytes, now: int
    ) -> HelloReply:
        return HelloReply(
            version=min(PROTOCOL_VERSION, hello.version),
            minimum_version=MINIMUM_VERSION,
            state=device.state,
            epoch=self._epoch,
            device=device.id,
            incarnation=hello.incarnation,
            held_upto=chain.held_upto,
            held_digest=chain.held_digest,
            durable_upto=chain.durable_upto,
            feed_head=device.feed_head,
            feed_digest=news,
            programme_serial=serial,
            server_time=now,
            nonce=hello.nonce,
        )

    def _missing_receipts(self, hello: Hello, held_upto: int, now: int) -> Iterator[bytes]:
        missing = (
            select(batches)
            .where(
                batches.c.device == hello.device,
                batches.c.incarnation == hello.incarnation,
                batches.c.number > hello.receipted_upto,
                batches.c.number <= held_upto,
            )
            .order_by(batches.c.number)
            .limit(_RECEIPTS_MAX)
        )
        with self._store.read() as connection:
            room, verdicts = _RECEIPT_BYTES_MAX, 0
            for row in connection.execute(missing).all():
                verdicts += row.operation_count
                if verdicts > self._verdicts_max:
                    return
                receipt = rebuild_receipt(
                    connection, row, epoch=self._epoch, nonce=hello.nonce, now=now
                )
                signed = sign_receipt(receipt, self._keys.signing)
                room -= len(signed)
                if room < 0:
                    return
                yield signed
