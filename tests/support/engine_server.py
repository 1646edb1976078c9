"""A server in memory and the road to it, with real signatures and every fault a road can have."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace

from sync import wire
from sync.chains import next_feed_digest
from sync.errors import (
    ClockSkew,
    DevicePending,
    DeviceUnknown,
    Offline,
    Portal,
    ServerUnavailable,
    SyncError,
    Timeout,
    TooLarge,
)
from sync.protocol import (
    NO_DIGEST,
    DeviceState,
    FeedEntry,
    FeedPage,
    HelloReply,
    Outcome,
    Receipt,
    SealedBatch,
    ServerTime,
    Verdict,
)
from sync.sealing import (
    OpeningKey,
    SigningKey,
    open_feed_request,
    open_hello,
    seal_feed_page,
    sign_hello_reply,
    sign_receipt,
    sign_server_time,
)

INCARNATION = "11" * 8
SERVER_KEY = SigningKey(bytes([1]) * 32)
FORGER_KEY = SigningKey(bytes([2]) * 32)
DEVICE_KEY = SigningKey(bytes([3]) * 32)
OPENING_KEY = OpeningKey(bytes([4]) * 96)


def batch(
    number: int, previous: bytes, count: int = 2, incarnation: str = INCARNATION
) -> SealedBatch:
    """Give a batch whose content is opaque to the engine anyway."""
    data = wire.encode([number, previous, count, incarnation])
    return SealedBatch(
        incarnation=incarnation,
        number=number,
        first_seq=1 + (number - 1) * count,
        count=count,
        digest=hashlib.sha256(data).digest(),
        data=data,
    )


@dataclass(kw_only=True)
class FakeServer:
    """A server in memory and the road to it; ``faults`` spoil one request each."""

    events: list[str]
    faults: Iterator[str] = field(default_factory=lambda: iter(()))
    state: DeviceState = DeviceState.APPROVED
    knows_device: bool = True
    held: list[bytes] = field(default_factory=list)
    held_of: dict[str, list[bytes]] = field(default_factory=dict)
    """The chains of other lives than the first."""
    forks: list[SealedBatch] = field(default_factory=list)
    """Batches whose place in the chain another has: kept beside it."""
    news: list[FeedEntry] = field(default_factory=list)
    page_entries: int = 2
    outcome: Outcome = Outcome.ACCEPTED
    poisoned: frozenset[int] = frozenset()
    minimum_version: int = 1
    time: int = 1
    request_bytes_max: int = 1 << 20
    old_receipts: list[bytes] = field(default_factory=list)
    receipts_max: int = 500
    requests: int = 0
    round_trip_seconds: float | None = None
    bytes_up: int = 0

    def traffic(self) -> tuple[int, int, int]:
        return self.bytes_up, 10 * self.requests, self.requests

    def hello(self, message: bytes) -> Generator[bytes, None, None]:
        fault = self._begin("hello")
        hello = open_hello(message, DEVICE_KEY.public)
        if hello.public_key is None and not self.knows_device:
            raise DeviceUnknown("device-unknown")
        self.knows_device = True
        if fault == "lost reply":
            raise Timeout(fault)
        chain = self.chain(hello.incarnation)
        upto = len(chain)
        reply = HelloReply(
            version=1,
            minimum_version=self.minimum_version,
            state=self.state,
            epoch="ee" * 8,
            device=hello.device if fault != "other device" else "dd" * 8,
            incarnation=hello.incarnation,
            held_upto=upto,
            held_digest=chain[-1] if chain else NO_DIGEST,
            durable_upto=0,
            feed_head=len(self.news),
            feed_digest=self._feed_digest(hello.cursor),
            programme_serial=1,
            server_time=1,
            nonce=hello.nonce if fault != "stale" else bytes(16),
        )
        yield sign_hello_reply(reply, FORGER_KEY if fault == "forged" else SERVER_KEY)
        if self.state is DeviceState.APPROVED:
            missing = [
                (hello.incarnation, number, chain[number - 1])
                for number in range(hello.receipted_upto + 1, upto + 1)
            ][: self.receipts_max]
            yield from self._receipts(missing, hello.nonce, fault)

    def push(self, nonce: bytes, batches: Iterable[SealedBatch]) -> Generator[bytes, None, None]:
        fault = self._begin("push")
        if self.state is DeviceState.PENDING:
            raise DevicePending(approval_code="")
        taken: list[tuple[str, int, bytes]] = []
        size = 0
        for each in batches:
            self.events.append(f"bytes {each.number}")
            size += len(each.data)
            self.bytes_up += len(each.data)
            if fault == "cut up" and taken:
                raise Offline(fault)
            if size > self.request_bytes_max:
                raise TooLarge("413")
            chain = self.chain(each.incarnation)
            if each.number == len(chain) + 1:
                chain.append(each.digest)
            if chain[each.number - 1 :][:1] != [each.digest] and each not in self.forks:
                self.forks.append(each)
            taken.append((each.incarnation, each.number, each.digest))
        if fault == "lost reply":
            raise Timeout(fault)
        if fault == "silent":
            return
        yield from self._receipts(taken, nonce, fault)

    def feed(self, request: bytes, after: int) -> bytes:
        fault = self._begin("feed")
        asked = open_feed_request(request, DEVICE_KEY.public)
        if fault in {"lost reply", "cut down", "cut up"}:
            raise Offline(fault)
        page = FeedPage(
            device=asked.device,
            after=after,
            head=len(self.news),
            entries=tuple(self.news[after : after + self.page_entries]),
            nonce=asked.nonce,
        )
        return seal_feed_page(page, SERVER_KEY, OPENING_KEY.public)

    def chain(self, incarnation: str) -> list[bytes]:
        """Give the digests held of one life, in order."""
        if incarnation == INCARNATION:
            return self.held
        return self.held_of.setdefault(incarnation, [])

    def _feed_digest(self, cursor: int) -> bytes:
        if cursor > len(self.news):
            return NO_DIGEST
        digest = NO_DIGEST
        for entry in self.news[:cursor]:
            digest = next_feed_digest(digest, entry.id)
        return digest

    def restore(self, upto: int) -> None:
        """Forget everything after a batch, as a server restored from a backup does."""
        del self.held[upto:]

    def round_trip(self) -> float | None:
        return self.round_trip_seconds

    def server_time(self, nonce: bytes) -> bytes:
        self._begin("time")
        return sign_server_time(ServerTime(server_time=self.time, nonce=nonce), SERVER_KEY)

    def _begin(self, name: str) -> str:
        self.requests += 1
        self.events.append(name)
        fault = next(self.faults, "")
        unreachable: dict[str, SyncError] = {
            "offline": Offline(fault),
            "portal": Portal(fault),
            "busy": ServerUnavailable(fault, retry_after_seconds=7),
            "certificate": ClockSkew(fault),
        }
        if fault in unreachable:
            raise unreachable[fault]
        if fault == "rolled back":
            self.restore(len(self.held) // 2)
        return fault

    def _receipts(
        self, batches: Iterable[tuple[str, int, bytes]], nonce: bytes, fault: str
    ) -> Generator[bytes, None, None]:
        for place, (incarnation, number, digest) in enumerate(batches):
            if fault == "cut down" and place == 1:
                raise Offline(fault)
            receipt = replace(self._receipt(number, nonce, digest), incarnation=incarnation)
            changes: dict[str, object] = {
                "other device": {"device": "dd" * 8},
                "other batch": {"digest": bytes(32)},
                "stale": {"nonce": bytes(16)},
                "short": {"verdicts": receipt.verdicts[:1]},
            }.get(fault, {})
            key = FORGER_KEY if fault == "forged" else SERVER_KEY
            raw = sign_receipt(replace(receipt, **changes), key)
            yield raw
            if fault == "doubled":
                yield raw

    def _receipt(self, number: int, nonce: bytes, digest: bytes | None = None) -> Receipt:
        verdict = Verdict(outcome=self.outcome)
        if number in self.poisoned:
            verdict = Verdict(outcome=Outcome.REJECTED, code="required", pointer="/name")
        return Receipt(
            epoch="ee" * 8,
            device=DEVICE_KEY.public.id,
            incarnation=INCARNATION,
            batch=number,
            digest=digest or self.held[number - 1],
            verdicts=(verdict, Verdict(outcome=self.outcome)),
            durable_upto=0,
            server_time=1,
            nonce=nonce,
        )


def news(count: int) -> list[FeedEntry]:
    """Give so many entries."""
    return [
        FeedEntry(seq=seq, id=f"{seq:016x}", kind="correction", at=1, record=None, body={"n": seq})
        for seq in range(1, count + 1)
    ]
