"""The practice ABDM's own pages under ``/practice``: for trainers and for tests, not of ABDM."""

from __future__ import annotations

import json
from html import escape
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from sync.server.sandbox.accounts import Accounts
from sync.server.sandbox.callbacks import Callbacks
from sync.server.sandbox.faults import LEVELS, FaultPlan
from sync.server.sandbox.journal import Journal
from sync.server.sandbox.otp import Codes

__all__ = ["make_pages"]

_BODY_BYTES_MAX: Final = 64 * 1024
_WELCOME: Final = """\
PRACTICE. This is not ABDM: no number given here is real.
/practice/otp      the codes of the last ten minutes
/practice/journal  what was asked and what became of it
"""
_OTP_PAGE: Final = """\
<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Practice codes</title>
<meta http-equiv="refresh" content="3"></head><body style="font-family:sans-serif">
<h1>PRACTICE codes</h1><p>No telephone gets them. The newest is on top.</p>
<ul style="font-size:2em">{items}</ul></body></html>
"""


def make_pages(
    *,
    journal: Journal,
    accounts: Accounts,
    faults: FaultPlan,
    codes: Codes,
    callbacks: Callbacks,
) -> FastAPI:
    """Make the pages."""
    app = FastAPI(title="practice", docs_url=None, redoc_url=None, openapi_url=None)
    pages = _Pages(
        journal=journal, accounts=accounts, faults=faults, codes=codes, callbacks=callbacks
    )
    for path, answer in (
        ("/", pages.welcome),
        ("/practice/otp", pages.read_codes),
        ("/practice/journal", pages.read_journal),
    ):
        app.add_api_route(path, answer, methods=["GET"], response_model=None)
    for path, change in (
        ("/practice/faults", pages.set_faults),
        ("/practice/callbacks", pages.set_callbacks),
    ):
        app.add_api_route(path, change, methods=["POST"], response_model=None)
    return app


class _Pages:
    """The answers."""

    def __init__(
        self,
        *,
        journal: Journal,
        accounts: Accounts,
        faults: FaultPlan,
        codes: Codes,
        callbacks: Callbacks,
    ) -> None:
        self._journal, self._accounts, self._faults = journal, accounts, faults
        self._codes, self._callbacks = codes, callbacks

    async def welcome(self) -> Response:
        """Say what this is, and what it is not."""
        return PlainTextResponse(_WELCOME)

    async def read_codes(self, request: Request) -> Response:
        """Give the codes: a page for a browser, JSON for a program."""
        shown = self._codes.shown()
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"practice": True, "codes": shown})
        items = "".join(
            f"<li><b>{escape(one['code'])}</b> for the {escape(one['to'])}</li>" for one in shown
        )
        return HTMLResponse(_OTP_PAGE.format(items=items or "<li>none yet</li>"))

    async def read_journal(self, after: int = 0) -> Response:
        """Give accounts, people, callbacks, and the calls behind a number."""
        return JSONResponse({
            "practice": True,
            "accounts": self._accounts.described(),
            "people": self._journal.people(),
            "calls": self._journal.calls(after),
            "callbacks": self._callbacks.described(),
        })  # fmt: skip

    async def set_faults(self, request: Request) -> Response:
        """Change the weather.

        ``{"level", "seed", "latency_ms"}``, ``{"script": {route: [fault, …]}}``, or both.
        """
        try:
            self._change(await _object(request))
        except (ValueError, KeyError, TypeError, AttributeError):
            return JSONResponse({"levels": list(LEVELS), "error": "not understood"}, 400)
        return JSONResponse({"practice": True})

    async def set_callbacks(self, request: Request) -> Response:
        """Call at another address (``{"url"}``); post what was not taken (``{"repeat": true}``)."""
        try:
            wanted = await _object(request)
            if "url" in wanted:
                self._callbacks.call_at(str(wanted["url"]))
            repeated = self._callbacks.repeat_undelivered() if wanted.get("repeat") is True else 0
        except (ValueError, TypeError, AttributeError):
            return JSONResponse({"error": "not understood"}, 400)
        return JSONResponse({"practice": True, "repeated": repeated})

    def _change(self, wanted: dict[str, Any]) -> None:
        for route, names in wanted.get("script", {}).items():
            self._faults.script(str(route), [str(name) for name in names])
        if "level" in wanted:
            self._faults.set(
                level=wanted["level"],
                seed=int(wanted.get("seed", 0)),
                latency_ms=int(wanted.get("latency_ms", 0)),
            )


async def _object(request: Request) -> dict[str, Any]:
    """Read a body; ``ValueError`` for one that is too large or no object."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _BODY_BYTES_MAX:
            raise ValueError
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError  # noqa: TRY004 - whoever sent it is told the same for every fault
    return found
