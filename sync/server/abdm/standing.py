"""How the road to ABDM stands, for the office: who waits, who is to be called, what halts it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select

from sync.server.abdm.jobs import DUE, JobKind
from sync.server.abdm.waits import ATTEMPTS_MANY
from sync.server.refused import count_refused
from sync.server.store.tables import abdm_jobs, enrollments, links, meta

__all__ = ["NO_BENEFIT", "clear_halts", "note_halt", "read_abdm_standing", "standing_lines"]

_HALTED: Final = "abdm-halted-"
_OWNER_LETTERS: Final = 12
_HALT_SECONDS: Final = 3600
"""A worker that is halted looks again every quarter of an hour; what is older was left behind."""
_LONG_MS: Final = 6 * 3_600_000
NO_BENEFIT: Final = (
    "No benefit is set in server.toml ([abdm], benefit): everybody with an Aadhaar number is put "
    "on the call-back list, for a one-time code. Once one is set, they need no code."
)
_WORDS: Final = {JobKind.ENROLL.value: "asking for ABHA numbers", JobKind.LINK.value: "linking"}


def note_halt(
    connection: Connection, kind: JobKind, code: str, *, worker: str, since: int, now: int
) -> None:
    """Write down why a worker asks for nothing of this kind; ``since`` and ``now`` in ms."""
    name = _name(kind, worker)
    value = json.dumps({"code": code, "since": since // 1000, "seen": now // 1000})
    connection.execute(delete(meta).where(meta.c.name == name))
    connection.execute(meta.insert().values(name=name, value=value))


def clear_halts(connection: Connection, worker: str, kinds: Iterable[JobKind], *, now: int) -> None:
    """Forget a worker's own halts, and what any other left behind more than an hour ago."""
    names = [_name(kind, worker) for kind in kinds]
    names += [name for name, halt in _marks(connection) if not _is_fresh(halt, now)]
    connection.execute(delete(meta).where(meta.c.name.in_(names)))


def read_abdm_standing(
    connection: Connection, *, now: int, lacks_benefit: bool = False
) -> dict[str, Any]:
    """Count: ``waiting`` for a number, thereof ``retrying``; ``call_back`` people to be called;
    ``links_waiting`` of people who have a number; ``needs_look`` by code: what was tried so often
    in vain that it is tried once a day only; ``refused`` people and records that the office
    has to look at (:mod:`sync.server.refused`); ``halted`` by kind, with ABDM's code and since
    when (seconds). ``now`` in ms. ``lacks_benefit`` is what the settings say.
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
        "refused": count_refused(connection),
        "needs_look": _needs_look(connection),
        "halted": _halts(connection, now),
        "lacks_benefit": lacks_benefit,
    }


def standing_lines(standing: Mapping[str, Any]) -> list[str]:
    """Say the same in words."""
    lines = [f"Waiting for an ABHA number: {standing['waiting']}{_tried(standing['retrying'])}"]
    lines.append(f"To be called back: {standing['call_back']}")
    if standing["links_waiting"]:
        lines.append(f"Records to be linked: {standing['links_waiting']}")
    refused = standing["refused"]
    if any(refused.values()):
        people = _counted(refused["people"], "person", "people")
        records = _counted(refused["records"], "record", "records")
        lines.append(f"ABDM refused, to be looked at: {people}, {records} (see: calls --refused)")
    if found := standing["needs_look"]:
        codes = ", ".join(f"{code} {count}" for code, count in sorted(found.items()))
        lines.append(
            f"Need a look: {sum(found.values())} ({codes}). They are tried once a day; the "
            "worker's log says why."
        )
    lines += [
        f"Halted: {_WORDS[kind]}. ABDM refuses this server's configuration: {halt['code']}. "
        "Correct server.toml. The worker looks again every quarter of an hour; start it again to "
        "look at once."
        for kind, halt in sorted(standing["halted"].items())
    ]
    if standing["lacks_benefit"]:
        lines.append(NO_BENEFIT)
    return lines


def _needs_look(connection: Connection) -> dict[str, int]:
    """Count jobs by code that were tried often and wait for long: an outage lets none wait so."""
    long_wait = abdm_jobs.c.due_at - abdm_jobs.c.changed_at >= _LONG_MS
    query = (
        select(abdm_jobs.c.code, func.count())
        .where(abdm_jobs.c.state == DUE, abdm_jobs.c.attempts >= ATTEMPTS_MANY, long_wait)
        .group_by(abdm_jobs.c.code)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _name(kind: JobKind, worker: str) -> str:
    owner = hashlib.sha256(worker.encode()).hexdigest()[:_OWNER_LETTERS]
    return f"{_HALTED}{kind.value}-{owner}"


def _tried(count: int) -> str:
    if not count:
        return ""
    return f" ({count} {'was tried and is' if count == 1 else 'were tried and are'} tried again)"


def _counted(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _halts(connection: Connection, now: int) -> dict[str, dict[str, Any]]:
    """Give the oldest halt of each kind that a worker has seen within the hour."""
    found: dict[str, dict[str, Any]] = {}
    for name, halt in _marks(connection):
        kind = name.removeprefix(_HALTED).partition("-")[0]
        if _is_fresh(halt, now) and halt["since"] <= found.get(kind, halt)["since"]:
            found[kind] = {"code": halt["code"], "since": halt["since"]}
    return found


def _marks(connection: Connection) -> list[tuple[str, dict[str, Any]]]:
    query = select(meta.c.name, meta.c.value).where(
        meta.c.name.startswith(_HALTED, autoescape=True)
    )
    return [(row.name, json.loads(row.value)) for row in connection.execute(query)]


def _is_fresh(halt: Mapping[str, Any], now: int) -> bool:
    seen = int(halt.get("seen", halt["since"]))
    return abs(now // 1000 - seen) <= _HALT_SECONDS


def _count(connection: Connection, table: Any, *conditions: Any) -> int:
    query = select(func.count()).select_from(table).where(*conditions)
    number: int = connection.execute(query).scalar_one()
    return number
