"""Reading and replacing values by JSON Pointer."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.pointers import value_at, with_value

BODY: dict[str, Any] = {"name": "Asha", "birth": {"year": 1987}, "guardian": None}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/name", "Asha"),
        ("/birth", {"year": 1987}),
        ("/birth/year", 1987),
        ("/birth/month", None),
        ("/name/first", None),
        ("/guardian/name", None),
        ("/nothing/at/all", None),
    ],
)
def test_a_pointer_gives_its_value_or_nothing(pointer: str, value: object) -> None:
    assert value_at(BODY, pointer) == value


def test_another_value_is_put_into_a_copy() -> None:
    changed = with_value(BODY, "/birth/year", 1990)
    assert (changed["birth"], BODY["birth"]) == ({"year": 1990}, {"year": 1987})
    assert with_value(BODY, "/guardian/name", "Ram")["guardian"] == {"name": "Ram"}


def test_taking_the_last_part_of_an_object_away_takes_the_object() -> None:
    body = {"guardian": {"name": "Ram"}}
    assert with_value(body, "/guardian/name", None) == {}
    assert with_value(body, "/guardian/name", None, kept=["guardian"]) == {"guardian": {}}
