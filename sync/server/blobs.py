"""Large things in chunks, named by their SHA-256 and checked whole when the last one is there."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, delete, func, select, update

from sync.server.arrival import Arrival, Decision
from sync.server.judging import ACCEPTED, DUPLICATE, held, rejected
from sync.server.store import insert_once
from sync.server.store.tables import blobs, chunks

__all__ = ["take_chunk"]


def take_chunk(connection: Connection, arrival: Arrival) -> Decision:
    """Store a chunk. If the whole does not have its digest, all chunks go and may come again."""
    body, device = arrival.operation.body, arrival.device
    sha256, described = (
        body["sha256"],
        {"media_type": body["media_type"], "chunk_count": body["count"]},
    )
    insert_once(connection, blobs, {"device": device, "sha256": sha256, **described})
    mine = (blobs.c.device == device, blobs.c.sha256 == sha256)
    blob = connection.execute(select(blobs).where(*mine).with_for_update()).one()
    if {"media_type": blob.media_type, "chunk_count": blob.chunk_count} != described:
        return Decision(verdict=held("blob:differs"))
    place, data = body["index"], arrival.operation.payload
    if not insert_once(
        connection, chunks, {"device": device, "sha256": sha256, "place": place, "data": data}
    ):
        there = select(chunks.c.data).where(
            chunks.c.device == device, chunks.c.sha256 == sha256, chunks.c.place == place
        )
        same = connection.execute(there).scalar_one() == data
        return Decision(verdict=DUPLICATE if same else held("blob:differs"))
    if _held_chunks(connection, device, sha256) == blob.chunk_count:
        if _digest(connection, device, sha256) != sha256:
            _forget(connection, device, sha256)
            return Decision(verdict=rejected("blob:digest", "/sha256"))
        connection.execute(update(blobs).where(*mine).values(completed_at=arrival.at))
    return Decision(verdict=ACCEPTED)


def _held_chunks(connection: Connection, device: str, sha256: str) -> int:
    mine = (chunks.c.device == device, chunks.c.sha256 == sha256)
    return connection.execute(select(func.count()).select_from(chunks).where(*mine)).scalar_one()


def _digest(connection: Connection, device: str, sha256: str) -> str:
    whole = hashlib.sha256()
    mine = (chunks.c.device == device, chunks.c.sha256 == sha256)
    rows = connection.execute(
        select(chunks.c.data).where(*mine).order_by(chunks.c.place),
        execution_options={"yield_per": 16},
    )
    for (data,) in rows:
        whole.update(data)
    return whole.hexdigest()


def _forget(connection: Connection, device: str, sha256: str) -> None:
    for table in (chunks, blobs):
        mine = (table.c.device == device, table.c.sha256 == sha256)
        connection.execute(delete(table).where(*mine))
