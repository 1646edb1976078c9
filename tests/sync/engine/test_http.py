"""The road by HTTP against a real socket that says everything a bad network says."""

from __future__ import annotations

import inspect
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpcore
import httpx
import pytest

from engine_server import batch
from scripted_server import ScriptedServer, answer, serving
from sync import wire
from sync.engine.foreign import FOREIGN_ERRORS
from sync.engine.http import HttpTransport
from sync.engine.pacing import Patience
from sync.errors import (
    AddressUnsafe,
    ChainForked,
    DevicePending,
    DeviceRevoked,
    DeviceUnknown,
    Offline,
    Portal,
    ProtocolMismatch,
    ReceiptInvalid,
    Refused,
    ServerUnavailable,
    SyncError,
    Timeout,
    TooLarge,
)
from sync.protocol import LIMITS, NO_DIGEST, SealedBatch

HTML = b"<html><body>Please log in</body></html>"
TWO = b"".join(wire.encode_sequence([b"first", b"second"]))
QUICK = Patience(connect_seconds=2, silence_seconds=0.3)
FIRST = batch(1, NO_DIGEST)
SECOND = batch(2, FIRST.digest)


@pytest.fixture
def roads() -> Iterator[list[HttpTransport]]:
    opened: list[HttpTransport] = []
    yield opened
    for road in opened:
        road.close()


def to(server: ScriptedServer, roads: list[HttpTransport], **options: object) -> HttpTransport:
    road = HttpTransport(f"http://127.0.0.1:{server.port}", **options)
    roads.append(road)
    return road


def cbor_error(code: str, status: str, **headers: str) -> bytes:
    body = wire.encode({"code": code, "text": "words"})
    return answer(body, status=status, kind="application/cbor", **headers)


def test_a_hello_gives_the_items_of_the_answer(roads: list[HttpTransport]) -> None:
    with serving(answer(TWO)) as server:
        assert list(to(server, roads).hello(b"signed")) == [b"first", b"second"]
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/hello HTTP/1.1\r\n")
    assert body == b"signed"


def test_a_push_streams_the_nonce_and_the_batches_as_a_sequence(
    roads: list[HttpTransport],
) -> None:
    with serving(answer(TWO)) as server:
        list(to(server, roads).push(b"n" * 16, iter([FIRST, SECOND])))
        body = server.requests[0].partition(b"\r\n\r\n")[2]
    reader = wire.SequenceReader(item_bytes_max=LIMITS.blob_batch_bytes_max)
    assert list(reader.feed(_dechunked(body))) == [b"n" * 16, FIRST.data, SECOND.data]


def test_a_batch_is_drawn_only_when_the_one_before_is_on_the_wire(
    roads: list[HttpTransport],
) -> None:
    drawn: list[int] = []

    def draw() -> Iterator[SealedBatch]:
        for each in (FIRST, SECOND):
            drawn.append(each.number)
            yield each

    road = HttpTransport(f"http://127.0.0.1:{_free_port()}")
    roads.append(road)
    with pytest.raises(Offline):
        list(road.push(b"n" * 16, draw()))
    assert drawn == []
    assert road.traffic() == (0, 0, 0)


def test_a_feed_request_carries_cursor_and_signature(roads: list[HttpTransport]) -> None:
    with serving(answer(b"\x42ab", kind="application/cbor")) as server:
        assert to(server, roads).feed(b"\xff\xfe\xfd", 7) == b"\x42ab"
        head = server.requests[0]
    assert head.startswith(b"GET /v1/feed?after=7 HTTP/1.1\r\n")
    assert b"Authorization: Enrollkit __79\r\n" in head


def test_an_address_with_a_path_keeps_it(roads: list[HttpTransport]) -> None:
    with serving(answer(TWO)) as server:
        road = HttpTransport(f"http://localhost:{server.port}/camp/")
        roads.append(road)
        list(road.hello(b"x"))
        assert server.requests[0].startswith(b"POST /camp/v1/hello ")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (answer(HTML, kind="text/html"), Portal),
        (answer(HTML, kind="text/html; charset=utf-8", status="404 Not Found"), Portal),
        (answer(b"", status="302 Found", kind="text/html", Location="http://login/"), Portal),
        (answer(TWO, status="301 Moved", Location="http://login/"), Portal),
        (answer(HTML, status="511 Network Authentication Required", kind="text/html"), Portal),
        (answer(HTML, status="407 Proxy", kind="text/html"), Portal),
        (answer(TWO, kind="application/octet-stream"), Portal),
        (answer(TWO, Content_Encoding="gzip"), Portal),
        (answer(b"", status="204 No Content"), Portal),
        (answer(HTML, status="502 Bad Gateway", kind="text/html"), ServerUnavailable),
        (answer(HTML, status="500 Oops", kind="text/html"), ServerUnavailable),
        (answer(b"", status="429 Too Many", kind="text/plain"), ServerUnavailable),
        (answer(HTML, status="413 Too Large", kind="text/html"), TooLarge),
        (answer(HTML, status="408 Slow", kind="text/html"), Timeout),
        (answer(HTML, status="504 Slow", kind="text/html"), Timeout),
        (cbor_error("device-unknown", "401 Unauthorized"), DeviceUnknown),
        (cbor_error("device-pending", "403 Forbidden"), DevicePending),
        (cbor_error("device-revoked", "403 Forbidden"), DeviceRevoked),
        (cbor_error("chain-forked", "409 Conflict"), ChainForked),
        (cbor_error("too-large", "413 Too Large"), TooLarge),
        (cbor_error("protocol-mismatch", "426 Upgrade"), ProtocolMismatch),
        (cbor_error("bad-request", "400 Bad"), Refused),
        (cbor_error("too-slow", "408 Slow"), Timeout),
        (cbor_error("server-error", "500 Oops"), ServerUnavailable),
        (cbor_error("a-code-of-tomorrow", "400 Bad"), Refused),
        (cbor_error("busy", "503 Busy", Retry_After="30"), ServerUnavailable),
        (cbor_error("device-revoked", "200 OK"), Portal),
        (answer(b"\xff", status="503 Busy", kind="application/cbor"), ServerUnavailable),
        (answer(TWO[:-2]), Offline),
        (answer(TWO, length=100), Offline),
        (answer(b"\xa1\x01\x02"), ReceiptInvalid),
        (answer(b"\x5a\xff\xff\xff\xff"), TooLarge),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Offline),
        (b"HTTP/1.1 200 OK\r\nContent-Le", Offline),
        (None, Offline),
    ],
)
def test_every_bad_answer_becomes_one_of_our_errors(
    given: bytes | None, error: type[SyncError], roads: list[HttpTransport]
) -> None:
    with serving(given) as server, pytest.raises(SyncError) as caught:
        list(to(server, roads).hello(b"x"))
    assert type(caught.value) is error


def test_what_came_before_a_cut_is_handed_on(roads: list[HttpTransport]) -> None:
    got: list[bytes] = []
    with serving(answer(TWO[:-2], length=100)) as server, pytest.raises(Offline):
        _collect(to(server, roads).hello(b"x"), got)
    assert got == [b"first"]


@pytest.mark.parametrize(
    ("header", "date", "seconds"),
    [
        ("120", "", 120),
        ("soon", "", None),
        ("-5", "", None),
        ("99999999999999999999", "", 999_999_999),
        ("Sun, 22 Nov 2026 10:01:00 GMT", "Sun, 22 Nov 2026 10:00:00 GMT", 60),
        ("Sun, 22 Nov 2026 10:00:00 GMT", "Sun, 22 Nov 2026 10:01:00 GMT", 0),
        ("Sun, 22 Nov 2026 10:01:00 GMT", "", None),
    ],
)
def test_retry_after_is_read_without_the_laptops_clock(
    header: str, date: str, seconds: int | None, roads: list[HttpTransport]
) -> None:
    given = answer(status="503 Busy", kind="text/plain", Retry_After=header, Date=date)
    with serving(given) as server, pytest.raises(ServerUnavailable) as caught:
        list(to(server, roads).hello(b"x"))
    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize("start", [b"", answer(TWO[:-2], length=len(TWO))])
def test_silence_is_a_timeout(start: bytes, roads: list[HttpTransport]) -> None:
    with serving(start, is_held=True) as server, pytest.raises(Timeout):
        list(to(server, roads, patience=QUICK).hello(b"x"))


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX-Drip: "])
def test_a_head_that_drips_for_ever_is_a_timeout(head: bytes, roads: list[HttpTransport]) -> None:
    patience = Patience(silence_seconds=5, head_seconds_max=0.3)
    with dripping(head) as port:
        road = HttpTransport(f"http://127.0.0.1:{port}", patience=patience)
        roads.append(road)
        with pytest.raises(Timeout):
            list(road.hello(b"x"))


def test_a_push_is_written_in_pieces_that_a_kilobyte_a_second_takes_in_time(
    roads: list[HttpTransport],
) -> None:
    large = SealedBatch(
        number=1,
        incarnation=FIRST.incarnation,
        first_seq=1,
        count=1,
        digest=FIRST.digest,
        data=bytes(60_000),
    )
    with serving(answer(TWO)) as server:
        list(to(server, roads).push(b"n" * 16, [large]))
        body = server.requests[0].partition(b"\r\n\r\n")[2]
    assert max(_chunk_sizes(body)) <= 4096


def test_a_road_knows_the_round_trip_of_its_newest_question(roads: list[HttpTransport]) -> None:
    with serving(answer(TWO)) as server:
        road = to(server, roads)
        assert road.round_trip() is None
        list(road.hello(b"x"))
        known = road.round_trip()
    assert known is not None
    assert 0 <= known < 5


def test_a_byte_now_and_then_is_no_answer(roads: list[HttpTransport]) -> None:
    ticks = iter(range(0, 10_000, 400))
    patience = Patience(answer_seconds_max=300)
    with serving(answer(TWO)) as server:
        slow = to(server, roads, patience=patience, monotonic=ticks.__next__).hello(b"x")
        with pytest.raises(Timeout):
            list(slow)


def test_an_answer_without_end_is_cut_off(roads: list[HttpTransport]) -> None:
    with serving(answer(TWO * 1000)) as server, pytest.raises(TooLarge):
        list(to(server, roads, patience=Patience(answer_bytes_max=1000)).hello(b"x"))


def test_a_page_that_is_too_large_is_not_held_in_memory(roads: list[HttpTransport]) -> None:
    body = bytes(LIMITS.feed_page_bytes_max + 1)
    with serving(answer(body, kind="application/cbor")) as server, pytest.raises(TooLarge):
        to(server, roads).feed(b"x", 0)


def test_heads_and_bodies_are_counted_as_they_were_on_the_wire(
    roads: list[HttpTransport],
) -> None:
    given = answer(TWO)
    with serving(given, given, given) as server:
        road = to(server, roads)
        list(road.hello(b"signed"))
        list(road.push(b"n" * 16, [FIRST, SECOND]))
        up, down, requests = road.traffic()
        assert up == sum(len(request) for request in server.requests)
        assert (down, requests) == (2 * len(given), 2)


def test_an_error_of_the_store_passes_through_the_road_unchanged(
    roads: list[HttpTransport],
) -> None:
    def draw() -> Iterator[SealedBatch]:
        yield FIRST
        raise OSError(28, "No space left on device")

    with serving(answer(TWO)) as server, pytest.raises(OSError, match="No space"):
        list(to(server, roads).push(b"n" * 16, draw()))


@pytest.mark.parametrize(
    "url",
    [
        "http://server.example",
        "http://10.0.0.1/",
        "http://127.0.0.1.example/",
        "ftp://127.0.0.1/",
        "https://",
        "https://user:word@server.example/",
        "https://server.example/?a=b",
        "https://server.example/#a",
        "https://server.example:99999/",
        "https://server.example/\r\nX: y",
        "https://[::1",
        "",
    ],
)
def test_an_address_that_is_not_safe_is_refused_before_any_byte(url: str) -> None:
    with pytest.raises(AddressUnsafe):
        HttpTransport(url)


@pytest.mark.parametrize(
    "url", ["https://server.example", "http://127.0.0.2:8", "http://[::1]:8/", "http://localhost"]
)
def test_https_and_this_machine_are_safe(url: str, roads: list[HttpTransport]) -> None:
    roads.append(HttpTransport(url))


def test_a_proxy_of_the_environment_never_sees_what_goes_to_this_machine(
    monkeypatch: pytest.MonkeyPatch, roads: list[HttpTransport]
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with serving(answer(TWO)) as server:
        assert list(to(server, roads).hello(b"x")) == [b"first", b"second"]


def test_a_road_prints_its_host_only() -> None:
    road = HttpTransport("https://server.example/secret-path")
    assert repr(road) == "HttpTransport(server.example)"
    road.close()


PROGRAMMER_ERRORS = {
    httpx.StreamError, httpx.StreamConsumed, httpx.StreamClosed, httpx.ResponseNotRead,
    httpx.RequestNotRead,
}  # fmt: skip


def test_every_exception_of_httpx_is_mapped() -> None:
    exported = {
        value
        for _name, value in inspect.getmembers(httpx, inspect.isclass)
        if issubclass(value, Exception)
    }
    assert exported - PROGRAMMER_ERRORS == set(FOREIGN_ERRORS)
    assert all(issubclass(ours, SyncError) for ours in FOREIGN_ERRORS.values())


@pytest.mark.parametrize(
    "error",
    [
        value
        for _name, value in inspect.getmembers(httpcore, inspect.isclass)
        if issubclass(value, Exception)
        # The pool's own signal to itself; it never leaves the pool.
        and value is not httpcore.ConnectionNotAvailable
    ],
)
def test_every_exception_of_httpcore_ends_as_one_of_ours(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch, roads: list[HttpTransport]
) -> None:
    def fail(*_arguments: object) -> None:
        raise error("x")

    monkeypatch.setattr(httpcore.ConnectionPool, "handle_request", fail)
    road = HttpTransport("http://127.0.0.1:9")
    roads.append(road)
    with pytest.raises(SyncError):
        list(road.hello(b"x"))


def _collect(items: Iterator[bytes], got: list[bytes]) -> None:
    for item in items:
        got.append(item)  # noqa: PERF402 - what came before an error must stay


@contextmanager
def dripping(head: bytes) -> Iterator[int]:
    """Serve one client a byte of a head now and then, without an end; give the port."""
    ending = threading.Event()

    def drip(listener: socket.socket) -> None:
        line, _address = listener.accept()
        with line, suppress(OSError):
            line.sendall(head)
            while not ending.wait(0.02):
                line.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        ending.set()
        thread.join(timeout=10)


def _chunk_sizes(body: bytes) -> list[int]:
    sizes = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        sizes.append(int(size, 16))
        body = rest[sizes[-1] + 2 :]
    return sizes


def _dechunked(body: bytes) -> bytes:
    plain = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        plain += rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]
    return plain


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
