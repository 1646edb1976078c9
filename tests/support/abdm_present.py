"""A person who stands before a laptop, an office, a worker and the practice ABDM: step by step."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from abdm_office import Camp
from practice_abdm import PracticeAbdm
from server_laptops import Laptop
from sync.engine.finishing import make_finish_request
from sync.protocol import FinishAction, FinishAnswer, FinishRequest
from sync.sealing import OpeningKey, open_finish_answer, sign_finish_request
from sync.server.abdm.client import AbdmClient, open_client
from sync.server.abdm.finish_turns import StepClaim, claim_steps
from sync.server.abdm.jobs import Advance
from sync.server.abdm.otp import advance_finish
from sync.server.keys import open_vault
from sync.server.store.tables import finish_steps, finishes

__all__ = ["LEASE", "Present"]

LEASE = 45_000


@dataclass
class Present:
    """Whoever is finished. ``advances`` is what the worker heard of each step."""

    camp: Camp
    practice: PracticeAbdm
    client: AbdmClient
    record: str
    vault: OpeningKey = field(init=False)
    advances: list[Advance] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.vault = open_vault(self.camp.office.settings.home, None)

    @staticmethod
    def client_of(practice: PracticeAbdm, clock: Callable[[], float]) -> AbdmClient:
        return open_client(practice.settings, clock=clock)

    def request(
        self, action: str, value: str | None = None, *, laptop: Laptop | None = None
    ) -> FinishRequest:
        asking = laptop or self.camp.laptop
        return make_finish_request(
            asking.id,
            self.record,
            FinishAction(action),
            value=value,
            vault=asking.programme.vault,
            time=self.camp.office.now,
            nonce=os.urandom(16),
        )

    def ask(
        self, action: str, value: str | None = None, *, laptop: Laptop | None = None
    ) -> FinishAnswer:
        """Ask, let the worker do it, and hear where it stands."""
        return self.say(self.request(action, value, laptop=laptop), laptop=laptop)

    def say(self, request: FinishRequest, *, laptop: Laptop | None = None) -> FinishAnswer:
        asked = self.hand_in(request, laptop=laptop)
        self.work()
        return self._answer(asked, laptop)

    def hand_in(self, request: FinishRequest, *, laptop: Laptop | None = None) -> Any:
        """Let the front door take a step down."""
        asking = laptop or self.camp.laptop
        return self.camp.office.services.finishing.take(sign_finish_request(request, asking.key))

    def look(self, *, laptop: Laptop | None = None) -> FinishAnswer:
        return self._answer(
            self.hand_in(self.request("look", laptop=laptop), laptop=laptop), laptop
        )

    def _answer(self, asked: Any, laptop: Laptop | None) -> FinishAnswer:
        asking = laptop or self.camp.laptop
        raw = self.camp.office.services.finishing.answer(asked)
        return open_finish_answer(raw, asking.programme.signing, asking.opening)

    def claims(self) -> list[StepClaim]:
        return claim_steps(self.camp.store, now=self.camp.now, limit=10, lease_ms=LEASE)

    def work(self, client: Any = None) -> None:
        """Let a worker do what is there."""
        for claim in self.claims():
            self.do(claim, client)

    def do(self, claim: StepClaim, client: Any = None) -> None:
        done = advance_finish(
            self.camp.store, client or self.client, self.vault, claim, clock=lambda: self.camp.now
        )
        self.advances.append(done)

    def wait(self, seconds: int) -> None:
        self.camp.office.now += seconds

    def finish_row(self) -> Mapping[str, Any]:
        with self.camp.store.read() as connection:
            mine = select(finishes).where(finishes.c.enrollment == self.record)
            return dict(connection.execute(mine).mappings().one())

    def steps(self) -> list[Mapping[str, Any]]:
        with self.camp.store.read() as connection:
            mine = select(finish_steps).where(finish_steps.c.enrollment == self.record)
            return [dict(row) for row in connection.execute(mine).mappings()]

    def endings(self) -> list[tuple[str, str | None]]:
        """Give step and ending of every request to ABDM about the person."""
        return [(row["step"], row["ending"]) for row in self.camp.exchanges(self.record)]
