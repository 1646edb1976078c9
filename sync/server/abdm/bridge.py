"""The callback address (ABDM calls it the bridge): two paths that anybody on the internet can find.

Who calls is looked at first: the network, if the office named any, then the gateway's signature
(:mod:`sync.server.abdm.callback_keys`). The body is bounded, and what was wrong is logged as a
code. The paths are those that an integrator saw arriving (nha-in/docs, 2026-09-16).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from fastapi import FastAPI, Request
from fastapi.responses import Response
from sqlalchemy.exc import DataError

from sync.errors import TooLarge
from sync.sealing import SealKey
from sync.server.abdm.callback_keys import (
    CallbackForged,
    KeyUnknown,
    check_bearer,
    may_note,
    note_unknown,
)
from sync.server.abdm.callbacks import CallbackUnreadable, Taking, read_callback, take_callback
from sync.server.abdm.calls import Step
from sync.server.abdm.settings import AbdmSettings
from sync.server.errors import DatabaseBusy, SettingsInvalid
from sync.server.logs import Log
from sync.server.reading import RequestReader, Tempo
from sync.server.shield import place_of
from sync.server.store import Store

__all__ = ["BODY_BYTES_MAX", "Bridge"]

BODY_BYTES_MAX: Final = 64 * 1024
_PATHS: Final = {
    "/api/v3/hip/token/on-generate-token": Step.LINK_TOKEN,
    "/api/v3/link/on_carecontext": Step.LINK,
}
_Network: TypeAlias = IPv4Network | IPv6Network


class Bridge:
    """Takes callbacks. ``clock`` gives milliseconds."""

    def __init__(
        self,
        *,
        store: Store,
        vault: SealKey,
        settings: AbdmSettings,
        tempo: Tempo,
        log: Log,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._vault = vault
        self._networks = _networks(settings.callback_networks)
        self._must_be_signed = settings.callback_signature == "required"
        self._tempo = tempo
        self._log = log
        self._clock = clock

    def mount(self, app: FastAPI) -> None:
        """Add the paths to the application."""
        for path, step in _PATHS.items():
            app.add_api_route(path, self._answer_to(step), methods=["POST"], response_model=None)

    def _answer_to(self, step: Step) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            return await self._answer(step, request)

        return answer

    async def _answer(self, step: Step, request: Request) -> Response:
        reader = RequestReader(
            request.receive,
            tempo=self._tempo,
            bytes_max=BODY_BYTES_MAX,
            place=place_of(request.scope),
        )
        try:
            if not self._is_near(request):
                return self._refused(403, "network")
            await asyncio.to_thread(self._check, request.headers.get("authorization", ""))
            reader.note_known()
            taking = await asyncio.to_thread(self._take, step, await reader.whole())
        except CallbackForged as error:
            return self._refused(401, str(error))
        except CallbackUnreadable as error:
            return self._refused(400, str(error))
        except TooLarge:
            return self._refused(413, "too-large")
        except TimeoutError:
            return self._refused(408, "too-slow")
        except DatabaseBusy:
            return self._refused(503, "busy")
        if taking is Taking.UNKNOWN:
            return self._refused(404, "request-unknown")
        self._log.info("callback", step=step.value, taking=taking.value)
        return Response(status_code=202)

    def _is_near(self, request: Request) -> bool:
        """Whether the sender's address is in a network that the office named, if it named any."""
        if not self._networks:
            return True
        try:
            address = ip_address(request.client.host if request.client else "")
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def _check(self, authorization: str) -> None:
        if not self._must_be_signed:
            return
        now = self._clock()
        with self._store.read() as connection:
            try:
                check_bearer(connection, authorization, now=now)
            except KeyUnknown as error:
                # Strangers name keys as they like: the lock that everybody waits for is not theirs.
                if not may_note(connection, error.kid):
                    raise
                unknown = error
            else:
                return
        with self._store.write() as connection:
            note_unknown(connection, unknown.kid, now=now)
        raise unknown

    def _take(self, step: Step, data: bytes) -> Taking:
        callback = read_callback(step, data)
        try:
            return take_callback(self._store, self._vault, callback, now=self._clock())
        except (UnicodeError, DataError) as error:
            # A text that no database holds is the sender's fault, and comes again as it is.
            raise CallbackUnreadable("text") from error

    def _refused(self, status: int, code: str) -> Response:
        self._log.warning("callback-refused", code=code)
        return Response(status_code=status)


def _networks(text: str) -> tuple[_Network, ...]:
    try:
        return tuple(ip_network(each) for each in text.replace(",", " ").split())
    except ValueError as error:
        raise SettingsInvalid("abdm.callback_networks") from error
