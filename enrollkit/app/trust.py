"""The certificates by which Aadhaar documents are believed on this laptop.

They come from outside: with the programme, or from a file that a supervisor added and whose
fingerprint they compared. None comes with the kit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from enrollkit.app.desk import Desk
from enrollkit.errors import FileUnreadable, VaultError
from enrollkit.locale import _
from enrollkit.store.anchors import StoredAnchor, drop_anchor, insert_anchor, stored_anchors
from enrollkit.store.audit import append_audit
from enrollkit.store.database import Tx
from enrollkit.store.operators import Role, operator
from sync.anchors import (
    ANCHORS_MAX,
    FILE_BYTES_MAX,
    SOURCE_MAX,
    AnchorInvalid,
    TrustAnchor,
    find_anchor,
    load_anchor,
    read_anchor,
)
from sync.programme import ProgrammeAnchor

__all__ = ["AnchorOfProgramme", "AnchorRow", "SupervisorNeeded", "Trust", "believed_anchors"]


_RECORD: Final = 32
"""Digits of the fingerprint in the audit: as many as a record's id has."""


class SupervisorNeeded(VaultError):
    """Only the supervisor of this laptop may do that. Nothing was changed. Ask them to do it."""

    code = "supervisor-needed"
    exit_code = 14


class AnchorOfProgramme(VaultError):
    """That certificate comes with the programme. Nothing was changed. Only the office can take it
    away, with: enrollkit-server trust remove
    """

    code = "anchor-of-programme"
    exit_code = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorRow:
    """One certificate in a list; days are Unix times. ``added_at`` is 0 for the programme's.

    ``is_usable`` is false for one of the programme that this laptop cannot read: nothing is checked
    with it, and its name and life are not known.
    """

    fingerprint: str
    name: str
    begins: int
    ends: int
    source: str
    is_of_programme: bool
    is_usable: bool = True
    added_at: int = 0


class Trust:
    """Adding, showing and taking away."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def look(self, file: Path) -> AnchorRow:
        """Read a certificate's file and show what it is, before anybody believes it."""
        return _row(read_anchor(_bytes(file), source=file.name), is_of_programme=False)

    def add(self, file: Path, *, source: str = "", fingerprint: str = "") -> tuple[AnchorRow, bool]:
        """Believe a certificate from now on; give it, and whether it was new.

        ``SupervisorNeeded`` for anybody else, ``AnchorInvalid`` for a file that holds none,
        ``AnchorUnknown`` when it is not the one of that fingerprint, if any was given: the file may
        have been exchanged since somebody looked at it.
        """
        self._demand_supervisor()
        anchor = read_anchor(_bytes(file), source=(source or file.name)[:SOURCE_MAX])
        if fingerprint:
            find_anchor([anchor.fingerprint], fingerprint)
        if anchor.fingerprint in {row.fingerprint for row in self.list()}:
            return _row(anchor, is_of_programme=False), False
        now, slot = self._desk.system.now(), self._desk.operator.slot
        self._desk.database.write(lambda tx: _keep(tx, anchor, at=now, operator=slot))
        return _row(anchor, is_of_programme=False, added_at=now), True

    def list(self) -> list[AnchorRow]:
        """Give all of them, the one that ends last first."""
        rows = {row.fingerprint: row for row in self._added()}
        rows |= {row.fingerprint: row for row in _of_programme(self._desk)}
        return sorted(rows.values(), key=lambda row: (-row.ends, row.fingerprint))

    def remove(self, fingerprint: str) -> AnchorRow:
        """Believe one no more that was added here; its first sixteen digits are enough.

        ``AnchorUnknown`` if none is meant, ``AnchorOfProgramme`` if it is the office's.
        """
        self._demand_supervisor()
        rows = {row.fingerprint: row for row in self.list()}
        found = find_anchor(list(rows), fingerprint)
        if rows[found].is_of_programme:
            raise AnchorOfProgramme
        now, slot = self._desk.system.now(), self._desk.operator.slot
        self._desk.database.write(lambda tx: _drop(tx, found, at=now, operator=slot))
        return rows[found]

    def _demand_supervisor(self) -> None:
        slot = self._desk.operator.slot
        if self._desk.database.read(lambda tx: operator(tx, slot)).role is not Role.SUPERVISOR:
            raise SupervisorNeeded

    def _added(self) -> Iterator[AnchorRow]:
        for stored in self._desk.database.read(stored_anchors):
            anchor = load_anchor(stored.certificate, source=stored.source)
            yield _row(anchor, is_of_programme=False, added_at=stored.added_at)


def believed_anchors(desk: Desk) -> list[TrustAnchor]:
    """Give every certificate that documents are tried with; one that cannot be read is none."""
    added = [
        load_anchor(
            stored.certificate, source=_("added here: {source}").format(source=stored.source)
        )
        for stored in desk.database.read(stored_anchors)
    ]
    office = [
        replace(anchor, source=_("the programme: {source}").format(source=anchor.source))
        for anchor in (_usable(offered) for offered in desk.programme.anchors)
        if anchor is not None
    ]
    return list({anchor.fingerprint: anchor for anchor in (*added, *office)}.values())


def _keep(tx: Tx, anchor: TrustAnchor, *, at: int, operator: int) -> None:
    stored = StoredAnchor(
        fingerprint=anchor.fingerprint,
        certificate=anchor.certificate,
        source=anchor.source,
        added_at=at,
    )
    if len(stored_anchors(tx)) >= ANCHORS_MAX:
        raise AnchorInvalid("too many certificates")
    if insert_anchor(tx, stored, operator=operator):
        record = anchor.fingerprint[:_RECORD]
        append_audit(tx, at=at, operator=operator, action="trust.add", record=record)


def _drop(tx: Tx, fingerprint: str, *, at: int, operator: int) -> None:
    drop_anchor(tx, fingerprint)
    record = fingerprint[:_RECORD]
    append_audit(tx, at=at, operator=operator, action="trust.remove", record=record)


def _of_programme(desk: Desk) -> Iterator[AnchorRow]:
    for offered in desk.programme.anchors:
        anchor = _usable(offered)
        if anchor is not None:
            yield _row(anchor, is_of_programme=True)
            continue
        yield AnchorRow(
            fingerprint=hashlib.sha256(offered.certificate).hexdigest(),
            name="?",
            begins=0,
            ends=0,
            source=offered.source,
            is_of_programme=True,
            is_usable=False,
        )


def _usable(offered: ProgrammeAnchor) -> TrustAnchor | None:
    """Read one of the programme's; ``None`` is listed as one that cannot be used here."""
    try:
        return load_anchor(offered.certificate, source=offered.source)
    except AnchorInvalid:
        return None


def _row(anchor: TrustAnchor, *, is_of_programme: bool, added_at: int = 0) -> AnchorRow:
    return AnchorRow(
        fingerprint=anchor.fingerprint,
        name=anchor.name,
        begins=anchor.begins,
        ends=anchor.ends,
        source=anchor.source,
        is_of_programme=is_of_programme,
        added_at=added_at,
    )


def _bytes(file: Path) -> bytes:
    """Read the file, and a byte more than is taken, so that a larger one is told."""
    try:
        with file.open("rb") as source:
            return source.read(FILE_BYTES_MAX + 1)
    except OSError as problem:
        raise FileUnreadable(problem.strerror or "cannot be opened") from problem
