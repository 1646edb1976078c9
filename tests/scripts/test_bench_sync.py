"""What the bench counts: batches that came twice, TLS bytes, and budgets that were missed."""

from __future__ import annotations

import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from sync import wire
from tiny_project import SCRIPTS

Script = Callable[[str], ModuleType]
NONCE = b"n" * 16
FIRST, SECOND = b"1" * 300, b"2" * 70_000


@pytest.fixture
def counting(script: Script) -> ModuleType:
    return script("bench.recount")


def push(*batches: bytes, piece: int = 4096) -> bytes:
    """Give a push as it travels: a head, and a chunked body."""
    body = b"".join(wire.encode(item) for item in (NONCE, *batches))
    pieces = [body[start : start + piece] for start in range(0, len(body), piece)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in pieces)
    head = b"POST /v1/batches HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + chunks + b"0\r\n\r\n"


HELLO = b"POST /v1/hello HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
FEED = b"GET /v1/feed?after=0 HTTP/1.1\r\n\r\n"


def test_what_came_once_is_counted_once(counting: ModuleType) -> None:
    seen = counting.recount([HELLO + push(FIRST) + push(SECOND) + FEED])
    assert (seen.batches, seen.bytes) == (2, len(FIRST) + len(SECOND))
    assert (seen.again_bytes, seen.again_whole, seen.partial) == (0, 0, 0)


def test_a_batch_that_broke_off_costs_what_had_come_of_it(counting: ModuleType) -> None:
    whole = push(FIRST, SECOND)
    cut = whole[: len(push(FIRST)) + 9_000]
    seen = counting.recount([HELLO + cut, HELLO + push(SECOND)])
    assert (seen.batches, seen.again_whole, seen.partial) == (2, 0, 1)
    assert seen.again_bytes == seen.partial_bytes_max
    assert 8_000 < seen.again_bytes < 9_500


def test_a_whole_batch_that_came_twice_is_told(counting: ModuleType) -> None:
    seen = counting.recount([push(FIRST), push(FIRST)])
    assert (seen.batches, seen.again_whole, seen.again_bytes) == (1, 1, len(FIRST))


@pytest.mark.parametrize("cut", range(0, 700, 7))
def test_a_stream_that_ends_anywhere_is_read_as_far_as_it_came(
    counting: ModuleType, cut: int
) -> None:
    stream = HELLO + push(FIRST, SECOND[:100], piece=50)
    seen = counting.recount([stream[:cut]])
    assert seen.bytes <= len(FIRST) + 100
    assert seen.again_bytes == 0


def test_the_table_names_the_budget_that_was_missed(script: Script) -> None:
    bench = script("bench.sync")
    figures = {"seconds": 41.0, "wall_seconds": 43.0, "signed": 1000, "wire_up": 1, "wire_down": 1}
    more = {"program_up": 1, "after_handshake": 1, "requests": 3, "lines": 1}
    late = bench.Result(case="slow", faults=("more than 40 s",), **figures, **more)
    text = bench.table([late])
    assert "more than 40 s" in text
    assert len({line.count("|") for line in text.splitlines()}) == 1


@pytest.mark.slow
def test_the_proxy_counts_tls_and_keeps_what_came_up(tmp_path: Path, script: Script) -> None:
    root, chain = script("bench.authority").make_chain(tmp_path, ("127.0.0.1",))
    with socket.create_server(("127.0.0.1", 0)) as behind:
        echo = threading.Thread(target=_echo_once, args=(behind,), daemon=True)
        echo.start()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        target = str(behind.getsockname()[1])
        command = [sys.executable, str(SCRIPTS / "bench" / "terminator.py"), "127.0.0.1"]
        command += [str(port), target, str(chain), str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
            assert proxy.stdout is not None
            assert proxy.stdout.readline() == "ready\n"
            context = ssl.create_default_context(cafile=str(root))
            with (
                socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
            ):
                line.sendall(b"q" * 1000)
                assert line.recv(1000)
            echo.join(timeout=10)
            proxy.send_signal(signal.SIGTERM)
    (seen,) = json.loads((tmp_path / "lines.json").read_text(encoding="utf-8"))
    assert (tmp_path / "0.up").read_bytes() == b"q" * 1000
    assert seen["is_greeted"]
    assert seen["handshake_down"] > 1000
    assert 1000 < seen["up"] < 1200


@pytest.mark.parametrize("name", ["save.py", "sync.py", "link.py"])
def test_no_bench_takes_the_script_sync_for_the_package_sync(name: str) -> None:
    text = (SCRIPTS / "bench" / name).read_text(encoding="utf-8")
    uses = re.search(r"^from (sync|enrollkit|bench)[. ]", text, re.MULTILINE)
    mends = text.find("sys.path[0] = ")
    assert uses is None or 0 < mends < uses.start()


def _echo_once(behind: socket.socket) -> None:
    line, _address = behind.accept()
    with line:
        line.sendall(line.recv(65536))
