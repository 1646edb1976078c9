"""Bundles: what a laptop wrote to a stick, or what a courier carries for it, taken in and answered.

The same transactions as in a push. What differs: a hello comes first and introduces the laptop;
one damaged batch does not end the rest, for nobody is there who could send it again; and the news
that the laptop would have asked for goes along with the receipts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from sync import wire
from sync.bundle import Bundle, Return
from sync.errors import EnvelopeInvalid, ProtocolMismatch, SyncError, TooLarge
from sync.protocol import LIMITS, DeviceState, FeedRequest, Hello, HelloReply
from sync.sealing import VerifyKey, read_batch_header, read_unverified, seal_feed_page
from sync.server import feed
from sync.server.contact import Contact
from sync.server.devices import find_device
from sync.server.errors import HttpFault
from sync.server.intake import Intake, Taken
from sync.server.keys import ServerKeys
from sync.server.store import Store

__all__ = ["Receiver", "Reception"]

_PAGES_BYTES_MAX: Final = 8 * 1024 * 1024
"""News that goes along with one bundle; the laptop asks for more when it calls itself."""


class Receiver:
    """Takes bundles in for one server. ``note_taken`` hears of every batch that is committed."""

    def __init__(
        self,
        *,
        store: Store,
        keys: ServerKeys,
        contact: Contact,
        intake: Intake,
        note_taken: Callable[[Taken], None],
    ) -> None:
        self.contact = contact
        self.intake = intake
        self.note_taken = note_taken
        self._store = store
        self._keys = keys

    def open_reception(self) -> Reception:
        """Begin with one bundle."""
        return Reception(self)

    def receive(self, bundle: Bundle) -> Return:
        """Take a whole bundle in and give the answer to it; the same bundle again changes nothing.

        ``HttpFault`` when the laptop is unknown, ``EnvelopeInvalid`` when its hello is damaged.
        A damaged batch is passed over and stays without a receipt. A laptop that is not approved
        is introduced, and its answer holds nothing but that.
        """
        reception = self.open_reception()
        reply, *receipts = reception.begin(bundle.hello)
        if reception.state is not DeviceState.PENDING:
            for batch in bundle.batches:
                receipts += reception.take(batch)
        return Return(reply=reply, receipts=tuple(receipts), pages=reception.finish())

    def is_ours(self, bundle: Bundle) -> bool:
        """Whether its first readable batch is sealed to this programme; an empty one may be."""
        for batch in bundle.batches:
            try:
                return read_batch_header(batch).key_id == self._keys.ingest.public.id
            except SyncError:
                continue
        return True

    def key_of(self, device: str) -> VerifyKey:
        """Give the public key of a laptop that was met; ``HttpFault`` when it was not."""
        with self._store.read() as connection:
            known = find_device(connection, device)
        if known is None:
            raise HttpFault("device-unknown")
        return known.key

    def pages_for(self, hello: Hello) -> tuple[bytes, ...]:
        """Give the news after the hello's cursor, sealed to the laptop that signed it."""
        pages: list[bytes] = []
        after, room, is_more = hello.cursor, _PAGES_BYTES_MAX, True
        while is_more and room > 0:
            with self._store.write() as connection:
                device = find_device(connection, hello.device)
                if device is None or device.state is not DeviceState.APPROVED:
                    return ()
                request = FeedRequest(
                    device=hello.device, after=after, time=hello.time, nonce=hello.nonce
                )
                page = feed.take_page(connection, device, request)
            if not page.entries:
                break
            pages.append(seal_feed_page(page, self._keys.signing, device.seal_key))
            room -= len(pages[-1])
            after = page.entries[-1].seq
            is_more = after < page.head
        return tuple(pages)


class Reception:
    """One bundle on its way in; a ``Dialogue`` of :mod:`sync.server.streams`.

    It counts what became of the bundle: ``batches`` that were committed, now or before, the
    ``verdicts`` on their operations, ``told`` those on people and links among them, and the
    ``refused`` batches by the code of what was wrong.
    ``began_fork``: another disk wrote other batches under this laptop's name; both are kept.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._hello: Hello | None = None
        self._answered: set[bytes] = set()
        self.bytes_max = LIMITS.bundle_bytes_max
        self.is_known = False
        self.reply: HelloReply | None = None
        self.batches = 0
        self.verdicts: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.began_fork = False

    @property
    def device(self) -> str:
        """Give the laptop's id; empty before its hello was read."""
        return self.reply.device if self.reply else ""

    @property
    def state(self) -> DeviceState | None:
        """Give how the programme stands to the laptop; ``None`` before its hello was read."""
        return self.reply.state if self.reply else None

    def begin(self, first: bytes) -> tuple[bytes, ...]:
        """Give the reply to the hello, then the receipts that the laptop misses."""
        greeting = self._receiver.contact.greet(first, is_live=False)
        self._hello = wire.decode_hello(read_unverified(first)[2])  # greet has verified it
        self.reply = greeting.reply
        for raw in greeting.signed[1:]:
            self._answered.add(wire.decode_receipt(read_unverified(raw)[2]).digest)
        return greeting.signed

    def take(self, item: bytes) -> tuple[bytes, ...]:
        """Give a batch's receipt, unless it went out with the reply; nothing for a damaged one.

        ``HttpFault`` when the laptop is not approved; ``DatabaseBusy`` when it must come again.
        """
        nonce = self._hello.nonce if self._hello else b""
        try:
            self._demand_own(item)
            taken = self._receiver.intake.take(item, nonce)
        except (EnvelopeInvalid, TooLarge, ProtocolMismatch) as error:
            self.refused[error.code] += 1
            return ()
        except HttpFault as fault:
            self.refused[fault.code] += 1
            raise
        self.batches += 1
        self.began_fork = self.began_fork or taken.began_fork
        self.is_known = self.is_known or taken.is_new
        self.verdicts.update(verdict.outcome.value for verdict in taken.receipt.verdicts)
        self.told.update(verdict.outcome.value for verdict in taken.told)
        self._receiver.note_taken(taken)
        if taken.receipt.digest in self._answered:
            return ()
        self._answered.add(taken.receipt.digest)
        return (taken.signed,)

    def finish(self) -> tuple[bytes, ...]:
        """Give the news for the laptop, if it is approved."""
        return self._receiver.pages_for(self._hello) if self._hello else ()

    def _demand_own(self, item: bytes) -> None:
        if self._hello and read_batch_header(item).device != self._hello.device:
            raise EnvelopeInvalid("batch of another laptop")
