"""What the server says to a laptop that calls: who it is to us, what we hold, what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync import wire
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
    read_unverified,
    seal_feed_page,
    sign_hello_reply,
    sign_receipt,
)
from sync.server import feed
from sync.server.clocks import note_boot
from sync.server.devices import Device, find_device, meet_device, note_contact
from sync.server.errors import HttpFault
from sync.server.keys import ServerKeys
from sync.server.lives import Chain, Trace, chain_of_hello, durable_upto, find_lives, trace
from sync.server.programme import newest_programme, publish
from sync.server.receipts import rebuild_receipt
from sync.server.store import Store
from sync.server.store.tables import batches
from sync.server.strangers import SILENT_SECONDS_MAX
from sync.server.walking import walk

__all__ = ["Contact", "Greeting"]

_RECEIPTS_MAX: Final = 500
"""Receipts given with one hello; the laptop offers again what it still misses."""

_RECEIPT_BYTES_MAX: Final = 1024 * 1024

VERDICTS_MAX: Final = 20_000
"""Verdicts looked up for one hello: five hundred batches of forty people each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """An answered hello: the reply in words, and all signed messages in their order.

    ``is_rolled_back``: the laptop has receipts for more than is held here, so this database was
    restored from a backup. That is worth an alert; the laptop offers everything again.
    """

    reply: HelloReply
    signed: tuple[bytes, ...]
    is_rolled_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of the chain that a laptop speaks of.

    ``whole`` is where its batches lie; empty while that is not known for sure.
    """

    chain: Chain
    whole: Trace
    is_certain: bool


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
        silent_seconds_max: int = SILENT_SECONDS_MAX,
        verdicts_max: int = VERDICTS_MAX,
    ) -> None:
        self._store = store
        self._keys = keys
        self._epoch = epoch
        self._clock = clock
        self._pending_max = pending_max
        self._silent_seconds_max = silent_seconds_max
        self._verdicts_max = verdicts_max

    def greet(self, message: bytes, *, is_live: bool = True) -> Greeting:
        """Answer a hello, then give the receipts that the laptop misses.

        ``is_live`` is false for a hello that came on a stick: it says nothing of the laptop's
        clock. ``HttpFault``, ``EnvelopeInvalid``, ``TooLarge`` or ``ProtocolMismatch`` when it
        cannot.
        """
        hello = self._open_hello(message)
        now = self._clock()
        with self._store.write() as connection:
            device = find_device(connection, hello.device) or self._meet(connection, hello, now)
            note_contact(connection, device.id, now=now)
            if is_live and device.state is not DeviceState.PENDING:
                note_boot(connection, hello, now=now)
            known = _known(connection, hello)
            serial, _ = newest_programme(connection)
            news = feed.digest_at(connection, device.id, hello.cursor)
        reply = self._reply(hello, device, known, serial=serial, news=news, now=now)
        signed = [sign_hello_reply(reply, self._keys.signing)]
        if device.state is not DeviceState.PENDING:
            signed += self._missing_receipts(hello, known, now)
        return Greeting(
            reply=reply,
            signed=tuple(signed),
            is_rolled_back=hello.receipted_upto > known.chain.held_upto,
        )

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
        if known is None and wire.decode_hello(read_unverified(message)[2]).public_key is None:
            raise HttpFault("device-unknown")  # it introduces itself when it hears that
        hello = open_hello(message, known.key if known else None)
        if hello.version < MINIMUM_VERSION:
            raise ProtocolMismatch(f"version {hello.version}")
        return hello

    def _meet(self, connection: Connection, hello: Hello, now: int) -> Device:
        device = meet_device(
            connection,
            hello,
            now=now,
            pending_max=self._pending_max,
            silent_seconds_max=self._silent_seconds_max,
        )
        if device.state is DeviceState.APPROVED:
            publish(connection, self._keys, now=now)
        return find_device(connection, device.id) or device

    def _reply(
        self, hello: Hello, device: Device, known: _Known, *, serial: int, news: bytes, now: int
    ) -> HelloReply:
        chain = known.chain
        return HelloReply(
            version=min(PROTOCOL_VERSION, hello.version),
            minimum_version=MINIMUM_VERSION,
            state=device.state,
            epoch=self._epoch,
            device=device.id,
            incarnation=hello.incarnation,
            held_upto=chain.held_upto,
            held_digest=chain.held_digest,
            # A twin must never let go of what only its brother's backup holds.
            durable_upto=durable_upto(known.whole) if known.is_certain else 0,
            feed_head=device.feed_head,
            feed_digest=news,
            programme_serial=serial,
            server_time=now,
            nonce=hello.nonce,
        )

    def _missing_receipts(self, hello: Hello, known: _Known, now: int) -> Iterator[bytes]:
        with self._store.read() as connection:
            room, verdicts = _RECEIPT_BYTES_MAX, 0
            for row in _missing(connection, hello, known.whole):
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


def _known(connection: Connection, hello: Hello) -> _Known:
    chain, is_certain = chain_of_hello(
        connection, hello.device, hello.incarnation, hello.last_batch, hello.last_digest
    )
    if not (is_certain and chain.held_upto >= hello.last_batch):
        mixed = walk(
            connection, hello.device, hello.incarnation, hello.last_batch, hello.last_digest
        )
        if mixed:
            # Held whole, though batches of a copy lie between its own.
            chain = replace(chain, held_upto=hello.last_batch, held_digest=hello.last_digest)
            return _Known(chain=chain, whole=mixed, is_certain=True)
    if is_certain:
        return _Known(chain=chain, whole=trace(connection, chain) or (), is_certain=True)
    # Of a chain that may be a twin's no receipt is given: this laptop would take it for a forgery.
    has_twin = len(find_lives(connection, hello.device, hello.incarnation)) > 1
    is_foreign = has_twin or chain.held_upto >= hello.last_batch
    whole = () if is_foreign else trace(connection, chain) or ()
    return _Known(chain=chain, whole=whole, is_certain=False)


def _missing(connection: Connection, hello: Hello, whole: Trace) -> Iterator[Row[Any]]:
    """Give the batches that the laptop has no receipt for, in their order, bounded."""
    left = _RECEIPTS_MAX
    for segment in reversed(whole):
        query = (
            select(batches)
            .where(
                batches.c.device == hello.device,
                batches.c.life == segment.life,
                batches.c.number > max(hello.receipted_upto, segment.after),
                # Of batches that the laptop never made it has no use for receipts.
                batches.c.number <= min(segment.upto, hello.last_batch),
            )
            .order_by(batches.c.number)
            .limit(left)
        )
        rows = connection.execute(query).all()
        left -= len(rows)
        yield from rows
        if left <= 0:
            return
