"""The practice ABDM's own time in every reply: its clock may be another than this machine's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any, TypeAlias

__all__ = ["dated"]

_Message: TypeAlias = MutableMapping[str, Any]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]
_App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]


def dated(app: _App, clock: Callable[[], float]) -> _App:
    """Give the application with a header ``Date`` of its own; the web server must add none."""

    async def dating(scope: Any, receive: Any, send: _Send) -> None:
        async def send_dated(message: _Message) -> None:
            if message["type"] == "http.response.start":
                date = (b"date", formatdate(clock(), usegmt=True).encode())
                message["headers"] = [*message.get("headers", []), date]
            await send(message)

        await app(scope, receive, send_dated)

    return dating
