"""Health records linked to people: one by one, or a file of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from enrollkit.app.desk import Desk
from enrollkit.app.outgoing import queue_link
from enrollkit.app.results import LinkResult
from enrollkit.app.row_files import FileRow, read_rows
from enrollkit.domain.link_rules import check_link, default_reference, normalise_link
from enrollkit.domain.problem import Problem, Severity
from enrollkit.domain.record_link import RecordLink
from enrollkit.domain.rules import stands_in_the_way
from enrollkit.errors import RecordNotFound
from enrollkit.locale import _
from enrollkit.store.audit import append_audit
from enrollkit.store.enrollments import (
    StoredEnrollment,
    find_enrollment,
    find_source_row,
    source_names,
)
from enrollkit.store.links import insert_link

__all__ = ["Links"]


class Links:
    """Record links of the people on this laptop."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add(self, person: str, row: Mapping[str, Any]) -> LinkResult:
        """Link one record to a person; the same reference at the same facility links once."""
        return self._add({**row, "person": person}, number=1, people_file=None)

    def add_file(self, path: Path, people_file: Path | None = None) -> Iterator[LinkResult]:
        """Link every row of a file.

        ``people_file`` is the enrolled file whose lines ``person_row`` counts. It may be left out
        when only one file was enrolled here, or when the names tell: ``camp_links.jsonl`` belongs
        to ``camp.jsonl``.
        """
        name = people_file.name if people_file else self._file_that_fits(path)
        for file_row in read_rows(path):
            yield self._add_file_row(file_row, name)

    def _file_that_fits(self, path: Path) -> str | None:
        names = self._desk.database.read(source_names)
        fitting = [name for name in names if path.stem.startswith(Path(name).stem)]
        return max(fitting, key=len, default=None)

    def _add_file_row(self, file_row: FileRow, people_file: str | None) -> LinkResult:
        if file_row.value is None:
            problems = (file_row.problem,) if file_row.problem else ()
            return LinkResult(row=file_row.number, ok=False, problems=problems)
        return self._add(file_row.value, number=file_row.number, people_file=people_file)

    def _add(self, row: Mapping[str, Any], *, number: int, people_file: str | None) -> LinkResult:
        tidied, notes = normalise_link(row)
        result = self._desk.database.write(lambda tx: self._submit(tx, tidied, number, people_file))
        return replace(result, notes=(*result.notes, *notes))

    def _submit(
        self, tx: Any, row: dict[str, Any], number: int, people_file: str | None
    ) -> LinkResult:
        person = _find_person(tx, row, people_file)
        known = person if isinstance(person, StoredEnrollment) else None
        problems = check_link(
            row,
            today=self._desk.today(),
            birth=known.enrollment.person.birth if known else None,
        )
        if isinstance(person, Problem):
            problems.append(person)
        told = tuple(problem for problem in problems if problem.severity is Severity.NOTE)
        if known is None or stands_in_the_way(problems):
            faults = tuple(problem for problem in problems if problem not in told)
            return LinkResult(row=number, ok=False, problems=faults, notes=told)
        return replace(self._save(tx, row, number, known), notes=told)

    def _save(
        self, tx: Any, row: dict[str, Any], number: int, person: StoredEnrollment
    ) -> LinkResult:
        desk, record = self._desk, self._desk.system.token(16).hex()
        body = {key: row[key] for key in row if key not in {"person", "person_row"}}
        body.setdefault("reference", default_reference(row, record))
        body["enrollment"] = person.enrollment.id
        link = RecordLink.from_body(body, record_id=record)
        now, slot = desk.system.now(), desk.operator.slot
        before = insert_link(tx, link, saved_at=now, operator=slot)
        if before is not None:
            return LinkResult(
                row=number, ok=True, id=before, reference=link.reference, already=True
            )
        queue_link(tx, desk, link)
        append_audit(tx, at=now, operator=slot, action="link.add", record=record)
        return LinkResult(row=number, ok=True, id=record, reference=link.reference)


def _find_person(
    tx: Any, row: Mapping[str, Any], people_file: str | None
) -> StoredEnrollment | Problem | None:
    """Give the person that a row names, or why not; ``None`` leaves it to the row's own shape."""
    ident, line = row.get("person"), row.get("person_row")
    if isinstance(ident, str):
        try:
            return find_enrollment(tx, ident)
        except RecordNotFound:
            return _nobody("/person")
    if isinstance(line, int) and not isinstance(line, bool):
        return _find_by_line(tx, line, people_file)
    return None


def _find_by_line(tx: Any, line: int, people_file: str | None) -> StoredEnrollment | Problem:
    names = [people_file] if people_file else source_names(tx)
    if len(names) > 1:
        return Problem(
            pointer="/person_row",
            code="which-file",
            text=_("Several files were enrolled here. Name the right one with --people FILE."),
        )
    found = find_source_row(tx, names[0], line) if names else None
    return found or _nobody("/person_row")


def _nobody(pointer: str) -> Problem:
    return Problem(pointer=pointer, code="person-not-found", text=_("Nobody here has that number."))
