"""What a record link must be before it is saved: every problem at once, as values.

A care context's title is seen by many; ABDM allows it a small set of characters and no diagnosis
(M2). Only the characters and the length are checked: no list of words knows a diagnosis.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import chain
from typing import Any, Final

from enrollkit.domain.person import BirthDate
from enrollkit.domain.problem import Problem, Severity
from enrollkit.domain.record_link import HiType
from enrollkit.domain.shape_problems import label, shape_problems
from enrollkit.locale import _
from schemas.formats import is_date

__all__ = ["check_link", "default_reference", "normalise_link"]

_SHAPE: Final = "link-intake-1"
_TEXT_MAX: Final = 10_000
# Outside these a figure is likelier a slip of the pen than a patient (body mass in kg/m²).
_BODY_MASS_LEAST: Final = 8
_BODY_MASS_MOST: Final = 80
_HEIGHT_OF_ADULTS_CM: Final = 120


def normalise_link(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Give the row without nulls and outer spaces, facility in capitals, professional bare.

    Pure, never raises; every change of a text is told as a note. Unknown keys are left.
    """
    tidied: dict[str, Any] = {}
    notes: list[Problem] = []
    for key, value in row.items():
        new = _tidy(key, value)
        if new is None and key in _OPTIONAL:
            continue
        tidied[key] = new
        if isinstance(value, str) and new != value:
            notes.append(
                Problem(
                    pointer=f"/{key}",
                    code="normalised",
                    text=_("Written in the usual form. Look whether it is right."),
                    severity=Severity.NOTE,
                )
            )
    return tidied, notes


def check_link(row: Any, *, today: date, birth: BirthDate | None = None) -> list[Problem]:
    """Give all problems of a link row (schema ``link-intake-1``).

    ``today`` is the later of the laptop's date and the programme's day of issue; ``birth`` is the
    person's, where the person is known already.
    """
    found = shape_problems(_SHAPE, row)
    if isinstance(row, Mapping):
        found += chain(_date_problems(row, today, birth), _figure_problems(row))
    return sorted(found, key=lambda problem: (problem.pointer, problem.code))


def default_reference(row: Mapping[str, Any], record_id: str) -> str:
    """Give the care context's own number when the row brings none: ``OPC-20261111-7F3A09C21B44``.

    ``row`` has passed :func:`check_link`; ``record_id`` is the new link's random id (32 hex
    digits), of which 48 bits make the number unique at its facility.
    """
    kind = "".join(re.findall(r"[A-Z]", HiType(row["hi_type"]).value))
    return f"{kind}-{row['date'].replace('-', '')}-{record_id[:12].upper()}"


def _date_problems(
    row: Mapping[str, Any], today: date, birth: BirthDate | None
) -> Iterator[Problem]:
    written = row.get("date")
    if not isinstance(written, str) or not is_date(written):
        return
    day = date.fromisoformat(written)
    if day > today:
        yield Problem(
            pointer="/date",
            code="date-in-future",
            text=_("Date of the record: that day has not come yet."),
        )
    if birth is not None and day < birth.first_possible_day():
        yield Problem(
            pointer="/date",
            code="date-before-birth",
            text=_("Date of the record: before this person was born."),
        )


def _figure_problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    figures = row.get("observations")
    if not isinstance(figures, Mapping):
        return
    upper, lower = _figure(figures, "systolic"), _figure(figures, "diastolic")
    if upper is not None and lower is not None and lower >= upper:
        yield Problem(
            pointer="/observations/diastolic",
            code="blood-pressure-swapped",
            text=_("Blood pressure: the lower figure must be below the upper one."),
        )
    for one, other in (("systolic", "diastolic"), ("diastolic", "systolic")):
        if _figure(figures, one) is not None and figures.get(other) is None:
            yield Problem(
                pointer=f"/observations/{other}",
                code="blood-pressure-half",
                text=_("{field}: only one of the two was written down.").format(
                    field=label(f"/observations/{other}")
                ),
                severity=Severity.NOTE,
            )
    yield from _body_problems(figures)


def _body_problems(figures: Mapping[str, Any]) -> Iterator[Problem]:
    """Height and weight that no adult has together; children are left to the schema's bounds."""
    height, weight = _figure(figures, "height_cm"), _figure(figures, "weight_kg")
    if height is None or weight is None or height < _HEIGHT_OF_ADULTS_CM:
        return
    if not _BODY_MASS_LEAST <= weight / (height / 100) ** 2 <= _BODY_MASS_MOST:
        yield Problem(
            pointer="/observations/weight_kg",
            code="weight-unlikely",
            text=_("Weight: unlikely for that height. Look whether both are right."),
            severity=Severity.REVIEW,
        )


def _figure(figures: Mapping[str, Any], name: str) -> float | None:
    value = figures.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # A huge whole number cannot become a float; the schema has refused it.
    return float(value) if abs(value) < 1e6 else None  # noqa: PLR2004 - beyond any measurement


_OPTIONAL: Final = frozenset({"professional", "observations", "reference", "person", "person_row"})


def _tidy(key: str, value: Any) -> Any:
    if isinstance(value, Mapping) and key == "observations":
        return {name: figure for name, figure in value.items() if figure is not None} or None
    if not isinstance(value, str) or key not in _KNOWN_TEXTS or len(value) > _TEXT_MAX:
        return value
    text = value.strip(" ")
    if key == "facility":
        text = text.upper()
    if key == "professional":
        text = re.sub(r"[ -]", "", text)
    return None if key in _OPTIONAL and not text else text


_KNOWN_TEXTS: Final = frozenset({
    "person", "hi_type", "facility", "professional", "date", "display", "reference",
})  # fmt: skip
