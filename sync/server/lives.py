"""The lives of a laptop as the server keeps them: chains of batches, some branching off another.

Where two laptops wrote under one incarnation (a copied or restored disk), the chain that came
second is kept as a *fork life* beside the first. Nothing is refused and nothing is overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, case, or_, select, update

from sync.protocol import NO_DIGEST
from sync.server.store.tables import batches, chains

__all__ = [
    "FORKS_DEEP_MAX",
    "LIVES_MAX",
    "Chain",
    "Segment",
    "Trace",
    "advance",
    "chain_from",
    "chain_of_hello",
    "durable_upto",
    "find_chain",
    "find_lives",
    "main_chain",
    "trace",
    "whole_chains",
]

LIVES_MAX: Final = 64
"""Lives of one incarnation that are looked through. A batch of a further one begins its own life:
nothing is lost by that, and nobody can make the server search for hours.
"""


FORKS_DEEP_MAX: Final = 64
"""Forks of forks that are followed down. Whoever copies copies more often is told less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One life: from which batch it branches off and how far it is held from there without a gap.

    ``base_number`` is 0 for a life that branches off nothing.
    """

    device: str
    life: str
    incarnation: str
    base_number: int
    base_digest: bytes
    held_upto: int
    held_digest: bytes
    durable_upto: int

    @property
    def is_fork(self) -> bool:
        """Whether another life has the same incarnation and came first."""
        return self.life != self.incarnation


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The part of a laptop's chain that lies in one life: batches above ``after``, to ``upto``."""

    life: str
    after: int
    upto: int
    durable_upto: int


Trace = tuple[Segment, ...]
"""A laptop's whole chain, newest part first, down to its first batch."""


def main_chain(device: str, incarnation: str) -> Chain:
    """Give the chain of an incarnation that nothing came from."""
    return Chain(
        device=device,
        life=incarnation,
        incarnation=incarnation,
        base_number=0,
        base_digest=NO_DIGEST,
        held_upto=0,
        held_digest=NO_DIGEST,
        durable_upto=0,
    )


def find_lives(
    connection: Connection, device: str, incarnation: str, *, also: str = ""
) -> list[Chain]:
    """Give the lives of an incarnation, the main one first, and lock them for this transaction.

    At most ``LIVES_MAX``; the life called ``also`` is never left out.
    """
    order = case((chains.c.life == incarnation, 0), (chains.c.life == also, 1), else_=2)
    query = (
        select(chains)
        .where(chains.c.device == device, chains.c.incarnation == incarnation)
        .order_by(order, chains.c.life)
        .limit(LIVES_MAX)
        .with_for_update()
    )
    return [chain_from(row) for row in connection.execute(query)]


def find_chain(connection: Connection, device: str, life: str) -> Chain | None:
    """Give the chain that is kept as a life."""
    mine = (chains.c.device == device, chains.c.life == life)
    row = connection.execute(select(chains).where(*mine)).one_or_none()
    return None if row is None else chain_from(row)


def chain_of_hello(
    connection: Connection, device: str, incarnation: str, last: int, digest: bytes
) -> tuple[Chain, bool]:
    """Give the chain that a laptop speaks of, and whether it is surely that laptop's own.

    Sure is only a chain that holds the laptop's newest batch. Otherwise the main one is given: a
    laptop that finds a batch there that it never made knows that it has a twin.
    """
    lives = find_lives(connection, device, incarnation)
    main = lives[0] if lives and not lives[0].is_fork else main_chain(device, incarnation)
    if not last:
        return main, False
    holding = select(batches.c.life).where(
        batches.c.device == device,
        batches.c.life.in_([chain.life for chain in lives]),
        batches.c.number == last,
        batches.c.digest == digest,
    )
    life = connection.execute(holding).scalars().first()
    for chain in lives:
        if chain.life == life and trace(connection, chain) is not None:
            return chain, True
    return main, False


def trace(connection: Connection, chain: Chain) -> Trace | None:
    """Follow a chain down to its first batch, through the lives it branches off.

    ``None`` while a batch that it branches off has not arrived, and below ``FORKS_DEEP_MAX`` forks
    of forks.
    """
    found = [_segment(chain, chain.held_upto)]
    while chain.base_number:
        if len(found) > FORKS_DEEP_MAX:
            return None
        upto = chain.base_number
        parent = _holder(connection, chain)
        if parent is None or parent.held_upto < upto:
            return None
        found.append(_segment(parent, upto))
        chain = parent
    return tuple(found)


def whole_chains(connection: Connection) -> list[Chain]:
    """Give every chain that can be traced to its first batch; each parent is looked for once."""
    depths: dict[tuple[str, str], int] = {}
    found = []
    for chain in map(chain_from, connection.execute(select(chains)).all()):
        _measure(connection, chain, depths)
        if depths[chain.device, chain.life] <= FORKS_DEEP_MAX:
            found.append(chain)
    return found


def _measure(connection: Connection, chain: Chain, depths: dict[tuple[str, str], int]) -> None:
    """Note of how many forks a chain and its parents are; too many where a batch is missing."""
    path, depth, here = [], 0, chain
    while here.base_number and (here.device, here.life) not in depths:
        path.append((here.device, here.life))
        parent = _holder(connection, here)
        if parent is None or parent.held_upto < here.base_number:
            depth = FORKS_DEEP_MAX
            break
        here = parent
    else:
        depth = depths.setdefault((here.device, here.life), 0)
    for place, key in enumerate(reversed(path), start=1):
        depths[key] = depth + place


def durable_upto(whole: Trace | None) -> int:
    """Give up to which batch a laptop's chain lies in verified backups; 0 if that is not known."""
    for segment in whole or ():
        if segment.durable_upto > segment.after:
            return min(segment.durable_upto, segment.upto)
    return 0


def advance(connection: Connection, chain: Chain) -> int:
    """Move the mark of a life over every batch that now follows without a gap; give the mark."""
    number, digest = chain.held_upto, chain.held_digest
    following = select(batches.c.number, batches.c.digest).where(
        batches.c.device == chain.device,
        batches.c.life == chain.life,
        batches.c.number > number,
    )
    for row in connection.execute(following.order_by(batches.c.number)):
        if row.number != number + 1:
            break
        number, digest = row.number, row.digest
    connection.execute(
        update(chains)
        .where(chains.c.device == chain.device, chains.c.life == chain.life)
        .values(
            held_upto=number,
            held_digest=digest,
            base_number=chain.base_number,
            base_digest=chain.base_digest,
        )
    )
    return number


def _holder(connection: Connection, chain: Chain) -> Chain | None:
    """Find the life of the same incarnation that holds the batch a chain branches off."""
    query = (
        select(chains)
        .join(batches, (batches.c.device == chains.c.device) & (batches.c.life == chains.c.life))
        .where(
            chains.c.device == chain.device,
            chains.c.incarnation == chain.incarnation,
            batches.c.number == chain.base_number,
            batches.c.digest == chain.base_digest,
            or_(chains.c.base_number < chain.base_number, chains.c.base_number == 0),
        )
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else chain_from(row)


def _segment(chain: Chain, upto: int) -> Segment:
    return Segment(
        life=chain.life, after=chain.base_number, upto=upto, durable_upto=chain.durable_upto
    )


def chain_from(row: Row[Any]) -> Chain:
    """Give a row of ``chains`` as a chain."""
    return Chain(
        device=row.device,
        life=row.life,
        incarnation=row.incarnation,
        base_number=row.base_number,
        base_digest=bytes(row.base_digest),
        held_upto=row.held_upto,
        held_digest=bytes(row.held_digest),
        durable_upto=row.durable_upto,
    )
