"""Running the server: one socket, one process, a clean end."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from typing import Final

import uvicorn

from sync.protocol import ServerTime
from sync.sealing import sign_server_time
from sync.server.abdm.bridge import Bridge
from sync.server.app import Services, create_app
from sync.server.connections import ConnectionLimits, make_protocol
from sync.server.errors import AddressTaken, FileUnusable
from sync.server.finishing import Finishing
from sync.server.keys import ServerKeys, open_keys
from sync.server.logs import Log, note_taken, open_log
from sync.server.programme import publish_practice, read_meta
from sync.server.reading import Tempo
from sync.server.settings import Settings
from sync.server.site import open_store
from sync.server.store import Store
from sync.server.wiring import make_receiver

__all__ = ["make_services", "serve"]

_DRAIN_SECONDS_MAX: Final = 30
_BACKLOG: Final = 256
_HEADER_BYTES_MAX: Final = 16 * 1024
_WAITING_SHARE: Final = 4
"""Of all places: people being finished wait for ABDM, and must not keep others from sending."""
_PROXIES: Final = "127.0.0.1,::1"
"""Whose X-Forwarded-For is believed: a proxy on this very machine."""


def serve(settings: Settings, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; then finish the batches in work and return.

    ``say`` is told the bound address once the socket listens.
    """
    keys = open_keys(settings.home, settings.passphrase)
    with open_store(settings) as store, _listen(host, port) as listener:
        with store.write() as connection:
            publish_practice(connection, keys, now=int(time.time()))
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
    receiver = make_receiver(
        settings,
        store=store,
        keys=keys,
        clock=clock,
        note_taken=lambda taken: note_taken(log, taken.receipt, began_fork=taken.began_fork),
    )
    with store.read() as connection:
        name = read_meta(connection)["name"]
    tempo = Tempo(
        idle_seconds_max=settings.idle_seconds_max,
        grace_seconds=settings.grace_seconds,
        bytes_per_second_min=settings.bytes_per_second_min,
        first_item_seconds_max=settings.first_item_seconds_max,
    )
    return Services(
        name=name,
        contact=receiver.contact,
        intake=receiver.intake,
        receiver=receiver,
        finishing=Finishing(
            store=store,
            keys=keys,
            clock=clock,
            waiting_max=max(1, settings.requests_max // _WAITING_SHARE),
        ),
        bridge=Bridge(
            store=store,
            vault=keys.vault,
            settings=settings.abdm,
            tempo=tempo,
            log=log,
            clock=lambda: clock() * 1000,
        ),
        sign_time=lambda nonce: sign_server_time(
            ServerTime(server_time=clock(), nonce=nonce), keys.signing
        ),
        log=log,
        tempo=tempo,
        requests_max=settings.requests_max,
        fair_seconds=settings.fair_seconds,
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
            http=make_protocol(_limits_of(settings)),
            timeout_keep_alive=settings.head_seconds_max,
            forwarded_allow_ips=_PROXIES,
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


def _limits_of(settings: Settings) -> ConnectionLimits:
    return ConnectionLimits(
        connections_max=settings.connections_max,
        head_seconds_max=settings.head_seconds_max,
        grace_seconds=settings.grace_seconds,
        bytes_per_second_min=settings.bytes_per_second_min,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        # Handed down to each connection. asyncio sets it only on sockets that name their protocol.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, OverflowError) as error:
        raise AddressTaken from error
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
