"""A bearer between two network namespaces: real TCP at both ends, every packet through our hands.

Needs Linux, root, ``ip`` and ``/dev/net/tun``. Nothing outside the two namespaces is changed.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import select
import shutil
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

from bench.shape import Channel, Direction, Shape, Traffic

__all__ = ["NEAR_HOST", "Tunnel", "reason_against"]

NEAR_HOST: Final = "10.77.0.1"
_FAR_HOST: Final = "10.77.0.2"
_TUN: Final = Path("/dev/net/tun")
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN_NO_PI: Final = 0x0001 | 0x1000
_PACKET_BYTES_MAX: Final = 65536
_IPV4: Final = 4
_WAIT_SECONDS_MAX: Final = 0.2

_PROC = "/proc/sys/net"
"""Written to directly: `sysctl` is not on every PATH."""


def reason_against() -> str:
    """Say why this machine cannot have a tunnel; empty when it can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces need Linux"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None or not _TUN.exists():
        return "the command ip or the device /dev/net/tun is missing"
    return ""


class Tunnel:
    """A link of two namespaces; commands that start with :attr:`near` run on the laptop's side."""

    is_real = True
    far_host = _FAR_HOST
    """Where the server's side listens."""

    def __init__(self, shape: Shape, *, congestion: str = "reno", mtu: int = 1400) -> None:
        """Make both ends; ``congestion`` is the algorithm of whoever sends.

        Laptops have CUBIC, which on so thin a link does what Reno does (RFC 9438, 4.3); a
        namespace may always choose Reno.
        """
        self.channels = {"up": Channel(shape, "up"), "down": Channel(shape, "down")}
        self._names = tuple(f"ek{os.getpid()}{side}" for side in ("near", "far"))
        self._gate = threading.Lock()
        self._begun = time.monotonic()
        self._due: list[tuple[float, int, int, bytes]] = []
        self._numbers = itertools.count()
        self._ends: list[int] = []
        self._closing = threading.Event()
        try:
            for name, host in zip(self._names, (NEAR_HOST, _FAR_HOST), strict=True):
                self._ends.append(_make_end(name, host, congestion=congestion, mtu=mtu))
        except BaseException:
            self._remove()
            raise
        self._thread = threading.Thread(target=self._relay, name="tunnel", daemon=True)
        self._thread.start()

    @property
    def near(self) -> tuple[str, ...]:
        """What a command on the laptop's side starts with."""
        return ("ip", "netns", "exec", self._names[0])

    @property
    def far(self) -> tuple[str, ...]:
        """What a command on the server's side starts with."""
        return ("ip", "netns", "exec", self._names[1])

    def reach(self, port: int) -> tuple[str, int]:
        """Give where the laptop's side finds what listens at :attr:`far_host` and ``port``."""
        return _FAR_HOST, port

    def begin(self) -> None:
        """Start the circle of carrying and silence, the dice and the counters anew, now."""
        with self._gate:
            self._begun = time.monotonic()
            self._due.clear()
            for channel in self.channels.values():
                channel.reset()

    def traffic(self, direction: Direction) -> Traffic:
        """Give what travelled since :meth:`begin`, IP headers included."""
        with self._gate:
            return self.channels[direction].traffic()

    def close(self) -> None:
        """Take everything down."""
        self._closing.set()
        self._thread.join(timeout=10)
        self._remove()

    def _remove(self) -> None:
        for name in self._names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        for end in self._ends:
            os.close(end)
        self._ends = []

    def _relay(self) -> None:
        near, far = self._ends
        roads = {near: ("up", far), far: ("down", near)}
        poll = select.poll()
        for end in roads:
            poll.register(end, select.POLLIN)
        while not self._closing.is_set():
            for end, _event in poll.poll(self._wait_seconds() * 1000):
                direction, other = roads[end]
                self._take(end, self.channels[direction], other)
            self._hand_over()

    def _wait_seconds(self) -> float:
        with self._gate:
            soonest = self._due[0][0] - self._now() if self._due else _WAIT_SECONDS_MAX
        return max(0.0, min(soonest, _WAIT_SECONDS_MAX))

    def _take(self, end: int, channel: Channel, other: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = os.read(end, _PACKET_BYTES_MAX)
                if packet[0] >> 4 != _IPV4:
                    continue  # the kernel's own chatter of neighbours
                with self._gate:
                    arrival = channel.carry(self._now(), len(packet))
                    if arrival is not None:
                        entry = (arrival, next(self._numbers), other, packet)
                        heapq.heappush(self._due, entry)

    def _hand_over(self) -> None:
        with self._gate:
            while self._due and self._due[0][0] <= self._now():
                _arrival, _number, end, packet = heapq.heappop(self._due)
                with contextlib.suppress(OSError):  # an end that went down loses it
                    os.write(end, packet)

    def _now(self) -> float:
        return time.monotonic() - self._begun


def _make_end(name: str, host: str, *, congestion: str, mtu: int) -> int:
    """Make a namespace whose one way out is a TUN device; give its other side."""
    import fcntl  # noqa: PLC0415 - this module is imported where Linux is not, to say so

    device = f"t{name}"[:15]
    end = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH", device.encode(), _IFF_TUN_NO_PI))
        _ip("netns", "add", name)
        _ip("link", "set", device, "netns", name)
        inside = ("netns", "exec", name)
        _ip(*inside, "sh", "-c", f"echo 1 > {_PROC}/ipv6/conf/all/disable_ipv6")
        _ip(*inside, "sh", "-c", f"echo {congestion} > {_PROC}/ipv4/tcp_congestion_control")
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "address", "add", f"{host}/30", "dev", device)
        _ip("-n", name, "link", "set", device, "mtu", str(mtu), "up")
    except BaseException:
        os.close(end)
        raise
    return end


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
