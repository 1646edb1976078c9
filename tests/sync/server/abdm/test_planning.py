from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from server_laptops import person_body
from sync.server.abdm.planning import Plan, Road, ask_of, plan_road
from sync.server.abdm.settings import AbdmSettings

TODAY = date(2026, 11, 22)


def plan(benefit: str = "CAMP", **changes: Any) -> Plan:
    return plan_road(person_body(**changes), AbdmSettings(benefit=benefit), today=TODAY)


def without_number(year: int, month: int | None = None, day: int | None = None) -> Plan:
    birth = {"year": year, "month": month, "day": day}
    known = {name: value for name, value in birth.items() if value is not None}
    return plan(aadhaar_last4=None, capture_session=None, birth=known)


def test_an_aadhaar_number_and_a_benefit_need_nobody() -> None:
    found = plan()
    assert (found.road, found.needs_person, found.code) == (Road.DEMOGRAPHICS, False, "")


def test_without_a_benefit_of_its_own_the_programme_needs_a_code_from_the_person() -> None:
    assert plan(benefit="") == Plan(road=Road.OTP, code="person:otp")


def test_a_child_with_an_aadhaar_number_goes_the_same_road() -> None:
    assert plan(birth={"year": 2024}).road is Road.DEMOGRAPHICS


@pytest.mark.parametrize(
    ("birth", "road"),
    [
        ((2020,), Road.PARENT),
        ((2008,), Road.PARENT),
        ((2008, 11), Road.PARENT),
        ((2008, 10), Road.DOCUMENT),
        ((2008, 11, 23), Road.PARENT),
        ((2008, 11, 22), Road.DOCUMENT),
        ((2007,), Road.DOCUMENT),
        ((1950,), Road.DOCUMENT),
    ],
)
def test_without_one_a_child_needs_a_parent_and_an_adult_a_document(
    birth: tuple[int, ...], road: Road
) -> None:
    found = without_number(*birth)
    assert (found.road, found.pointer, found.needs_person) == (road, "/aadhaar", True)


def test_what_is_asked_never_prints_a_person() -> None:
    ask = ask_of(person_body(mobile=None), bytearray(b"999900000000"))
    assert (ask.mobile, ask.birth) == (None, (1980, 2, 3))
    assert repr(ask) == "DemographicAsk(<withheld>)"
