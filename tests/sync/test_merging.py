from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from schemas.pointers import value_at
from server_laptops import person_body
from sync.merging import UNITS, FieldClass, merge

NAMES = st.sampled_from(["Kamla Devi", "Kamala", "Kamla Bai"])
CONTACTS: dict[str, st.SearchStrategy[Any]] = {
    "language": st.sampled_from(["hi", "mr", "ta"]),
    "household": st.sampled_from(["H1", "H2", None]),
    "camp": st.sampled_from(["C1", "C2", None]),
    "abha_address_choice": st.sampled_from(["kamla.devi", "kamla_1990", None]),
}
REGISTERS: dict[str, st.SearchStrategy[Any]] = {
    "name": NAMES,
    "name_native": st.sampled_from(["कमला देवी", "कमला", None]),
    "gender": st.sampled_from(["F", "M", "O"]),
    "birth": st.sampled_from([{"year": 1980}, {"year": 1981, "month": 2}]),
    "guardian": st.sampled_from([None, {"name": "Ram", "relation": "father"}]),
}
MOBILES = st.sampled_from(
    [
        {"mobile": "9123456780", "mobile_owner": "self"},
        {"mobile": "9123456781", "mobile_owner": "family"},
        {"mobile": None, "mobile_owner": "none"},
    ]
)
NUMBERS = st.sampled_from(
    [
        {"aadhaar_last4": None, "capture_session": None},
        {"aadhaar_last4": "1111", "capture_session": "a" * 16},
        {"aadhaar_last4": "2222", "capture_session": "b" * 16},
    ]
)
ADDRESSES = st.fixed_dictionaries(
    {
        "line": st.sampled_from(["House 1", "House 2"]),
        "village": st.sampled_from(["Okapipur", "Rampur"]),
        "pincode": st.sampled_from(["110001", "110002"]),
        "state": st.sampled_from([7, 9]),
        "district": st.sampled_from([77, 99]),
    }
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    fields = {name: draw(values) for name, values in {**CONTACTS, **REGISTERS}.items()}
    return person_body(**fields, **draw(MOBILES), **draw(NUMBERS), address=draw(ADDRESSES))


def leaves(body: Mapping[str, Any]) -> dict[str, Any]:
    """Every value by its pointer."""
    return {pointer: value_at(body, pointer) for unit in UNITS for pointer in unit.pointers}


@given(bodies(), bodies(), bodies())
def test_merging_is_a_function_of_its_three_sides(
    base: dict[str, Any], current: dict[str, Any], incoming: dict[str, Any]
) -> None:
    assert merge(base, current, incoming) == merge(dict(base), dict(current), dict(incoming))


@given(bodies(), bodies(), bodies())
def test_what_one_side_alone_changed_always_survives(
    base: dict[str, Any], current: dict[str, Any], incoming: dict[str, Any]
) -> None:
    merged = leaves(merge(base, current, incoming).body)
    was, ours, theirs = leaves(base), leaves(current), leaves(incoming)
    for unit in UNITS:
        sides = [tuple(side[each] for each in unit.compared) for side in (was, ours, theirs)]
        result = tuple(merged[each] for each in unit.compared)
        if sides[0] == sides[1]:
            assert result == sides[2]
        elif sides[0] == sides[2]:
            assert result == sides[1]


@given(bodies(), bodies(), bodies())
def test_every_value_comes_from_a_side_and_every_loss_is_a_named_conflict(
    base: dict[str, Any], current: dict[str, Any], incoming: dict[str, Any]
) -> None:
    merged = merge(base, current, incoming)
    result, was = leaves(merged.body), leaves(base)
    named = {each.pointer for each in merged.conflicts}
    for side in (leaves(current), leaves(incoming)):
        for unit in UNITS:
            for pointer in unit.compared:
                changed = any(side[each] != was[each] for each in unit.compared)
                if changed and result[pointer] != side[pointer]:
                    assert pointer in named


@given(bodies(), bodies(), bodies())
def test_a_merged_body_is_a_good_enrollment(
    base: dict[str, Any], current: dict[str, Any], incoming: dict[str, Any]
) -> None:
    body = merge(base, current, incoming).body
    assert not schemas.validator("enrollment-1").faults(body)


@given(bodies(), bodies(), bodies())
def test_without_a_conflict_the_order_of_arrival_does_not_matter(
    base: dict[str, Any], one: dict[str, Any], other: dict[str, Any]
) -> None:
    first, second = merge(base, one, other), merge(base, other, one)
    if not first.conflicts:
        assert first == second
    assert {each.pointer for each in first.conflicts} == {each.pointer for each in second.conflicts}


@given(bodies(), bodies())
def test_a_correction_of_what_is_current_is_taken_as_it_is(
    base: dict[str, Any], incoming: dict[str, Any]
) -> None:
    merged = merge(base, base, incoming)
    assert not merged.conflicts
    changed_number = base.get("aadhaar_last4") != incoming.get("aadhaar_last4")
    session = incoming if changed_number else base
    assert merged.body == {
        **incoming,
        **({"capture_session": session["capture_session"]} if "capture_session" in session else {}),
    }


@pytest.mark.parametrize(
    ("field", "values", "kept", "undecided"),
    [
        ("name", ("A", "B", "C"), "B", True),
        ("gender", ("F", "M", "O"), "M", True),
        ("mobile", ("9123456780", "9123456781", "9123456782"), "9123456782", False),
        ("household", (None, "H1", "H2"), "H2", False),
        ("aadhaar_last4", ("1111", "2222", "3333"), "2222", True),
        ("of_a_later_version", (None, 1, 2), 1, True),
    ],
)
def test_a_field_that_both_changed_is_decided_by_its_class(
    field: str,
    values: tuple[Any, Any, Any],
    kept: object,
    undecided: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    merged = merge(*(person_body(**{field: value}) for value in values))
    assert merged.body[field] == kept
    (conflict,) = merged.conflicts
    assert (conflict.pointer, conflict.current, conflict.incoming) == (f"/{field}", *values[1:])
    assert (len(merged.undecided) == 1) == undecided
    assert "Quokka" not in repr(merged)


def test_both_may_say_the_same_without_a_conflict() -> None:
    merged = merge(person_body(), person_body(name="Same"), person_body(name="Same"))
    assert (merged.body["name"], merged.conflicts) == ("Same", ())


def test_against_an_empty_base_only_what_both_wrote_is_a_conflict() -> None:
    merged = merge({}, person_body(), person_body(name="Other", household="H9"))
    assert {each.pointer for each in merged.conflicts} == {"/name"}
    assert merged.body["household"] == "H9"


@given(bodies(), bodies())
def test_without_a_common_version_every_difference_is_a_conflict(
    current: dict[str, Any], incoming: dict[str, Any]
) -> None:
    merged = merge(None, current, incoming, yielding=())
    ours, theirs = leaves(current), leaves(incoming)
    compared = [pointer for unit in UNITS for pointer in unit.compared]
    assert [each.pointer for each in merged.conflicts] == [
        pointer for pointer in compared if ours[pointer] != theirs[pointer]
    ]
    assert leaves(merged.body) == ours


@given(bodies(), bodies(), bodies())
def test_where_every_class_yields_what_comes_in_stays_in_every_conflict(
    base: dict[str, Any], current: dict[str, Any], incoming: dict[str, Any]
) -> None:
    merged = merge(base, current, incoming, yielding=tuple(FieldClass))
    result, theirs = leaves(merged.body), leaves(incoming)
    assert all(result[each.pointer] == theirs[each.pointer] for each in merged.conflicts)


def test_what_somebody_else_disputes_is_a_conflict_even_where_one_side_changed_it() -> None:
    base = person_body()
    address = {**base["address"], "line": "Ward 9"}
    incoming = person_body(address=address, language="ta")
    merged = merge(base, base, incoming, disputed=["/address"])
    assert [each.pointer for each in merged.conflicts] == ["/address/line"]
    assert merged.body["language"] == "ta"


def test_fields_that_belong_together_never_come_from_two_sides() -> None:
    base = person_body(mobile="9123456780", mobile_owner="self")
    one = person_body(mobile="9123456781", mobile_owner="self")
    other = person_body(mobile="9123456780", mobile_owner="family")
    merged = merge(base, one, other)
    assert (merged.body["mobile"], merged.body["mobile_owner"]) == ("9123456780", "family")
    assert {each.pointer for each in merged.conflicts} == {"/mobile", "/mobile_owner"}


def test_the_last_digits_never_part_from_the_key_that_sealed_the_number() -> None:
    number = {"aadhaar_last4": "1111", "capture_session": "a" * 16}
    other = {"aadhaar_last4": "2222", "capture_session": "b" * 16}
    for base in (person_body(**number), person_body(**other), None):
        body = merge(base, person_body(**number), person_body(**other)).body
        assert {name: body[name] for name in number} in (number, other)


def test_every_field_of_the_schema_has_its_class() -> None:
    known = {pointer.split("/")[1] for unit in UNITS for pointer in unit.pointers}
    assert known == set(schemas.load("enrollment-1")["properties"])
    assert {unit.kind for unit in UNITS} == set(FieldClass)
