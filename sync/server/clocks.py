"""What is known of each laptop's clock: kept as it arrives, put together when data is exported."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from sqlalchemy import CompoundSelect, Connection, Select, func, insert, select, union_all, update

from sync.protocol import Hello
from sync.server.arrival import Arrival, Decision
from sync.server.judging import ACCEPTED
from sync.server.store import insert_once
from sync.server.store.tables import (
    batches,
    boots,
    chains,
    clock_readings,
    operations,
    programmes,
)
from sync.server.timeline import Arrived, Instant, Reading, Timeline

__all__ = ["Clocks", "note_boot", "take_reading"]

_TIMELINES_MAX: Final = 32
"""Lives whose timelines are kept at hand while rows of many laptops pass by."""

_READINGS_BEFORE_MAX: Final = 64
"""Readings of the lives before that a life's clock goes on from; the newest tell the most."""

_SEQ_MAX: Final = 2**63 - 1


def note_boot(connection: Connection, hello: Hello, *, now: int) -> None:
    """Note when a laptop's machine was started, by our clock.

    A hello can only be late, so the earliest answer is the best. Call it only for a hello that came
    from the laptop itself, now.
    """
    began_at = now - hello.monotonic
    row = {"device": hello.device, "boot": hello.boot.hex(), "began_at": began_at}
    if not insert_once(connection, boots, row):
        mine = (boots.c.device == hello.device, boots.c.boot == hello.boot.hex())
        earlier = update(boots).where(*mine, boots.c.began_at > began_at)
        connection.execute(earlier.values(began_at=began_at))


def take_reading(connection: Connection, arrival: Arrival) -> Decision:
    """Keep what a laptop's two clocks said."""
    body = arrival.operation.body
    connection.execute(
        insert(clock_readings).values(
            device=arrival.device,
            life=arrival.life,
            seq=arrival.operation.seq,
            boot=body["boot"],
            monotonic=body["monotonic"],
            wall=body["wall"],
            offset=body.get("offset"),
        )
    )
    return Decision(verdict=ACCEPTED)


class Clocks:
    """Tells when operations happened; reads what it needs, life by life."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._timelines: OrderedDict[tuple[str, str], Timeline] = OrderedDict()
        first = connection.execute(select(func.min(programmes.c.issued))).scalar_one()
        self._not_before = int(first or 0)

    def instant(self, device: str, life: str, seq: int, captured: int) -> Instant:
        """Give when an operation happened, and how sure that is."""
        timeline = self._timelines.get((device, life))
        if timeline is None:
            timeline = self._timeline(device, life)
            self._timelines[device, life] = timeline
            if len(self._timelines) > _TIMELINES_MAX:
                self._timelines.popitem(last=False)
        self._timelines.move_to_end((device, life))
        return timeline.instant(seq, captured)

    def _timeline(self, device: str, life: str) -> Timeline:
        arrivals = select(batches.c.first_seq, batches.c.received_at).where(
            batches.c.device == device, batches.c.life == life
        )
        began = select(boots.c.boot, boots.c.began_at).where(boots.c.device == device)
        arrived = [
            Arrived(first_seq=row.first_seq, at=row.received_at)
            for row in self._connection.execute(arrivals)
        ]
        first = min((batch.first_seq for batch in arrived), default=0)
        return Timeline(
            readings=self._readings(device, life, first),
            arrivals=arrived,
            began_at={row.boot: row.began_at for row in self._connection.execute(began)},
            not_before=self._not_before,
        )

    def _readings(self, device: str, life: str, first: int) -> list[Reading]:
        """Give the readings of a life, and what was told before it began.

        A laptop goes on counting where its life before ended, and its clock with it. Where two
        laptops wrote under one name nobody knows whose clock that was.
        """
        own = select(clock_readings).where(
            clock_readings.c.device == device, clock_readings.c.life == life
        )
        before = (
            select(clock_readings)
            .where(
                clock_readings.c.device == device,
                clock_readings.c.life != life,
                clock_readings.c.seq < first,
            )
            .order_by(clock_readings.c.seq.desc())
            .limit(0 if self._has_twin(device) else _READINGS_BEFORE_MAX)
        )
        rows = self._connection.execute(_with_claims(union_all(own, select(before.subquery()))))
        return [
            Reading(
                seq=row.seq,
                boot=row.boot,
                monotonic=row.monotonic,
                wall=row.wall,
                offset=row.offset,
                last_wall=row.last_wall,
            )
            for row in rows
        ]

    def _has_twin(self, device: str) -> bool:
        forks = select(chains.c.life).where(
            chains.c.device == device, chains.c.life != chains.c.incarnation
        )
        return self._connection.execute(forks.limit(1)).first() is not None


def _with_claims(readings: CompoundSelect[Any]) -> Select[Any]:
    """Give readings in their order, each with what the clock claimed at the last operation before
    the next one, or at the newest of its life: all in one query.
    """
    inner = readings.subquery()
    following = func.lead(inner.c.seq).over(order_by=inner.c.seq).label("following")
    each = select(inner, following).subquery()
    last_wall = (
        select(operations.c.captured)
        .where(
            operations.c.device == each.c.device,
            operations.c.life == each.c.life,
            operations.c.seq < func.coalesce(each.c.following, _SEQ_MAX),
        )
        .order_by(operations.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(each, last_wall.label("last_wall")).order_by(each.c.seq)
