from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from sync.server.connections import ConnectionLimits, make_protocol

Talk = Callable[[socket.socket], Awaitable[None]]
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
PIECE = bytes(256 * 1024)


class Door:
    """A server of one endpoint that answers without end, and notes what became of each answer."""

    def __init__(self, **limits: float) -> None:
        defaults: dict[str, Any] = {
            "connections_max": 10,
            "head_seconds_max": 30.0,
            "grace_seconds": 0.1,
            "bytes_per_second_min": 1_000_000.0,
            "look_seconds": 0.02,
        }
        self.limits = ConnectionLimits(**{**defaults, **limits})
        self.sent = 0
        self.ended = asyncio.Event()

    async def app(self, _scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(400):
            await send({"type": "http.response.body", "body": PIECE, "more_body": True})
            self.sent += len(PIECE)
            if (await self._is_gone(receive)) is True:
                break
        self.ended.set()

    async def _is_gone(self, receive: Any) -> bool:
        """Look for a hang-up without waiting for one."""
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        if not waiting.done():
            waiting.cancel()
            return False
        message: dict[str, Any] = waiting.result()
        return message["type"] == "http.disconnect"

    async def _run(self, talk: Talk) -> None:
        config = uvicorn.Config(
            self.app, interface="asgi3", lifespan="off", log_config=None, ws="none"
        )
        config.load()
        state = ServerState()
        make = make_protocol(self.limits)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: make(config=config, server_state=state, app_state={}),  # type: ignore[call-arg]
            "127.0.0.1",
            0,
        )
        port = server.sockets[0].getsockname()[1]
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(0)
            await loop.sock_connect(connection, ("127.0.0.1", port))
            await talk(connection)
        server.close()
        await asyncio.gather(*state.tasks, return_exceptions=True)


async def read_all(connection: socket.socket) -> int:
    loop, total = asyncio.get_running_loop(), 0
    try:
        while piece := await loop.sock_recv(connection, 1 << 20):
            total += len(piece)
    except ConnectionError:
        return total
    return total


def test_an_answer_that_nobody_reads_is_cut() -> None:
    async def scenario() -> None:
        door = Door()

        async def talk(connection: socket.socket) -> None:
            await asyncio.get_running_loop().sock_sendall(connection, GET)
            await door.ended.wait()

        await door._run(talk)
        assert door.sent < 400 * len(PIECE)

    asyncio.run(asyncio.wait_for(scenario(), timeout=60))


def test_an_answer_that_is_read_goes_out_to_its_end() -> None:
    async def scenario() -> None:
        door = Door(bytes_per_second_min=1.0, grace_seconds=30.0)
        read: list[int] = []

        async def talk(connection: socket.socket) -> None:
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(connection, GET)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            while sum(read) < 8 * len(PIECE):
                read.append(len(await loop.sock_recv(connection, 1 << 20)))

        await door._run(talk)
        assert sum(read) >= 8 * len(PIECE)

    asyncio.run(asyncio.wait_for(scenario(), timeout=60))


def test_a_connection_that_asks_for_nothing_is_closed() -> None:
    async def scenario() -> None:
        door = Door(head_seconds_max=0.1)

        async def talk(connection: socket.socket) -> None:
            await asyncio.get_running_loop().sock_sendall(connection, GET[:10])
            assert await read_all(connection) == 0

        await door._run(talk)

    asyncio.run(asyncio.wait_for(scenario(), timeout=60))


def test_when_there_are_too_many_the_longest_silent_goes() -> None:
    async def scenario() -> None:
        door = Door(connections_max=1)

        async def talk(connection: socket.socket) -> None:
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(connection, GET[:10])
            with socket.socket() as second:
                second.settimeout(0)
                await loop.sock_connect(second, connection.getpeername())
                assert await read_all(connection) == 0
                await loop.sock_sendall(second, GET)
                assert await loop.sock_recv(second, 10) == b"HTTP/1.1 2"

        await door._run(talk)

    asyncio.run(asyncio.wait_for(scenario(), timeout=60))
