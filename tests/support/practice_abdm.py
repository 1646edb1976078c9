"""The practice ABDM on a real socket, in a thread of the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from sync.server.abdm.settings import AbdmSettings
from sync.server.sandbox.app import ABHA_PATH, Sandbox, create_sandbox
from sync.server.sandbox.faults import FaultPlan
from sync.server.sandbox.keys import CertificateKeys
from sync.server.sandbox.serving import listen, make_server

__all__ = ["PracticeAbdm", "practice_abdm", "practice_keys"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeAbdm:
    """A practice ABDM that listens."""

    url: str
    sandbox: Sandbox
    told: list[str]
    """What the command would have written on its screen."""

    @property
    def settings(self) -> AbdmSettings:
        """Settings with which a client reaches it."""
        shown = self.sandbox.credentials
        return replace(
            AbdmSettings(),
            gateway_url=self.url,
            abha_url=self.url + ABHA_PATH,
            client_id=shown.client_id,
            client_secret=shown.client_secret,
            benefit=shown.benefit,
            timeout_seconds=10,
        )

    def script(self, **faults: Sequence[str]) -> None:
        """Decide a route's next calls: ``script(link_token=["lost-reply", "none"])``."""
        for route, names in faults.items():
            self.sandbox.faults.script(route.replace("_", "-"), names)

    @property
    def accounts(self) -> list[dict[str, Any]]:
        """All accounts, without names."""
        return self.sandbox.accounts.described()

    @property
    def people(self) -> Mapping[str, Mapping[str, int]]:
        """Asks, creations, grants, asks_after_grant of each person, by digest."""
        return self.sandbox.journal.people()

    def calls(self, route: str | None = None) -> list[dict[str, Any]]:
        """All calls, or those of one route."""
        found = self.sandbox.journal.calls()
        return [call for call in found if route in (None, call["route"])]

    @property
    def code(self) -> str:
        """The newest one-time code."""
        return str(self.sandbox.codes.shown()[0]["code"])

    @property
    def callbacks(self) -> list[dict[str, Any]]:
        """All callbacks and what became of them; link tokens are withheld."""
        return self.sandbox.callbacks.described()

    def call_at(self, url: str) -> None:
        """Send callbacks to this address from now on."""
        self.sandbox.callbacks.call_at(url)

    def person(self, aadhaar: str) -> Mapping[str, int]:
        """What the journal says of one person."""
        nothing = {"asks": 0, "creations": 0, "grants": 0, "asks_after_grant": 0}
        return self.people.get(self.sandbox.journal.digest(aadhaar), nothing)


@contextmanager
def practice_abdm(
    *,
    faults: str = "none",
    seed: int = 0,
    latency_ms: int = 0,
    callback: str = "",
    clock: Callable[[], float] = time.time,
    journal_file: Path | None = None,
) -> Iterator[PracticeAbdm]:
    """Run a practice ABDM on a free port of this machine."""
    told: list[str] = []
    sandbox = create_sandbox(
        keys=practice_keys(),
        faults=FaultPlan(level=faults, seed=seed, latency_ms=latency_ms),
        clock=clock,
        tell=told.append,
        callback_url=callback,
        journal_file=journal_file,
    )
    with listen("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = make_server(sandbox)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield PracticeAbdm(url=url, sandbox=sandbox, told=told)
        finally:
            server.should_exit = server.force_exit = True
            thread.join(timeout=30)
            sandbox.close()


def practice_keys() -> CertificateKeys:
    """Small keys, because large ones take their time; the same for a whole run."""
    return CertificateKeys(*_pairs())


@cache
def _pairs() -> tuple[Any, Any]:
    made = CertificateKeys.generate(2048)
    return made.pairs
