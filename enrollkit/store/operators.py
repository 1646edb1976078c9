"""Who works on this laptop: the names that belong to the key slots."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from enrollkit.errors import OperatorUnknown
from enrollkit.store.database import Tx

__all__ = ["Role", "StoredOperator", "add_operator", "end_operator", "list_operators", "operator"]


class Role(StrEnum):
    """What somebody may do here."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOperator:
    """A slot's person; ``until`` is set when the slot was taken away."""

    slot: int
    name: str
    role: Role
    since: int
    until: int | None


def add_operator(tx: Tx, slot: int, *, name: str, role: Role, at: int) -> None:
    """Name the person of a fresh slot; a slot's number is never given to a second person."""
    tx.execute(
        "INSERT INTO operators (slot, name, role, since) VALUES (?, ?, ?, ?)",
        (slot, name, role.value, at),
    )


def end_operator(tx: Tx, slot: int, *, at: int) -> None:
    """Note that the slot was taken away."""
    tx.execute("UPDATE operators SET until = ? WHERE slot = ? AND until IS NULL", (at, slot))


def operator(tx: Tx, slot: int) -> StoredOperator:
    """Give the person of a slot; ``OperatorUnknown`` if nobody has it."""
    found = [person for person in list_operators(tx, ended=True) if person.slot == slot]
    if not found:
        raise OperatorUnknown(f"slot {slot}")
    return found[0]


def list_operators(tx: Tx, *, ended: bool = False) -> list[StoredOperator]:
    """Give the people of the slots in use, with ``ended`` also those who left."""
    rows = tx.execute("SELECT slot, name, role, since, until FROM operators ORDER BY slot")
    everybody = [
        StoredOperator(slot=slot, name=name, role=Role(role), since=since, until=until)
        for slot, name, role, since, until in rows.fetchall()
    ]
    return [person for person in everybody if ended or person.until is None]
