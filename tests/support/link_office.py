"""People with ABHA numbers and links at an office, and a client of ABDM that does as it is told."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select

from abdm_office import Camp
from server_laptops import Office
from sync.protocol import OperationKind
from sync.sealing import OpeningKey
from sync.server.abdm.callbacks import Taking, read_callback, take_callback
from sync.server.abdm.calls import (
    AbdmRefused,
    AbdmUnknown,
    AbdmUnsent,
    Answered,
    Begin,
    Begun,
    Ending,
    EndKind,
    LinkAsk,
    LinkTokenAsk,
    Step,
)
from sync.server.abdm.jobs import Advance
from sync.server.abdm.linking import advance_link
from sync.server.abdm.refusals import judge
from sync.server.abdm.settings import AbdmSettings
from sync.server.keys import open_vault
from sync.server.store.tables import abdm_exchanges, links

__all__ = ["NUMBER", "FakeLinks", "LinkCamp", "Said"]

NUMBER = "00-1234-5678-9012"


@dataclass(frozen=True, slots=True)
class Said:
    """One request that the fake was asked for."""

    step: Step
    request_id: str
    hip: str
    ask: LinkTokenAsk | LinkAsk
    token: str = ""


@dataclass(slots=True, kw_only=True)
class FakeLinks:
    """Takes every request (202), unless ``script`` says otherwise: ``unknown``, ``unsent``, a
    refusal's code, or something to call in the moment of the request. ``before`` is called just
    before a request is written down.
    """

    said: list[Said] = field(default_factory=list)
    script: list[str | Callable[[Said], None]] = field(default_factory=list)
    keys: Mapping[str, Any] = field(default_factory=dict)
    keys_fail: bool = False
    fetched: int = 0
    before: Callable[[], None] = lambda: None

    def fetch_callback_keys(self) -> Mapping[str, Any]:
        self.fetched += 1
        if self.keys_fail:
            raise AbdmUnsent(Ending(request_id="", kind=EndKind.UNSENT))
        return self.keys

    def request_link_token(
        self, begin: Begin, hip: str, ask: LinkTokenAsk, *, end: Callable[[Ending], Any]
    ) -> Answered[None]:
        del end  # nothing is tried twice here
        return self._take(begin, Said(Step.LINK_TOKEN, str(uuid.uuid4()), hip, ask))

    def link_contexts(
        self,
        begin: Begin,
        hip: str,
        link_token: str,
        ask: LinkAsk,
        *,
        end: Callable[[Ending], Any],
    ) -> Answered[None]:
        del end
        return self._take(begin, Said(Step.LINK, str(uuid.uuid4()), hip, ask, link_token))

    def _take(self, begin: Begin, said: Said) -> Answered[None]:
        self.before()
        begin(Begun(step=said.step, request_id=said.request_id, request={}))
        self.said.append(said)
        match self.script.pop(0) if self.script else "taken":
            case "taken":
                pass
            case "unknown":
                raise AbdmUnknown(Ending(request_id=said.request_id, kind=EndKind.UNKNOWN))
            case "unsent":
                raise AbdmUnsent(Ending(request_id=said.request_id, kind=EndKind.UNSENT))
            case str(code):
                raise _refused(said, code)
            case act:
                act(said)
        return Answered(
            value=None, ending=Ending(request_id=said.request_id, kind=EndKind.DONE, status=202)
        )


def _refused(said: Said, code: str) -> AbdmRefused:
    body = {"error": {"code": code, "message": _MESSAGES.get(code, "")}}
    refusal = judge(400, json.dumps(body).encode(), {}, module="M2").refusal
    ending = Ending(
        request_id=said.request_id, kind=EndKind.REFUSED, status=400, code=code, response=body
    )
    return AbdmRefused(ending, refusal)


_MESSAGES = {
    "ABDM-1056": "This care contexts has been already linked",
    "ABDM-1043": "ABHA Address does not match with KYC details",
}


class LinkCamp(Camp):
    """A camp whose people have numbers, with records to link."""

    def __init__(self, office: Office, settings: AbdmSettings | None = None) -> None:
        super().__init__(office)
        self.client = FakeLinks()
        self.vault: OpeningKey = open_vault(office.settings.home, None)
        self.settings = settings or replace(AbdmSettings(), callback_signature="unchecked")
        self.references = 0

    def linked_person(self, count: int = 1, **changes: Any) -> tuple[str, list[str]]:
        """Let a person with a number and so many links arrive; give their ids."""
        record = self.person()
        self.issue(record, NUMBER, "practice.zebra@sbx")
        return record, [self.link(record, **changes) for _ in range(count)]

    def link(self, record: str, **changes: Any) -> str:
        self.references += 1
        given = {"reference": f"OPD-{self.references}", **changes}
        operation = self.laptop.link(record, **given)
        self.bring(operation)
        return operation.record

    def remove(self, record: str, link: str) -> None:
        body = {"enrollment": record}
        self.bring(self.laptop.operation(OperationKind.LINK_REMOVE, body, record=link))

    def advance(self) -> list[Advance]:
        """Let the worker do what is due."""
        return [
            advance_link(
                self.store, self.client, self.vault, self.settings, claim, clock=lambda: self.now
            )
            for claim in self.claim(50)
            if claim.kind == "link"
        ]

    def call_back(self, said: Said, code: str = "", *, token: str = "a.token.b") -> Taking:
        """Let ABDM answer a request by callback: well, or with an error of that code."""
        body: dict[str, Any] = {"abhaAddress": "practice.zebra@sbx"}
        if code:
            body["error"] = {"code": code, "message": _MESSAGES.get(code, "")}
        elif said.step is Step.LINK_TOKEN:
            body["linkToken"] = token
        else:
            body["status"] = "Successfully Linked care context"
        body["response"] = {"requestId": said.request_id}
        return self.take(said.step, body)

    def take(self, step: Step, body: Mapping[str, Any]) -> Taking:
        callback = read_callback(step, json.dumps(body).encode())
        return take_callback(self.store, self.office.keys.vault, callback, now=self.now)

    def states(self) -> dict[str, str]:
        with self.store.read() as connection:
            return {row.link: row.state for row in connection.execute(select(links))}

    def wait(self, seconds: int) -> None:
        self.office.now += seconds

    def exchanges_of(self, step: Step) -> list[str]:
        """Give the codes of the refused requests of one step, the oldest first."""
        with self.store.read() as connection:
            query = select(abdm_exchanges.c.code).where(
                abdm_exchanges.c.step == step.value, abdm_exchanges.c.ending == "refused"
            )
            return list(connection.execute(query.order_by(abdm_exchanges.c.number)).scalars())
