"""Merging two writings of one person: never last-writer-wins, and nothing gets lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from enrollkit.domain.merging import body_value, differences, merge, with_value

BASE: dict[str, Any] = {
    "name": "Asha Devi",
    "birth": {"year": 1987},
    "mobile": "9000000001",
    "address": {"line": "Ward 4", "village": "Nagla", "pincode": "282001"},
    "aadhaar_last4": "1010",
    "capture_session": "aa" * 8,
}
FIELDS = ("/name", "/birth", "/mobile", "/address/line", "/address/village", "/guardian/name")
VALUES = st.one_of(st.none(), st.sampled_from(["Kamla", "Ramesh", "x"]))
CHANGES = st.dictionaries(st.sampled_from(FIELDS), VALUES)


def changed(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    for pointer, value in changes.items():
        body = with_value(body, pointer, value)
    return body


def test_what_one_side_alone_changed_is_taken_from_that_side() -> None:
    ours = changed(BASE, {"/name": "Asha Kumari"})
    theirs = changed(BASE, {"/mobile": None, "/address/village": "Tilhar"})
    merged = merge(BASE, ours, theirs)
    assert merged.conflicts == ()
    assert merged.body == changed(
        BASE, {"/name": "Asha Kumari", "/mobile": None, "/address/village": "Tilhar"}
    )


def test_what_both_changed_stays_ours_and_is_told() -> None:
    ours = changed(BASE, {"/name": "Asha Kumari", "/address/line": "Ward 5"})
    theirs = changed(BASE, {"/name": "Aasha Devi", "/address/line": "Ward 5"})
    merged = merge(BASE, ours, theirs)
    assert merged.conflicts == ("/name",)
    assert merged.body == ours


def test_without_a_common_version_every_difference_is_open() -> None:
    theirs = changed(BASE, {"/name": "Aasha Devi", "/guardian/name": "Ram"})
    assert merge(None, BASE, theirs).conflicts == ("/name", "/guardian/name")


def test_what_the_other_side_disputes_is_open_even_where_one_side_changed_it() -> None:
    theirs = changed(BASE, {"/address/line": "Ward 9", "/mobile": "9000000002"})
    merged = merge(BASE, BASE, theirs, disputed=frozenset({"/address"}))
    assert merged.conflicts == ("/address/line",)
    assert merged.body["mobile"] == "9000000002"


def test_the_last_digits_never_part_from_the_key_that_sealed_the_number() -> None:
    theirs = {**BASE, "capture_session": "bb" * 8}
    assert differences(BASE, theirs) == ["/aadhaar_last4"]
    merged = merge(BASE, BASE, theirs)
    assert merged.body["capture_session"] == "bb" * 8
    assert merge(None, BASE, theirs).body["capture_session"] == "aa" * 8


def test_taking_the_last_part_of_an_object_away_takes_the_object() -> None:
    assert "guardian" not in with_value({"guardian": {"name": "Ram"}}, "/guardian/name", None)


@settings(deadline=None)
@given(CHANGES, CHANGES)
def test_every_field_is_ours_or_theirs_and_no_lone_change_is_lost(
    here: dict[str, Any], there: dict[str, Any]
) -> None:
    ours, theirs = changed(BASE, here), changed(BASE, there)
    merged = merge(BASE, ours, theirs)
    for pointer in FIELDS:
        values = [body_value(body, pointer) for body in (BASE, ours, theirs, merged.body)]
        base, mine, other, result = values
        if mine == base:
            assert result == other
        elif other in (base, mine):
            assert result == mine
        else:
            assert pointer in merged.conflicts
            assert result == mine
    assert differences(merged.body, theirs) == [
        pointer
        for pointer in differences(ours, theirs)
        if pointer in merged.conflicts
        or body_value(merged.body, pointer) == body_value(ours, pointer)
    ]
