"""Following a laptop's chain by its digests alone, wherever its batches came to lie.

Batches of several copies of one disk that arrive with gaps may be put into one life before anybody
can know whose they are. Each names the one before it by digest, so from the newest down it always
shows whether a chain is held whole, and in which lives.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync.server.lives import Segment, Trace, find_chain
from sync.server.store.tables import batches

__all__ = ["BATCHES_WALKED_MAX", "walk"]

BATCHES_WALKED_MAX: Final = 20_000
"""Steps of one walk: years of one laptop. Of a longer mixture of copies nothing is claimed."""


def walk(connection: Connection, device: str, incarnation: str, last: int, digest: bytes) -> Trace:
    """Give where the chain that ends with this batch lies, newest part first.

    Empty unless every batch of it, down to the first, is held in a life of the incarnation.
    """
    if not 0 < last <= BATCHES_WALKED_MAX:
        return ()
    steps = _steps(connection, device, last, digest)
    if len(steps) != last or steps[-1].number != 1:
        return ()
    parts: list[Segment] = []
    for step in steps:
        if parts and parts[-1].life == step.life:
            parts[-1] = _longer(parts[-1])
            continue
        chain = find_chain(connection, device, step.life)
        if chain is None or chain.incarnation != incarnation:
            return ()
        parts.append(
            Segment(
                life=step.life,
                after=step.number - 1,
                upto=step.number,
                durable_upto=chain.durable_upto,
            )
        )
    return tuple(parts)


def _steps(connection: Connection, device: str, last: int, digest: bytes) -> list[Row[Any]]:
    """Give the batches of the chain, newest first, as far down as they are held."""
    columns = (batches.c.number, batches.c.life, batches.c.previous)
    mine = batches.c.device == device
    found = (
        select(*columns)
        .where(mine, batches.c.digest == digest, batches.c.number == last)
        .cte("walked", recursive=True)
    )
    before = select(*columns).where(
        mine,
        batches.c.digest == found.c.previous,
        batches.c.number == found.c.number - 1,
    )
    walked = found.union(before)
    query = select(walked).order_by(walked.c.number.desc()).limit(BATCHES_WALKED_MAX + 1)
    return list(connection.execute(query))


def _longer(part: Segment) -> Segment:
    return Segment(
        life=part.life, after=part.after - 1, upto=part.upto, durable_upto=part.durable_upto
    )
