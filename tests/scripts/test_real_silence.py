"""A bearer that falls silent for real: what the line's own TCP then tells the program, and when."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO

import pytest

ROOT = Path(__file__).resolve().parents[2]
SINK = textwrap.dedent("""
    import socket, sys
    with socket.create_server((sys.argv[1], 7071)) as listener:
        print("ready", flush=True)
        line, _address = listener.accept()
        while line.recv(65536):
            pass
""")
LAPTOP = textwrap.dedent("""
    import socket, sys, time
    from sync.engine.line import Line
    from sync.engine.pacing import Patience

    class Stream:
        def __init__(self, line):
            self.line = line
        def get_extra_info(self, name):
            return self.line

    followed = Line(Patience(deaf_seconds=1.0), time.monotonic)
    followed.on_event("connection.connect_tcp.started", {})
    line = socket.create_connection((sys.argv[1], 7071))
    followed.on_event("connection.connect_tcp.complete", {"return_value": Stream(line)})
    line.settimeout(30)
    print("connected", flush=True)
    began = time.monotonic()
    try:
        while sys.argv[2] == "sending":
            line.sendall(bytes(4096))
        line.recv(1)
    except TimeoutError as error:
        print(time.monotonic() - began, error.errno)
    finally:
        line.close()
""")


@pytest.mark.parametrize("doing", ["sending", "waiting"])
def test_a_silence_is_noticed_by_tcp_itself(
    doing: str, script: Callable[[str], ModuleType]
) -> None:
    link, shapes = script("bench.link"), script("bench.shape")
    if why := link.reason_against():
        pytest.skip(why)
    steady = shapes.Shape(rate=50_000, delay=0.01, loss=0.0)
    silent = shapes.Shape(rate=50_000, delay=0.01, loss=0.0, up=1.0, silent=1e9, start=1.0)
    with link.open_link(steady) as line, _started(line.far, SINK, line.far_host) as server:
        assert server.readline() == "ready\n"
        host, _port = line.reach(7071)
        with _started(line.near, LAPTOP, host, doing) as laptop:
            assert laptop.readline() == "connected\n"
            for channel in line.channels.values():
                channel.shape = silent
            seconds, number = laptop.readline().split()
    # Left alone, Linux would go on for a quarter of an hour.
    assert float(seconds) < 6
    assert number != "None", "the program's own clock ended it, not TCP"


@contextmanager
def _started(where: Sequence[str], program: str, *arguments: str) -> Iterator[IO[str]]:
    """Run a program on one side of the link; give what it prints, and end it afterwards."""
    command = [*where, sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout
        process.kill()
