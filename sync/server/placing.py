"""Where a batch belongs: in which life of its laptop. Forks are kept, never refused.

A batch that another one contradicts (its number is taken by other bytes, or its neighbours do not
fit) begins a fork life or continues one. In whatever order the batches of one chain arrive, the
digests that each names of the one before bring them together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select

from sync.chains import fork_life
from sync.errors import EnvelopeInvalid
from sync.protocol import NO_DIGEST, BatchHeader
from sync.server.lives import Chain, advance, find_lives, main_chain, trace
from sync.server.store import insert_once
from sync.server.store.tables import batches, chains

__all__ = ["Place", "place"]


_NUMBER_MAX: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a batch lies now.

    ``is_new``: it was not there before. ``began_fork``: a fork life begins with it. ``in_order``:
    every batch before it is held. ``held_upto``: how far its life is held without a gap; above its
    own number when it filled a gap.
    """

    batch: Row[Any]
    life: str
    is_new: bool
    began_fork: bool
    in_order: bool
    held_upto: int


class _Fit(IntEnum):
    """How well a batch fits into a life."""

    NOT = 0
    LOOSELY = 1
    """Nothing contradicts it, and nothing beside it proves it."""
    FIRMLY = 2
    """The batch before or after names it by digest."""


_Near = Mapping[tuple[str, int], Row[Any]]


def place(connection: Connection, header: BatchHeader, digest: bytes, *, now: int) -> Place:
    """Put a batch where it belongs; a batch that is there already stays where it is.

    ``EnvelopeInvalid`` when it claims to be the first and to follow another, or has numbers that
    nobody can count to.
    """
    if max(header.number, header.first_seq) > _NUMBER_MAX:
        raise EnvelopeInvalid("number")
    if header.number == 1 and header.previous != NO_DIGEST:
        raise EnvelopeInvalid("first batch")
    lives = _locked_lives(connection, header, digest)
    near = _near(connection, header, lives)
    for chain in lives:
        there = near.get((chain.life, header.number))
        if there is not None and there.digest == digest:
            return Place(
                batch=there,
                life=chain.life,
                is_new=False,
                began_fork=False,
                in_order=False,
                held_upto=chain.held_upto,
            )
    fitting = _fitting(connection, header, digest, lives, near)
    chain = fitting or _begin_fork(connection, header, digest)
    batch = _insert(connection, chain.life, header, digest, now)
    chain = _lowered(chain, header)
    held_upto = advance(connection, chain)
    whole = trace(connection, chain) if chain.is_fork else ()
    return Place(
        batch=batch,
        life=chain.life,
        is_new=True,
        began_fork=fitting is None,
        in_order=whole is not None and held_upto >= header.number,
        held_upto=held_upto,
    )


def _locked_lives(connection: Connection, header: BatchHeader, digest: bytes) -> list[Chain]:
    """Give all lives of the incarnation, the main one made if need be. Until the transaction ends
    nobody else places a batch of this incarnation.
    """
    empty = main_chain(header.device, header.incarnation)
    insert_once(connection, chains, dataclasses.asdict(empty))
    own = fork_life(header.device, header.incarnation, digest)
    return find_lives(connection, header.device, header.incarnation, also=own)


def _near(connection: Connection, header: BatchHeader, lives: Sequence[Chain]) -> _Near:
    around = select(batches).where(
        batches.c.device == header.device,
        batches.c.life.in_([chain.life for chain in lives]),
        batches.c.number.between(header.number - 1, header.number + 1),
    )
    return {(row.life, row.number): row for row in connection.execute(around)}


def _fitting(
    connection: Connection,
    header: BatchHeader,
    digest: bytes,
    lives: Sequence[Chain],
    near: _Near,
) -> Chain | None:
    """Give the life that the batch fits best; the main one where two are as good."""
    fits = [(chain, _fit(chain.life, header, digest, near)) for chain in lives]
    for chain, fit in fits:
        if fit is _Fit.FIRMLY and not _overlaps(connection, chain, header):
            return chain
    for chain, fit in fits:
        if fit is _Fit.LOOSELY and _may_lie_in(connection, chain, header):
            return chain
    return None


def _overlaps(connection: Connection, chain: Chain, header: BatchHeader) -> bool:
    """Whether a batch of this life has operations with the same numbers.

    Then a copy's batch lies above a gap in a place that is not its own, and the operations of one
    would pass for repetitions of the other's.
    """
    query = select(batches.c.number).where(
        batches.c.device == chain.device,
        batches.c.life == chain.life,
        batches.c.first_seq < header.first_seq + header.count,
        batches.c.first_seq + batches.c.operation_count > header.first_seq,
    )
    return connection.execute(query.limit(1)).first() is not None


def _fit(life: str, header: BatchHeader, digest: bytes, near: _Near) -> _Fit:
    before, after = near.get((life, header.number - 1)), near.get((life, header.number + 1))
    if near.get((life, header.number)) is not None:
        return _Fit.NOT
    if before is not None and before.digest != header.previous:
        return _Fit.NOT
    if after is not None and after.previous != digest:
        return _Fit.NOT
    return _Fit.LOOSELY if before is None and after is None else _Fit.FIRMLY


def _may_lie_in(connection: Connection, chain: Chain, header: BatchHeader) -> bool:
    """Whether a batch with a gap on either side may be of this life: its operations' numbers must
    lie between those of the batches around the gap, and nothing lies below a known beginning.
    """
    if chain.is_fork and header.number <= chain.base_number and trace(connection, chain):
        return False
    mine = (batches.c.device == chain.device, batches.c.life == chain.life)
    lower = connection.execute(
        select(batches.c.first_seq, batches.c.operation_count)
        .where(*mine, batches.c.number < header.number)
        .order_by(batches.c.number.desc())
        .limit(1)
    ).one_or_none()
    upper = connection.execute(
        select(batches.c.first_seq)
        .where(*mine, batches.c.number > header.number)
        .order_by(batches.c.number)
        .limit(1)
    ).one_or_none()
    is_above = lower is None or header.first_seq >= lower.first_seq + lower.operation_count
    return is_above and (upper is None or header.first_seq + header.count <= upper.first_seq)


def _begin_fork(connection: Connection, header: BatchHeader, digest: bytes) -> Chain:
    chain = Chain(
        device=header.device,
        life=fork_life(header.device, header.incarnation, digest),
        incarnation=header.incarnation,
        base_number=header.number - 1,
        base_digest=header.previous,
        held_upto=header.number - 1,
        held_digest=header.previous,
        durable_upto=0,
    )
    connection.execute(insert(chains).values(dataclasses.asdict(chain)))
    return chain


def _lowered(chain: Chain, header: BatchHeader) -> Chain:
    """Give the chain with its beginning moved down if the batch lies below it."""
    if not chain.is_fork or header.number > chain.base_number:
        return chain
    return dataclasses.replace(
        chain,
        base_number=header.number - 1,
        base_digest=header.previous,
        held_upto=header.number - 1,
        held_digest=header.previous,
    )


def _insert(
    connection: Connection, life: str, header: BatchHeader, digest: bytes, now: int
) -> Row[Any]:
    """Write the batch down; that nobody else may have its place is the table's key to say."""
    return connection.execute(
        insert(batches)
        .values(
            device=header.device,
            life=life,
            number=header.number,
            digest=digest,
            previous=header.previous,
            first_seq=header.first_seq,
            operation_count=header.count,
            audit_head=header.audit_head,
            received_at=now,
        )
        .returning(batches)
    ).one()
