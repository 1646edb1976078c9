"""A laptop in memory: queue, inbox, clock and dice, and one list of what happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from engine_server import DEVICE_KEY, INCARNATION, OPENING_KEY, SERVER_KEY, FakeServer, batch
from sync.engine.envelope import DeviceEnvelope
from sync.engine.pacing import Pacing
from sync.engine.runner import Ports
from sync.errors import (
    ReceiptInvalid,
    SyncBusy,
)
from sync.ports import Tally
from sync.protocol import (
    NO_DIGEST,
    DeviceState,
    FeedEntry,
    HelloReply,
    Outcome,
    Receipt,
    SealedBatch,
)
from sync.sealing import (
    VerifyKey,
)

QUICK = Pacing(tries_max=4, first_tries_max=2, push_bytes_min=64, push_bytes_max=4096)


class FakeOutbox:
    """A queue in memory; every operation is a person, two to a batch."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.batches: list[SealedBatch] = []
        self.receipts: dict[int, Receipt] = {}
        self.unfrozen = 0
        self.approved = True
        self.contacts: list[HelloReply] = []

    def incarnation(self) -> str:
        return INCARNATION

    def freeze(self) -> int:
        made = self.unfrozen // 2
        for _ in range(made):
            self.batches.append(batch(len(self.batches) + 1, self.chain_head()[1]))
        self.unfrozen = 0
        return made

    def chain_head(self) -> tuple[int, bytes]:
        return (len(self.batches), self.batches[-1].digest) if self.batches else (0, NO_DIGEST)

    def receipted_upto(self) -> int:
        number = 0
        while number + 1 in self.receipts:
            number += 1
        return number

    def digest_at(self, number: int) -> bytes | None:
        if number == 0:
            return NO_DIGEST
        return self.batches[number - 1].digest if number <= len(self.batches) else None

    def waiting(self) -> int:
        return self.unfrozen + sum(b.count for b in self.batches if b.number not in self.receipts)

    def is_approved(self) -> bool:
        return self.approved

    def batches_after(self, number: int, *, bytes_max: int) -> Sequence[SealedBatch]:
        chosen: list[SealedBatch] = []
        for each in self.batches[number:]:
            if chosen and sum(len(b.data) for b in [*chosen, each]) > bytes_max:
                break
            chosen.append(each)
        return chosen

    def note_offered(self, offered: SealedBatch) -> int:
        self.events.append(f"offered {offered.number}")
        return offered.count

    def apply_receipt(self, receipt: Receipt, raw: bytes) -> Tally:
        known = self.batches[receipt.batch - 1]
        if receipt.digest != known.digest or len(receipt.verdicts) != known.count:
            raise ReceiptInvalid("store")
        # The oracle of every test: nothing is marked without the server's own signature.
        assert (
            DeviceEnvelope(
                signing=DEVICE_KEY, opening=OPENING_KEY, server=SERVER_KEY.public
            ).open_receipt(raw)
            == receipt
        )
        self.events.append(f"applied {receipt.batch}")
        is_new = receipt.batch not in self.receipts
        self.receipts.setdefault(receipt.batch, receipt)
        outcomes = [verdict.outcome for verdict in receipt.verdicts] if is_new else []
        return Tally(**{str(kind): outcomes.count(kind) for kind in Outcome})

    def note_contact(self, reply: HelloReply) -> None:
        self.contacts.append(reply)
        self.approved = reply.state is DeviceState.APPROVED


class FakeInbox:
    """News in memory."""

    def __init__(self) -> None:
        self.entries: list[FeedEntry] = []

    def cursor(self) -> int:
        return len(self.entries)

    def programme_serial(self) -> int:
        return 1

    def apply_page(self, entries: Sequence[FeedEntry], cursor: int) -> None:
        assert entries[0].seq == len(self.entries) + 1
        self.entries.extend(entries)
        assert cursor == len(self.entries)


class Stage:
    """Clock, sleeper, guard and dice of one laptop; time passes only in rests."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.seconds = 0.0
        self.is_busy = False
        self._tokens = 0

    def now(self) -> int:
        return 1_546_300_800  # 2019: a dead battery

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.events.append(f"rest {seconds:g}")
        self.seconds += seconds

    def token(self, size: int) -> bytes:
        self._tokens += 1
        return bytes(size - 2) + self._tokens.to_bytes(2, "big")

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        if self.is_busy:
            raise SyncBusy
        self.is_busy = True
        try:
            yield
        finally:
            self.is_busy = False


class Laptop:
    """One laptop, one server, one list of what happened."""

    def __init__(
        self, *, people: int = 0, server_key: VerifyKey = SERVER_KEY.public, **server: object
    ) -> None:
        self.events: list[str] = []
        self.outbox = FakeOutbox(self.events)
        self.outbox.unfrozen = people
        self.inbox = FakeInbox()
        self.server = FakeServer(events=self.events, **server)
        self.stage = Stage(self.events)
        self.envelope = DeviceEnvelope(signing=DEVICE_KEY, opening=OPENING_KEY, server=server_key)

    @property
    def ports(self) -> Ports:
        return Ports(
            outbox=self.outbox,
            inbox=self.inbox,
            transport=self.server,
            envelope=self.envelope,
            clock=self.stage,
            sleeper=self.stage,
            guard=self.stage,
            randomness=self.stage,
        )
