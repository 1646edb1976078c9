"""One person's record links as they stand in one moment, and what is to be asked next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync.server.abdm.calls import LinkTokenAsk
from sync.server.abdm.link_asks import past_of
from sync.server.abdm.link_plan import Past, Pending, Plan, plan
from sync.server.abdm.link_tokens import facilities_with_token
from sync.server.abdm.settings import AbdmSettings
from sync.server.store.tables import enrollment_versions, enrollments, links

__all__ = ["LinkView", "look"]

_LINKABLE: Final = ("ISSUED", "DUPLICATE")
_ACCEPTED: Final = "ACCEPTED"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LinkView:
    """What is known of a person and their links; ``pending`` is empty when none can be made.

    ``number``: 14 bare digits, as M2 wants it. ``address``: the one that every number has by
    itself, where none is known.
    """

    version: int
    number: str = ""
    address: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    pending: Sequence[Pending] = ()
    past: Sequence[Past] = ()
    plan: Plan = field(default_factory=lambda: Plan(actions=(), due_at=None))

    def token_ask(self) -> LinkTokenAsk:
        """Give whom a link token is to be for, as the newest version has them."""
        return LinkTokenAsk(
            abha_number=self.number,
            abha_address=self.address,
            name=self.body["name"],
            gender=self.body["gender"],
            birth_year=self.body["birth"]["year"],
        )


def look(connection: Connection, settings: AbdmSettings, enrollment: str, *, now: int) -> LinkView:
    """Give it as it is; who withdrew or has no number has nothing to link. ``now`` in ms."""
    person = connection.execute(
        select(enrollments).where(enrollments.c.enrollment == enrollment)
    ).one()
    if person.state not in _LINKABLE or person.abha_number is None:
        return LinkView(version=person.version)
    waiting = select(links).where(links.c.enrollment == enrollment, links.c.state == _ACCEPTED)
    rows = connection.execute(waiting.order_by(links.c.received_at, links.c.link)).all()
    pending = [_pending(row, settings) for row in rows]
    past = past_of(connection, enrollment)
    tokens = facilities_with_token(connection, enrollment, now=now)
    number = person.abha_number.replace("-", "")
    body = select(enrollment_versions.c.body).where(
        enrollment_versions.c.enrollment == enrollment,
        enrollment_versions.c.version == person.version,
    )
    return LinkView(
        version=person.version,
        number=number,
        address=person.abha_address or f"{number}@{settings.cm_id}",
        body=json.loads(connection.execute(body).scalar_one()),
        pending=pending,
        past=past,
        plan=plan(pending, tokens, past, now=now),
    )


def _pending(row: Row[Any], settings: AbdmSettings) -> Pending:
    body = json.loads(row.body)
    return Pending(
        id=row.link,
        hip=settings.hip_id or row.facility,
        facility=row.facility,
        hi_type=body["hi_type"],
        reference=row.reference,
        display=body["display"],
    )
