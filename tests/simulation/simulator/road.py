"""The road between a laptop and the office: a transport that carries, and does what faults say.

It stands where ``sync.engine.http`` stands. Bytes are those of the real messages; statuses are
judged by the real table (``sync.engine.answers``), so a road can say nothing that HTTP could not.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from typing import Any

from simulator.faults import Fault
from simulator.fuses import Fuse
from simulator.office import Office, ServerDied
from simulator.replies import Records, Reply, flipped
from sync import wire
from sync.engine.answers import AnswerHead, refusal
from sync.errors import (
    CertificateUntrusted,
    ClockSkew,
    Offline,
    SyncError,
    Timeout,
)
from sync.protocol import SealedBatch
from sync.server.refusals import fault_of, fault_response

__all__ = ["Road", "replay"]

_STATUSES: dict[str, AnswerHead] = {
    "portal": AnswerHead(status=200, content_type="text/html"),
    "redirect": AnswerHead(status=302, content_type="text/html"),
    "not-found": AnswerHead(status=404, content_type="text/html"),
    "too-large": AnswerHead(status=413, content_type="text/html"),
    "too-many": AnswerHead(status=429, retry_after="7"),
    "unavailable": AnswerHead(status=503, retry_after="30"),
    "bad-gateway": AnswerHead(status=502, content_type="text/html"),
    "server-error": AnswerHead(status=500),
}
_HEAD_BYTES = 200
"""About what a request's or an answer's head weighs."""

Answer = Callable[[bytes], Sequence[bytes]]
"""Gives the signed messages that answer one message; raises what the server raises."""


class Road:
    """One session's road."""

    def __init__(
        self,
        office: Office,
        records: Records,
        *,
        device: str,
        faults: Sequence[Fault],
        fuse: Fuse,
        meanwhile: Callable[[str], None],
    ) -> None:
        self._office = office
        self._records = records
        self._device = device
        self._faults = {fault.at: fault for fault in faults}
        self._fuse = fuse
        self._meanwhile = meanwhile
        self._later: list[tuple[str, list[bytes], Any]] = []
        self._number = 0
        self.brought: set[tuple[bytes, bytes]] = set()
        """What came to the laptop, each with the nonce of a request that it came to: an answer
        that is played again comes to a later one too."""
        self.up = 0
        self.down = 0
        self.requests = 0
        self.page_bytes = 0
        """Of all that came down: what was news."""

    def traffic(self) -> tuple[int, int, int]:
        """Give bytes up, bytes down, requests."""
        return self.up, self.down, self.requests

    def hello(self, message: bytes) -> Generator[bytes, None, None]:
        """Carry a hello there and the reply and receipts back."""
        nonce = wire.decode_hello(wire.decode_sign1(message)[2]).nonce
        yield from self._exchange("hello", [message], self._office.greet, nonce)

    def push(self, nonce: bytes, batches: Iterable[SealedBatch]) -> Generator[bytes, None, None]:
        """Carry batches there and receipts back."""
        data = (batch.data for batch in batches)
        yield from self._exchange("push", data, lambda one: [self._office.take(one, nonce)], nonce)

    def carry(self, hello: bytes, batches: Iterable[bytes]) -> Generator[bytes, None, None]:
        """Carry another laptop's hello and batches there, and all that answers them back."""
        messages = [hello, *batches]
        take = self._office.reception()
        left = len(messages)

        def answer(message: bytes) -> Sequence[bytes]:
            nonlocal left
            left -= 1
            return take(message, left == 0)

        yield from self._exchange("carry", messages, answer, messages)

    def feed(self, request: bytes, after: int) -> bytes:
        """Carry a feed request there and a page back."""
        pages = list(
            self._exchange("feed", [request], lambda one: [self._office.page(one, after)], after)
        )
        if not pages:
            raise Offline("no page")
        return pages[0]

    def round_trip(self) -> float | None:
        """Give nothing: no time passes on this road."""
        return None

    def server_time(self, nonce: bytes) -> bytes:
        """There is no way to the server at all where this is asked."""
        raise Offline(f"simulated, nonce of {len(nonce)} bytes")

    def end(self) -> None:
        """Let the proxy send again what it kept for later."""
        for kind, messages, context in self._later:
            replay(self._office, kind, messages, context)

    def _exchange(
        self, kind: str, messages: Iterable[bytes], answer: Answer, context: Any
    ) -> Generator[bytes, None, None]:
        fault = self._faults.get(self._number)
        self._number += 1
        self.requests += 1
        self.up += _HEAD_BYTES
        rule = fault.rule if fault else ""
        share = fault.share if fault else 0.0
        self._meanwhile(rule)
        _refuse_before(rule)
        sent = self._send(kind, messages, rule, share)
        self._records.requests.append((kind, sent, context))
        del self._records.requests[:-12]
        try:
            items = self._serve(sent, answer, rule, share)
        finally:
            if rule == "request-replayed-later":
                self._later.append((kind, sent, context))
        if rule == "request-replayed":
            replay(self._office, kind, sent, context)
        if rule == "takes-interleaved":
            self._office.store.interlude = None
        self._records.note(self._device, kind, items)
        for item in self._reply(kind, items).altered(rule, share):
            self.down += len(item) + 3
            self.page_bytes += len(item) if kind == "feed" else 0
            self._fuse.pass_point()
            self.brought.add((item, context if isinstance(context, bytes) else b""))
            yield item
        if rule in {"reply-cut", "reply-lost"}:
            raise Offline(rule)
        if rule in {"reply-silent", "gateway-timeout"}:
            raise Timeout(rule)

    def _send(self, kind: str, messages: Iterable[bytes], rule: str, share: float) -> list[bytes]:
        """Take the messages from the laptop, as far as the line holds; the rest never arrives."""
        sent: list[bytes] = []
        for message in messages:
            self._fuse.pass_point()
            self.up += len(message) + 3
            self._records.packets.append(message)
            sent.append(message)
        if rule == "request-flipped" and sent:
            place = min(len(sent) - 1, int(share * len(sent)))
            sent[place] = flipped(sent[place], share)
        if rule == "request-cut":
            whole = int(share * len(sent))
            for message in sent[:whole] if kind == "push" else ():
                self._try(partial(self._take, message))
            raise Offline(rule)
        return sent

    def _reply(self, kind: str, items: list[bytes]) -> Reply:
        return Reply(
            kind=kind,
            items=items,
            device=self._device,
            records=self._records,
            server=self._office.keys.signing.public,
        )

    def _take(self, batch: bytes) -> None:
        self._office.take(batch, bytes(16))

    def _serve(self, sent: Sequence[bytes], answer: Answer, rule: str, share: float) -> list[bytes]:
        """Let the server answer; an error after the first receipt ends the answer early."""
        store = self._office.store
        if rule.startswith("server-dies"):
            store.dies_at = 1 + int(share * 2.5)
            store.dies_after = rule.endswith("after-commit")
        items: list[bytes] = []
        try:
            for number, message in enumerate(sent):
                if rule == "takes-interleaved" and number == int(share * len(sent)):
                    store.interlude = lambda one=message: self._try(lambda: answer(one))
                items += answer(message)
        except ServerDied:
            self._office.restart()
            raise Offline(rule) from None
        except Exception as error:  # noqa: BLE001 - as_told raises what is no refusal
            told = as_told(error)
            if not items:
                raise told from None
        finally:
            store.dies_at = 0
        return items

    def _try(self, work: Callable[[], Any]) -> None:
        """Do what nobody waits for an answer to."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - as_told raises what is no refusal
            as_told(error)


def replay(office: Office, kind: str, messages: Sequence[bytes], context: Any) -> None:
    """Serve a request once more; nobody hears the answer."""
    for message in messages:
        try:
            match kind:
                case "hello":
                    office.greet(message)
                case "push":
                    office.take(message, context)
                case "carry":
                    take = office.reception()
                    for item in context:
                        take(item, item is context[-1])
                    return
                case _:
                    office.page(message, context)
        except Exception as error:  # noqa: BLE001 - as_told raises what is no refusal
            as_told(error)


def as_told(error: Exception) -> SyncError:
    """Give what the laptop makes of an error of the server; raise what is a fault in the code."""
    fault = fault_of(error)
    if fault is None:
        raise error
    response = fault_response(fault)
    head = AnswerHead(
        status=response.status_code,
        content_type="application/cbor",
        retry_after=response.headers.get("retry-after", ""),
    )
    return refusal(head, bytes(response.body))


def _refuse_before(rule: str) -> None:
    if rule == "no-network":
        raise Offline(rule)
    if rule == "tls-clock":
        raise ClockSkew(rule)
    if rule == "tls-foreign":
        raise CertificateUntrusted(rule)
    if rule in _STATUSES:
        raise refusal(_STATUSES[rule], b"<html>log in</html>")
