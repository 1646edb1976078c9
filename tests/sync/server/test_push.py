from __future__ import annotations

import asyncio
import base64
import dataclasses
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from server_laptops import Office, sequence_items
from sync import wire
from sync.protocol import Limits
from sync.server.app import create_app


def push(office: Office, content: bytes | Iterator[bytes]) -> httpx.Response:
    async def call() -> httpx.Response:
        async with office.client() as client:
            return await client.post("/v1/batches", content=_stream(content))

    return asyncio.run(call())


async def _stream(content: bytes | Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in [content] if isinstance(content, bytes) else content:
        yield piece


def get(office: Office, path: str, **headers: str) -> httpx.Response:
    async def call() -> httpx.Response:
        async with office.client() as client:
            return await client.get(path, headers=headers)

    return asyncio.run(call())


def fault(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/cbor"
    said = wire.decode(response.content)
    assert said["text"]
    return response.status_code, said["code"]


def test_every_batch_of_a_push_gets_its_receipt_in_order(office: Office) -> None:
    laptop = office.laptop()
    batches = [laptop.batch([laptop.person()]) for _ in range(5)]
    response = push(office, laptop.push_body(batches, b"n" * 16))
    assert response.headers["content-type"] == "application/cbor-seq"
    receipts = [laptop.open_receipt(item) for item in sequence_items(response.content)]
    assert [receipt.digest for receipt in receipts] == [batch.digest for batch in batches]
    assert {receipt.nonce for receipt in receipts} == {b"n" * 16}


def test_bytes_that_come_one_by_one_make_the_same_receipts(office: Office) -> None:
    laptop = office.laptop()
    body = laptop.push_body([laptop.batch([laptop.person()])])
    response = push(office, (body[place : place + 1] for place in range(len(body))))
    assert len(sequence_items(response.content)) == 1


def test_a_push_cut_at_every_hundredth_byte_keeps_what_was_whole(office: Office) -> None:
    laptop = office.laptop()
    batches = [laptop.batch([laptop.person()]) for _ in range(3)]
    body = laptop.push_body(batches)
    ends = [len(laptop.push_body(batches[:count])) for count in range(1, 4)]
    for cut in [*range(0, len(body), 100), len(body)]:
        response = push(office, body[:cut])
        whole = sum(end <= cut for end in ends)
        if response.status_code == 200:
            assert len(sequence_items(response.content)) == whole
        else:
            assert fault(response) == (400, "bad-request")
            assert cut < 17
    assert office.count("SELECT count(*) FROM enrollments") == 3


def test_a_receipt_leaves_before_the_request_has_ended(office: Office) -> None:
    laptop = office.laptop()
    batch = laptop.batch([laptop.person()])
    assert asyncio.run(_first_answer_of_a_half_sent_push(office, laptop.push_body([batch])))


async def _first_answer_of_a_half_sent_push(office: Office, body: bytes) -> bool:
    """Send a whole batch and then nothing until its receipt is there."""
    answered = asyncio.Event()
    sent: list[MutableMapping[str, Any]] = []
    pieces = iter([body])

    async def receive() -> MutableMapping[str, Any]:
        for piece in pieces:
            return {"type": "http.request", "body": piece, "more_body": True}
        await answered.wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)
        if message.get("body"):
            answered.set()

    await asyncio.wait_for(_call(office, receive, send), timeout=30)
    return [message["type"] for message in sent][:2] == [
        "http.response.start",
        "http.response.body",
    ]


async def _call(
    office: Office,
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/batches",
        "raw_path": b"/v1/batches",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    await create_app(office.services)(scope, receive, send)


def test_a_fault_after_the_first_receipt_ends_the_answer_and_keeps_the_receipt(
    office: Office,
) -> None:
    laptop, stranger = office.laptop(), office.laptop(approved=False)
    good, bad = laptop.batch([laptop.person()]), stranger.batch([stranger.person()])
    response = push(office, laptop.push_body([good, bad]))
    assert response.status_code == 200
    assert len(sequence_items(response.content)) == 1
    assert fault(push(office, laptop.push_body([bad]))) == (403, "device-pending")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "bad-request")),
        (b"<html>", (400, "bad-request")),
        (wire.encode(b"short"), (400, "bad-request")),
        (wire.encode(bytes(16)) + wire.encode(b"no batch"), (400, "bad-request")),
        (wire.encode(bytes(16)) + b"\x5b" + b"\xff" * 8, (413, "too-large")),
        (wire.encode(bytes(16)) + b"\x5f\x41a\xff", (400, "bad-request")),
    ],
)
def test_a_push_that_makes_no_sense_is_refused_with_a_code(
    office: Office, body: bytes, expected: tuple[int, str]
) -> None:
    assert fault(push(office, body)) == expected


def test_a_push_has_a_largest_size(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop = office.laptop()
    batches = [laptop.batch([laptop.person()]) for _ in range(3)]
    pieces = [laptop.push_body(batches[:1]), *wire.encode_sequence(b.data for b in batches[1:])]
    most = len(pieces[0]) + len(pieces[1])
    monkeypatch.setattr("sync.server.push.LIMITS", Limits(push_bytes_max=most))
    response = push(office, iter(pieces))
    assert len(sequence_items(response.content)) == 2
    assert fault(push(office, b"".join(pieces))) == (413, "too-large")


def test_a_push_that_stops_sending_is_given_up(office: Office) -> None:
    hasty = dataclasses.replace(office.services.tempo, idle_seconds_max=0.05)
    object.__setattr__(office.services, "tempo", hasty)

    async def receive() -> MutableMapping[str, Any]:
        return (await asyncio.Event().wait() and {}) or {}

    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(_call(office, receive, send))
    assert sent[0]["status"] == 408


def test_a_server_that_must_end_asks_to_come_again(office: Office) -> None:
    office.is_draining = True
    response = get(office, "/v1/health")
    assert fault(response) == (503, "busy")
    assert int(response.headers["retry-after"]) > 0


def test_a_fork_gets_its_receipt_like_any_other(office: Office) -> None:
    laptop = office.laptop()
    office.take(laptop, laptop.batch([laptop.person()]))
    laptop.number, laptop.previous = 0, bytes(32)
    batch = laptop.batch([laptop.person()], first_seq=1)
    (raw,) = sequence_items(push(office, laptop.push_body([batch])).content)
    assert laptop.open_receipt(raw).digest == batch.digest


def test_health_names_the_programme(office: Office) -> None:
    assert get(office, "/v1/health").json() == {"status": "ok", "name": "Practice"}


@pytest.mark.parametrize("path", ["/v1/feed", "/v1/feed?after=-1", "/v1/feed?after=x"])
def test_a_feed_request_without_cursor_or_signature_is_refused(office: Office, path: str) -> None:
    assert fault(get(office, path, authorization="Enrollkit AAAA")) == (400, "bad-request")
    assert fault(get(office, "/v1/feed?after=0")) == (400, "bad-request")


def test_the_feed_is_sealed_to_the_laptop_that_asked(office: Office) -> None:
    laptop = office.laptop()
    token = base64.urlsafe_b64encode(laptop.feed_request(0)).decode().rstrip("=")
    response = get(office, "/v1/feed?after=0", authorization=f"Enrollkit {token}")
    page = laptop.open_page(response.content)
    assert [entry.kind for entry in page.entries] == ["programme.updated"]
    refused = get(office, "/v1/feed?after=1", authorization=f"Enrollkit {token}")
    assert fault(refused) == (400, "bad-request")


def test_a_crash_is_answered_and_logged_without_its_message(
    office: Office, office_log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> bytes:
        raise RuntimeError("Marked Zebra Quokka")

    monkeypatch.setattr(office.contact.__class__, "page", crash)
    response = get(office, "/v1/feed?after=0", authorization="Enrollkit AAAA")
    assert fault(response) == (500, "server-error")
    assert "Zebra" not in office_log.getvalue()
    assert json.loads(office_log.getvalue().splitlines()[-1])["error"] == "RuntimeError"


def test_the_log_holds_ids_and_codes_and_no_person(
    office: Office, office_log: io.StringIO, tmp_path: Path
) -> None:
    laptop = office.laptop()
    run = [laptop.person(), laptop.person(name="Zebra " * 40), laptop.person(mobile="91234")]
    push(office, laptop.push_body([laptop.batch(run)]))
    logged = office_log.getvalue()
    assert laptop.id in logged
    for marked in ("Zebra", "Quokka", "91234", "Pangolin", "Okapipur", "4321"):
        assert marked not in logged
