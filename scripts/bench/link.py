"""A link to measure on: two network namespaces with a bad bearer between, or a relay instead.

Usage: link.py [--rate BYTES] [--delay S] [--loss SHARE] [--up S --silent S] [--seed N] [--shaper]

Prints what the link does to a round trip and to 40 KB sent up, beside what was asked for. Other
scripts use :func:`open_link`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

if __name__ == "__main__":
    # Beside this file lies sync.py, which is not the package of that name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.shape import Channel, Direction, Shape, Traffic
from bench.shaper import Shaper
from bench.tunnel import Tunnel, reason_against

__all__ = ["SENT_BYTES", "Link", "measure", "open_link", "reason_against"]

_SINK = textwrap.dedent("""
    import socket, sys
    with socket.create_server((sys.argv[1], int(sys.argv[2]))) as listener:
        print("ready", flush=True)
        line, _address = listener.accept()
        with line:
            line.sendall(line.recv(1))
            left = int(sys.argv[3])
            while left and (piece := line.recv(65536)):
                left -= len(piece)
            line.sendall(b".")
""")
_SOURCE = textwrap.dedent("""
    import socket, sys, time
    began = time.monotonic()
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as line:
        connected = time.monotonic()
        line.sendall(b"?")
        line.recv(1)
        answered = time.monotonic()
        line.sendall(bytes(int(sys.argv[3])))
        line.recv(1)
        print(connected - began, answered - connected, time.monotonic() - answered)
""")
SENT_BYTES = 40_000
_PORT = 7070


class Link(Protocol):
    """A bearer with two sides. Commands prefixed with ``near`` or ``far`` run on one of them."""

    is_real: bool
    """Whether packets are lost, not only delayed."""

    @property
    def channels(self) -> Mapping[str, Channel]:
        """Both ways; each may be given another shape before :meth:`begin`."""

    @property
    def near(self) -> tuple[str, ...]:
        """What a command on the laptop's side starts with."""

    @property
    def far(self) -> tuple[str, ...]:
        """What a command on the server's side starts with."""

    @property
    def far_host(self) -> str:
        """Where the server's side listens."""

    def reach(self, port: int) -> tuple[str, int]:
        """Give where the laptop's side finds what listens at ``far_host`` and ``port``."""

    def begin(self) -> None:
        """Start the circle of carrying and silence, the dice and the counters anew, now."""

    def traffic(self, direction: Direction) -> Traffic:
        """Give what travelled since :meth:`begin`."""


@contextmanager
def open_link(shape: Shape, *, shaper: bool = False, congestion: str = "reno") -> Iterator[Link]:
    """Give a tunnel, or the relay where that is asked for or nothing else can be had."""
    is_real = not (shaper or reason_against())
    link = Tunnel(shape, congestion=congestion) if is_real else Shaper(shape)
    try:
        yield link
    finally:
        link.close()


def main(arguments: list[str]) -> int:
    """Measure the link itself."""
    options = _options(arguments)
    shape = Shape(
        rate=options.rate,
        delay=options.delay,
        loss=options.loss,
        up=options.up,
        silent=options.silent,
        seed=options.seed,
    )
    if why := reason_against():
        print(f"No tunnel here: {why}. This is the relay.")
    with open_link(shape, shaper=options.shaper) as link:
        connect, round_trip, sending = measure(link)
        up, down = link.traffic("up"), link.traffic("down")
    print(f"connect      {connect:6.2f} s   (2 x {shape.delay} s)")
    print(f"round trip   {round_trip:6.2f} s")
    least = SENT_BYTES / shape.rate
    print(f"{SENT_BYTES} bytes  {sending:6.2f} s   ({least:.2f} s at {shape.rate:.0f} B/s)")
    print(f"up           {up}")
    print(f"down         {down}")
    return 0


def measure(link: Link) -> tuple[float, float, float]:
    """Give the seconds to connect, of one round trip, and to send ``SENTSENT_BYTES``."""
    sink = [*link.far, sys.executable, "-c", _SINK, link.far_host, str(_PORT), str(SENT_BYTES)]
    with subprocess.Popen(sink, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None  # noqa: S101 - asked for above
        server.stdout.readline()
        host, port = link.reach(_PORT)
        link.begin()
        source = [*link.near, sys.executable, "-c", _SOURCE, host, str(port), str(SENT_BYTES)]
        done = subprocess.run(source, check=True, capture_output=True, text=True)
    connect, round_trip, sending = (float(word) for word in done.stdout.split())
    return connect, round_trip, sending


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What the link itself does.")
    usual = Shape()
    for name in ("rate", "delay", "loss", "up", "silent"):
        parser.add_argument(f"--{name}", type=float, default=getattr(usual, name))
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--shaper", action="store_true", help="the relay, whatever there is")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
