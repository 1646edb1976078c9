"""The practice ABDM behind a socket: as a command, or in a thread of a test."""

from __future__ import annotations

import signal
import socket
from typing import Final

import uvicorn

from sync.server.errors import AddressTaken
from sync.server.sandbox.app import Sandbox
from sync.server.sandbox.front import DroppingProtocol

__all__ = ["listen", "make_server", "serve_practice"]

_BACKLOG: Final = 256
_DRAIN_SECONDS_MAX: Final = 2


def listen(host: str, port: int) -> socket.socket:
    """Open the socket; ``AddressTaken`` when somebody has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise AddressTaken from error


def serve_practice(sandbox: Sandbox, listener: socket.socket) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    # uvicorn raises the signal once more when it has ended; this end is wanted and clean.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        make_server(sandbox).run(sockets=[listener])
    finally:
        sandbox.close()


def make_server(sandbox: Sandbox) -> uvicorn.Server:
    """Make the web server; its caller runs it on a socket."""
    return uvicorn.Server(
        uvicorn.Config(
            sandbox.app,
            http=DroppingProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,  # see sync.server.sandbox.dating
            proxy_headers=False,
            timeout_graceful_shutdown=_DRAIN_SECONDS_MAX,
        )
    )
