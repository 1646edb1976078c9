"""The tables, as steps that are taken once each and recorded in the transaction that takes them.

A step that has left this house is never changed; a new one is added.
"""

from __future__ import annotations

from typing import Final

import sqlite_utils
from sqlite_utils.migrations import Migrations

from enrollkit.errors import StoreTooNew
from enrollkit.store.tables import (
    COLUMNS_OF_CALLS,
    FIRST_TABLES,
    TABLES_OF_ANCHORS,
    TABLES_OF_LIVES_AND_STICKS,
)

__all__ = ["STEPS", "migrate"]

STEPS: Final = Migrations("enrollkit")


def migrate(tx: sqlite_utils.Database) -> None:
    """Take the steps that this file lacks; ``StoreTooNew`` if it has one that we do not know."""
    known = {step.name for step in STEPS._migrations}  # noqa: SLF001 - it has no public list
    applied = {step.name for step in STEPS.applied(tx)}
    if applied - known:
        raise StoreTooNew(f"steps: {len(applied - known)} unknown")
    if applied != known:
        STEPS.apply(tx)


@STEPS()
def m0001_first_tables(tx: sqlite_utils.Database) -> None:
    """The tables of version 0.1.0."""
    for statement in FIRST_TABLES:
        tx.execute(statement)


@STEPS()
def m0002_lives_and_sticks(tx: sqlite_utils.Database) -> None:
    """Several lives of one device, sticks, couriers, news that is known by its id."""
    for statement in TABLES_OF_LIVES_AND_STICKS:
        tx.execute(statement)


@STEPS()
def m0003_calls(tx: sqlite_utils.Database) -> None:
    """When somebody is to be called, and not before."""
    for statement in COLUMNS_OF_CALLS:
        tx.execute(statement)


@STEPS()
def m0004_anchors(tx: sqlite_utils.Database) -> None:
    """Certificates that Aadhaar documents are checked with, beside those of the programme."""
    for statement in TABLES_OF_ANCHORS:
        tx.execute(statement)
