"""Running the server: one socket, one process, a clean end."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from typing import Final

import uvicorn

from sync.server.app import Services, create_app
from sync.server.contact import Contact
from sync.server.errors import AddressTaken, FileUnusable
from sync.server.intake import Intake
from sync.server.keys import ServerKeys, open_keys
from sync.server.logs import Log, open_log
from sync.server.programme import read_meta
from sync.server.settings import Settings
from sync.server.site import open_store
from sync.server.store import Store

__all__ = ["make_services", "serve"]

_DRAIN_SECONDS_MAX: Final = 30
_BACKLOG: Final = 256
_HEADER_BYTES_MAX: Final = 16 * 1024


def serve(settings: Settings, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; then finish the batches in work and return.

    ``say`` is told the bound address once the socket listens.
    """
    keys = open_keys(settings.home, settings.passphrase)
    with open_store(settings) as store, _listen(host, port) as listener:
        try:
            log = open_log(settings.log_file)
        except OSError as error:
            raise FileUnusable("log") from error
        try:
            _run(settings=settings, store=store, keys=keys, log=log, listener=listener, say=say)
        finally:
            log.close()


def make_services(
    settings: Settings,
    *,
    store: Store,
    keys: ServerKeys,
    log: Log,
    clock: Callable[[], int],
    is_draining: Callable[[], bool],
) -> Services:
    """Wire what stands behind the front door."""
    with store.read() as connection:
        known = read_meta(connection)
    epoch = known["epoch"]
    return Services(
        name=known["name"],
        contact=Contact(
            store=store,
            keys=keys,
            epoch=epoch,
            clock=clock,
            pending_max=settings.pending_devices_max,
        ),
        intake=Intake(store=store, keys=keys, epoch=epoch, clock=clock),
        log=log,
        idle_seconds_max=settings.idle_seconds_max,
        requests_max=settings.requests_max,
        is_draining=is_draining,
    )


def _run(
    *,
    settings: Settings,
    store: Store,
    keys: ServerKeys,
    log: Log,
    listener: socket.socket,
    say: Callable[[str], None],
) -> None:
    server: uvicorn.Server
    services = make_services(
        settings,
        store=store,
        keys=keys,
        log=log,
        clock=lambda: int(time.time()),
        is_draining=lambda: server.should_exit,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(services),
            http="h11",
            h11_max_incomplete_event_size=_HEADER_BYTES_MAX,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_DRAIN_SECONDS_MAX,
        )
    )
    # uvicorn raises the signal once more when it has ended; this end is wanted and clean.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    say(_address(listener))
    log.info("listening", address=_address(listener))
    server.run(sockets=[listener])
    log.info("ended")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise AddressTaken from error


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
