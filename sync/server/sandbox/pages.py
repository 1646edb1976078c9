"""The practice ABDM's own pages under ``/practice``: for trainers and for tests, not of ABDM."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from sync.server.sandbox.accounts import Accounts
from sync.server.sandbox.faults import LEVELS, FaultPlan
from sync.server.sandbox.journal import Journal

__all__ = ["make_pages"]


def make_pages(*, journal: Journal, accounts: Accounts, faults: FaultPlan) -> FastAPI:
    """Make the pages."""
    app = FastAPI(title="practice", docs_url=None, redoc_url=None, openapi_url=None)
    pages = _Pages(journal, accounts, faults)
    app.add_api_route("/", pages.welcome, methods=["GET"], response_model=None)
    app.add_api_route("/practice/journal", pages.read_journal, methods=["GET"], response_model=None)
    app.add_api_route("/practice/faults", pages.set_faults, methods=["POST"], response_model=None)
    return app


class _Pages:
    """The answers."""

    def __init__(self, journal: Journal, accounts: Accounts, faults: FaultPlan) -> None:
        self._journal, self._accounts, self._faults = journal, accounts, faults

    async def welcome(self) -> Response:
        """Say what this is, and what it is not."""
        return PlainTextResponse(
            "PRACTICE. This is not ABDM: no number given here is real.\n"
            "/practice/journal  what was asked and what became of it\n"
        )

    async def read_journal(self, after: int = 0) -> Response:
        """Give accounts, people and the calls behind a number."""
        return JSONResponse({
            "practice": True,
            "accounts": self._accounts.described(),
            "people": self._journal.people(),
            "calls": self._journal.calls(after),
        })  # fmt: skip

    async def set_faults(self, request: Request) -> Response:
        """Change the weather.

        ``{"level", "seed", "latency_ms"}``, ``{"script": {route: [fault, …]}}``, or both.
        """
        try:
            self._change(await request.json())
        except (ValueError, KeyError, TypeError, AttributeError):
            return JSONResponse({"levels": list(LEVELS), "error": "not understood"}, 400)
        return JSONResponse({"practice": True})

    def _change(self, wanted: dict[str, Any]) -> None:
        for route, names in wanted.get("script", {}).items():
            self._faults.script(str(route), [str(name) for name in names])
        if "level" in wanted:
            self._faults.set(
                level=wanted["level"],
                seed=int(wanted.get("seed", 0)),
                latency_ms=int(wanted.get("latency_ms", 0)),
            )
