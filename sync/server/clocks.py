"""What is known of each laptop's clock: kept as it arrives, put together when data is exported."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

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
        query = select(clock_readings).where(clock_readings.c.device == device)
        if self._has_twin(device):
            query = query.where(clock_readings.c.life == life)
        rows = self._connection.execute(query.order_by(clock_readings.c.seq)).all()
        rows = [row for row in rows if row.life == life or row.seq < first]
        ends = [*(row.seq - 1 for row in rows[1:]), None][: len(rows)]
        return [
            Reading(
                seq=row.seq,
                boot=row.boot,
                monotonic=row.monotonic,
                wall=row.wall,
                offset=row.offset,
                last_wall=self._claimed(device, row.life, end),
            )
            for row, end in zip(rows, ends, strict=True)
        ]

    def _claimed(self, device: str, life: str, seq: int | None) -> int | None:
        """Give what the clock claimed at an operation, or at the newest one of a life."""
        mine = (operations.c.device == device, operations.c.life == life)
        query = select(operations.c.captured).where(*mine).order_by(operations.c.seq.desc())
        if seq is not None:
            query = query.where(operations.c.seq <= seq)
        found: int | None = self._connection.execute(query.limit(1)).scalar_one_or_none()
        return found

    def _has_twin(self, device: str) -> bool:
        forks = select(chains.c.life).where(
            chains.c.device == device, chains.c.life != chains.c.incarnation
        )
        return self._connection.execute(forks.limit(1)).first() is not None
