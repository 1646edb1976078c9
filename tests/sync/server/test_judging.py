from __future__ import annotations

from typing import Any

import pytest

import schemas
from server_laptops import Office, link_body, person_body, record_id
from sync.protocol import BODY_SHAPES, Operation, OperationKind
from sync.server.judging import judge

BIRTH = {"year": 1980, "month": 2, "day": 3}
ADDRESS = person_body()["address"]
OBSERVED = {"systolic": 120, "temperature_c": 37.0, "height_cm": 160.0, "weight_kg": 54.5}
CHUNK = {"sha256": "0" * 64, "media_type": "image/png", "index": 0, "count": 1}


def operation(kind: OperationKind, body: dict[str, Any]) -> Operation:
    return Operation(
        seq=1, record=record_id(), kind=kind, base_version=0, body=body, operator=0, captured=1
    )


@pytest.mark.parametrize(
    ("kind", "body", "pointer"),
    [
        (OperationKind.ENROLLMENT_SUBMIT, person_body(birth={**BIRTH, "year": 1980.0}),
         "/birth/year"),
        (OperationKind.ENROLLMENT_SUBMIT, person_body(birth={**BIRTH, "day": 3.0}), "/birth/day"),
        (OperationKind.ENROLLMENT_AMEND, person_body(address={**ADDRESS, "state": 7.0}),
         "/address/state"),
        (OperationKind.ENROLLMENT_AMEND, person_body(address={**ADDRESS, "district": 1e300}),
         "/address/district"),
        (OperationKind.LINK_ADD, link_body("0" * 32, observations={**OBSERVED, "systolic": 120.0}),
         "/observations/systolic"),
        (OperationKind.BLOB_CHUNK, {**CHUNK, "count": 1.0}, "/count"),
        (OperationKind.CLOCK_READING, {"boot": "0" * 16, "monotonic": 5.0, "wall": 1},
         "/monotonic"),
    ],
)  # fmt: skip
def test_a_number_that_is_whole_only_by_value_is_refused_where_it_stands(
    kind: OperationKind, body: dict[str, Any], pointer: str
) -> None:
    verdict = judge(operation(kind, body))
    assert verdict is not None
    assert (verdict.outcome.value, verdict.pointer) == ("rejected", pointer)
    assert verdict.code.startswith(("schema:type", "schema:max"))


def test_a_measure_may_be_a_fraction_that_is_whole() -> None:
    body = link_body("0" * 32, observations=OBSERVED)
    assert judge(operation(OperationKind.LINK_ADD, body)) is None


def test_a_person_in_such_numbers_reaches_no_table(office: Office) -> None:
    laptop = office.laptop()
    odd = laptop.person(birth={**BIRTH, "year": 1980.0})
    receipt = office.take(laptop, laptop.batch([odd, laptop.person()]))
    assert [verdict.outcome.value for verdict in receipt.verdicts] == ["rejected", "accepted"]
    assert office.count("SELECT count(*) FROM enrollments") == 1


def test_no_shape_bounds_a_fraction_otherwise_than_by_a_range() -> None:
    """What judging halves must only ever be too small or too large where a fraction may stand."""

    def look(schema: Any) -> None:
        if isinstance(schema, dict):
            if schema.get("type") == "number":
                assert set(schema) <= {"type", "minimum", "maximum", "description"}
            for inner in schema.values():
                look(inner)
        elif isinstance(schema, list):
            for inner in schema:
                look(inner)

    for shape in set(BODY_SHAPES.values()):
        look(schemas.load(shape))
