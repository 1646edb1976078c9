from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from scripted_server import answer, serving
from sync.server.abdm.http import Line, NotSent, Reply, ReplyLost, checked_url
from sync.server.errors import SettingsInvalid


@contextmanager
def line(*, seconds: float = 5.0, bytes_max: int = 10_000) -> Iterator[Line]:
    found = Line(timeout_seconds=seconds, is_plain=True, answer_bytes_max=bytes_max)
    with closing(found):
        yield found


def get(found: Line, port: int) -> Reply:
    return found.send("GET", f"http://127.0.0.1:{port}/x", {"REQUEST-ID": "1"})


def test_a_redirect_is_given_as_it_is_and_not_followed() -> None:
    with (
        serving(answer(status="302 Found", Location="http://127.0.0.1:1/")) as server,
        line() as it,
    ):
        assert get(it, server.port).status == 302
    assert len(server.requests) == 1


def test_an_answer_larger_than_allowed_is_given_up() -> None:
    with serving(answer(b"x" * 10_001)) as server, line() as it, pytest.raises(ReplyLost):
        get(it, server.port)


def test_a_packed_answer_is_unpacked_within_the_same_bound() -> None:
    fine, bomb = gzip.compress(b'{"a": 1}'), gzip.compress(b"x" * 1_000_000)
    with (
        serving(
            answer(fine, Content_Encoding="gzip"), answer(bomb, Content_Encoding="gzip")
        ) as server,
        line() as it,
    ):
        assert get(it, server.port).body == b'{"a": 1}'
        with pytest.raises(ReplyLost):
            get(it, server.port)


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_what_cannot_be_unpacked_is_no_answer(coding: str) -> None:
    nonsense = answer(b"\x00\x01nonsense", Content_Encoding=coding)
    with serving(nonsense) as server, line() as it, pytest.raises(ReplyLost):
        get(it, server.port)


def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with line() as it, pytest.raises(NotSent):
        get(it, port)


def test_a_line_that_never_becomes_tls_sent_nothing() -> None:
    found = Line(timeout_seconds=0.5, is_plain=False)
    with serving(answer(b"{}")) as server, closing(found), pytest.raises(NotSent):
        found.send("POST", f"https://127.0.0.1:{server.port}/x", {}, b"{}")


def test_a_line_that_ends_without_a_word_may_have_carried_the_request() -> None:
    with serving(None) as server, line() as it, pytest.raises(ReplyLost):
        get(it, server.port)
    assert len(server.requests) == 1


def test_an_answer_cut_short_is_lost() -> None:
    with serving(answer(b"{", length=50)) as server, line() as it, pytest.raises(ReplyLost):
        get(it, server.port)


def test_a_header_with_a_line_break_is_not_sent() -> None:
    with serving(answer(b"{}")) as server, line() as it, pytest.raises(NotSent):
        it.send("GET", f"http://127.0.0.1:{server.port}/x", {"X-HIP-ID": "a\r\nb: c"})
    assert server.requests == []


def test_silence_ends_in_time() -> None:
    with serving(b"", is_held=True) as server, line(seconds=0.2) as it, pytest.raises(ReplyLost):
        get(it, server.port)


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
    ],
    ids=["head", "body"],
)
def test_what_trickles_for_ever_is_cut(begin: bytes, drop: bytes) -> None:
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def trickle() -> None:
            talk, _address = listener.accept()
            with talk:
                talk.recv(65536)
                talk.sendall(begin)
                try:
                    while not ended.wait(0.05):
                        talk.sendall(drop)
                except OSError:
                    return

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            with line(seconds=0.3) as it, pytest.raises(ReplyLost):
                get(it, listener.getsockname()[1])
        finally:
            ended.set()
            thread.join(10)


@pytest.mark.parametrize("url", ["http://dev.abdm.gov.in", "dev.abdm.gov.in", "", "https://a@b/"])
def test_only_https_and_this_machine_are_called(url: str) -> None:
    with pytest.raises(SettingsInvalid):
        checked_url(url, "abdm.gateway_url")
    assert checked_url("https://dev.abdm.gov.in/", "x") == "https://dev.abdm.gov.in"


def test_a_reply_prints_nothing_of_its_body() -> None:
    assert repr(Reply(status=200, headers={}, body=b"Asha")) == "Reply(200, <4 bytes>)"
