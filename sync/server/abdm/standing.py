"""How the road to ABDM stands, for the office: who waits, who is to be called, what halts it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select

from sync.server.abdm.jobs import DUE, JobKind
from sync.server.store.tables import abdm_jobs, enrollments, links, meta

__all__ = ["clear_halts", "note_halt", "read_abdm_standing", "standing_lines"]

_HALTED: Final = "abdm-halted-"
_WORDS: Final = {JobKind.ENROLL.value: "asking for ABHA numbers", JobKind.LINK.value: "linking"}


def note_halt(connection: Connection, kind: JobKind, code: str, *, now: int) -> None:
    """Write down why nobody asks for anything of this kind any more (``now`` in ms)."""
    name = _HALTED + kind.value
    value = json.dumps({"code": code, "since": now // 1000})
    connection.execute(delete(meta).where(meta.c.name == name))
    connection.execute(meta.insert().values(name=name, value=value))


def clear_halts(connection: Connection) -> None:
    """Forget the halts: a worker begins, with whatever configuration there is now."""
    connection.execute(delete(meta).where(meta.c.name.startswith(_HALTED, autoescape=True)))


def read_abdm_standing(connection: Connection) -> dict[str, Any]:
    """Count: ``waiting`` for a number, thereof ``retrying``; ``call_back`` people to be called;
    ``links_waiting`` of people who have a number; ``halted`` by kind, with ABDM's code and since
    when (seconds).
    """
    waiting = (enrollments.c.state == "ACCEPTED", enrollments.c.abha_number.is_(None))
    retrying = (abdm_jobs.c.state == DUE, abdm_jobs.c.attempts > 0, abdm_jobs.c.kind == "enroll")
    with_number = select(enrollments.c.enrollment).where(enrollments.c.abha_number.is_not(None))
    linkable = (links.c.state == "ACCEPTED", links.c.enrollment.in_(with_number))
    return {
        "waiting": _count(connection, enrollments, *waiting),
        "retrying": _count(connection, abdm_jobs, *retrying),
        "call_back": _count(connection, enrollments, enrollments.c.state == "NEEDS_PERSON"),
        "links_waiting": _count(connection, links, *linkable),
        "halted": _halts(connection),
    }


def standing_lines(standing: Mapping[str, Any]) -> list[str]:
    """Say the same in words."""
    lines = [f"Waiting for an ABHA number: {standing['waiting']}"]
    if standing["retrying"]:
        lines[0] += f" ({standing['retrying']} of them were tried and are tried again)"
    lines.append(f"To be called back: {standing['call_back']}")
    if standing["links_waiting"]:
        lines.append(f"Records to be linked: {standing['links_waiting']}")
    lines += [
        f"Halted: {_WORDS[kind]}. ABDM refuses this server's configuration: {halt['code']}. "
        "Correct server.toml; the worker takes it up again by itself, or start it anew."
        for kind, halt in sorted(standing["halted"].items())
    ]
    return lines


def _halts(connection: Connection) -> dict[str, dict[str, Any]]:
    query = select(meta.c.name, meta.c.value).where(
        meta.c.name.startswith(_HALTED, autoescape=True)
    )
    return {
        row.name.removeprefix(_HALTED): json.loads(row.value) for row in connection.execute(query)
    }


def _count(connection: Connection, table: Any, *conditions: Any) -> int:
    query = select(func.count()).select_from(table).where(*conditions)
    number: int = connection.execute(query).scalar_one()
    return number
