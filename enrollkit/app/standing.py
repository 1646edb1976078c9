"""Counting people, as it is now."""

from __future__ import annotations

from datetime import datetime, time

from enrollkit.app.desk import Desk
from enrollkit.app.results import Standing
from enrollkit.app.system import INDIA, local_time
from enrollkit.domain.enrollment import State
from enrollkit.store.standing import standing

__all__ = ["take_stock"]


def take_stock(desk: Desk) -> Standing:
    """Count in one view of the data; every state is named, nobody is counted twice."""
    midnight = datetime.combine(local_time(desk.system.now()).date(), time(), tzinfo=INDIA)
    stored = desk.database.read(lambda tx: standing(tx, today_since=int(midnight.timestamp())))
    return Standing(
        total=stored.total,
        by_state={
            state.value: stored.by_state.get(state, 0)
            for state in State
            if state is not State.DRAFT
        },
        today=stored.today,
        drafts=stored.drafts,
        waiting=stored.waiting,
        links=stored.links,
        links_waiting=stored.links_waiting,
        links_returned=stored.links_returned,
        signed_for=stored.signed_for,
        held=stored.held,
        durable=stored.durable,
        returned=stored.returned,
        last_receipt_at=stored.last_receipt_at,
    )
