"""The programme's own data, given back: rows as they were captured, and the counts."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

import schemas
from schemas.numbers import provisional_number
from sync.server.clocks import Clocks
from sync.server.errors import FileUnusable
from sync.server.programme import read_meta
from sync.server.store.tables import (
    abdm_jobs,
    devices,
    enrollment_versions,
    enrollments,
    held_operations,
    links,
)

__all__ = ["ServerStanding", "enrollment_rows", "link_rows", "read_standing", "write_lines"]

_ROWS_AT_ONCE: Final = 200
_WITHHELD_KEY: Final = "aadhaar"
_SHADOWED: Final = "SHADOWED"
"""A link that says what another says; see :mod:`sync.server.links`."""
_WITH_REASON: Final = frozenset({"RETURNED", "NEEDS_PERSON"})
_GONE: Final = frozenset({"REMOVED", _SHADOWED})
_SEAL_KEY: Final = "capture_session"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStanding:
    """Counts that are so; ``held`` operations wait for a person or for another record."""

    enrollments: int
    by_state: dict[str, int]
    links: int
    links_by_state: dict[str, int]
    held: int
    devices: int
    devices_by_state: dict[str, int]
    epoch: str


def enrollment_rows(connection: Connection) -> Iterator[dict[str, Any]]:
    """Give every enrollment's newest version as an intake row, with state and numbers.

    In the order of arrival. Facts that were not given are null again; of the Aadhaar number there
    are the last four digits. ``captured_at`` is when it was written, put right as far as the
    laptop's clock is known, and ``captured_within`` how many seconds it may be off either way.
    ``reason`` is the code for which a person came back or is to be called.
    """
    clocks = Clocks(connection)
    newest = (enrollment_versions.c.enrollment == enrollments.c.enrollment) & (
        enrollment_versions.c.version == enrollments.c.version
    )
    job = (abdm_jobs.c.enrollment == enrollments.c.enrollment) & (abdm_jobs.c.kind == "enroll")
    query = (
        select(
            enrollments,
            enrollment_versions.c.body,
            enrollment_versions.c.captured,
            enrollment_versions.c.device.label("writer"),
            enrollment_versions.c.life,
            enrollment_versions.c.seq,
            abdm_jobs.c.code.label("reason"),
        )
        .join(enrollment_versions, newest)
        .outerjoin(abdm_jobs, job)
        .order_by(
            enrollments.c.received_at,
            enrollment_versions.c.device,
            enrollment_versions.c.seq,
        )
    )
    for row in connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}):
        instant = clocks.instant(row.writer, row.life, row.seq, row.captured)
        yield {
            **_enrollment_row(row),
            "captured_at": instant.at,
            "captured_within": instant.within,
        }


def link_rows(connection: Connection) -> Iterator[dict[str, Any]]:
    """Give every record link with the person's id, in the order of arrival."""
    order = (links.c.received_at, links.c.enrollment, links.c.link)
    query = select(links).where(links.c.state != _SHADOWED).order_by(*order)
    for row in connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}):
        body = json.loads(row.body)
        yield {
            "professional": None,
            "observations": None,
            **body,
            "id": row.link,
            "provisional": provisional_number(row.enrollment),
            "state": row.state,
            "device": row.device,
            "received_at": row.received_at,
        }


def read_standing(connection: Connection) -> ServerStanding:
    """Count."""
    by_state = _counts(connection, enrollments.c.state)
    by_device_state = _counts(connection, devices.c.state)
    by_link_state = {
        state: count
        for state, count in _counts(connection, links.c.state).items()
        if state not in _GONE
    }
    held = select(func.count()).select_from(held_operations)
    return ServerStanding(
        enrollments=sum(by_state.values()),
        by_state=by_state,
        links=sum(by_link_state.values()),
        links_by_state=by_link_state,
        held=connection.execute(held).scalar_one(),
        devices=sum(by_device_state.values()),
        devices_by_state=by_device_state,
        epoch=read_meta(connection)["epoch"],
    )


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as JSON Lines, whole or not at all, readable by the owner only; give the count."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    count = 0
    try:
        with os.fdopen(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one is the count
                file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise FileUnusable("export") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return count


def _counts(connection: Connection, column: Any) -> dict[str, int]:
    query = select(column, func.count()).group_by(column).order_by(column)
    return {state: number for state, number in connection.execute(query).all()}  # noqa: C416 - rows are no pairs to mypy


def _enrollment_row(row: Row[Any]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(row.body)
    body.pop(_SEAL_KEY, None)
    captured = {name: body.get(name) for name in _intake_keys()}
    captured["consent"] = {**body["consent"], "witness": body["consent"].get("witness")}
    return {
        **captured,
        "aadhaar_last4": body.get("aadhaar_last4"),
        "id": row.enrollment,
        "provisional": provisional_number(row.enrollment),
        "state": row.state,
        "reason": (row.reason or None) if row.state in _WITH_REASON else None,
        "version": row.version,
        "device": row.device,
        "received_at": row.received_at,
        "abha_number": row.abha_number,
        "abha_address": row.abha_address,
    }


def _intake_keys() -> list[str]:
    return [name for name in schemas.load("intake-1")["properties"] if name != _WITHHELD_KEY]
