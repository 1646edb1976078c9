"""A laptop in memory: queue, inbox, clock and dice, and one list of what happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from engine_server import DEVICE_KEY, INCARNATION, OPENING_KEY, SERVER_KEY, FakeServer, batch
from sync.chains import next_feed_digest
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

QUICK = Pacing(
    tries_max=4, first_tries_max=2, quick_tries=0, push_bytes_min=64, push_bytes_max=4096
)


class FakeOutbox:
    """A queue in memory; every operation is a person, two to a batch."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.batches: list[SealedBatch] = []
        self.receipts: dict[tuple[str, int], Receipt] = {}
        self.lives = [INCARNATION]
        self.unfrozen = 0
        self.photos = 0
        self.approved = True
        self.contacts: list[HelloReply] = []

    def incarnation(self) -> str:
        return self.lives[-1]

    def closed_lives(self) -> Sequence[str]:
        return [life for life in self.lives[:-1] if self.of(life)]

    def begin_life(self) -> str:
        self.events.append("new life")
        self.lives.append(f"{len(self.lives) + 0x11:02x}" * 8)
        return self.lives[-1]

    def bytes_waiting(self) -> int:
        return sum(len(each.data) for each in self.batches if not self.is_receipted(each))

    def of(self, life: str) -> list[SealedBatch]:
        return [each for each in self.batches if each.incarnation == life]

    def is_receipted(self, each: SealedBatch) -> bool:
        return (each.incarnation, each.number) in self.receipts

    def freeze(self, *, photos: bool = False) -> int:
        if photos and not self.unfrozen:
            self.unfrozen, self.photos = self.photos, 0
        made = self.unfrozen // 2
        for _ in range(made):
            life = self.lives[-1]
            number, digest = self.chain_head(life)
            self.batches.append(batch(number + 1, digest, incarnation=life))
        self.unfrozen = 0
        return made

    def chain_head(self, incarnation: str) -> tuple[int, bytes]:
        mine = self.of(incarnation)
        return (mine[-1].number, mine[-1].digest) if mine else (0, NO_DIGEST)

    def receipted_upto(self, incarnation: str) -> int:
        number = 0
        while (incarnation, number + 1) in self.receipts:
            number += 1
        return number

    def digest_at(self, incarnation: str, number: int) -> bytes | None:
        if number == 0:
            return NO_DIGEST
        mine = self.of(incarnation)
        return mine[number - 1].digest if number <= len(mine) else None

    def waiting(self) -> int:
        return self.unfrozen + sum(b.count for b in self.batches if not self.is_receipted(b))

    def is_approved(self) -> bool:
        return self.approved

    def batches_after(
        self, incarnation: str, number: int, *, bytes_max: int
    ) -> Sequence[SealedBatch]:
        chosen: list[SealedBatch] = []
        for each in self.of(incarnation)[number:]:
            if chosen and sum(len(b.data) for b in [*chosen, each]) > bytes_max:
                break
            chosen.append(each)
        return chosen

    def note_offered(self, offered: SealedBatch) -> int:
        self.events.append(f"offered {offered.number}")
        return offered.count

    def apply_receipt(self, receipt: Receipt, raw: bytes) -> Tally:
        known = self.of(receipt.incarnation)[receipt.batch - 1]
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
        is_new = not self.is_receipted(known)
        self.receipts.setdefault((receipt.incarnation, receipt.batch), receipt)
        outcomes = [verdict.outcome for verdict in receipt.verdicts] if is_new else []
        return Tally(**{str(kind): outcomes.count(kind) for kind in Outcome})

    def note_contact(self, reply: HelloReply) -> None:
        self.contacts.append(reply)
        self.approved = reply.state is DeviceState.APPROVED


class FakeInbox:
    """News in memory."""

    def __init__(self) -> None:
        self.entries: list[FeedEntry] = []
        self.numbered: list[FeedEntry] = []
        self.at = 0

    def cursor(self) -> int:
        return self.at

    def feed_digest(self) -> bytes:
        digest = NO_DIGEST
        for entry in self.numbered[: self.at]:
            digest = next_feed_digest(digest, entry.id)
        return digest

    def rewind(self) -> None:
        self.at = 0
        self.numbered = []

    def programme_serial(self) -> int:
        return 1

    def apply_page(self, entries: Sequence[FeedEntry], cursor: int) -> None:
        assert entries[0].seq == self.at + 1
        known = {entry.id for entry in self.entries}
        self.entries.extend(entry for entry in entries if entry.id not in known)
        self.numbered.extend(entries)
        self.at = len(self.numbered)
        assert cursor == self.at


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

    def boot(self) -> bytes:
        return bytes(8)

    def sleep(self, seconds: float) -> None:
        # A rest is slept in short naps, so that somebody may stop it; told as one.
        told = seconds
        if self.events and self.events[-1].startswith("rest "):
            told += float(self.events.pop()[5:])
        self.events.append(f"rest {told:g}")
        self.seconds = round(self.seconds + seconds, 6)

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
