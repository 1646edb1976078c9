"""The one loader of shapes: names, pointers, and values that no JSON text can hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from domain_rows import ANY_JSON
from schemas import Fault, load, shape_names, validator


def test_an_unknown_shape_is_a_key_error() -> None:
    for name in ("person-1", "../json/intake-1", ""):
        with pytest.raises(KeyError):
            load(name)


def test_a_shape_is_compiled_once() -> None:
    assert validator("intake-1") is validator("intake-1")
    assert "enrollment-1" in shape_names()


def test_a_pointer_escapes_what_rfc_6901_escapes() -> None:
    faults = validator("blob-chunk-1").faults({"a/b~c": 1})
    assert Fault(pointer="/a~1b~0c", code="unknown-key") in faults


def test_a_broken_bound_is_told() -> None:
    faults = validator("intake-1").faults({"name": "x" * 101})
    assert Fault(pointer="/name", code="maxLength", limit=100) in faults


def test_faults_come_in_the_order_of_their_pointers() -> None:
    pointers = [fault.pointer for fault in validator("intake-1").faults({})]
    assert pointers == sorted(pointers)
    assert "/consent" in pointers


@pytest.mark.parametrize("value", [{"\ud800": 1}, {1: 2}, {"body": object()}])
def test_what_no_json_text_can_hold_is_unreadable(value: Any) -> None:
    for name in shape_names():
        assert validator(name).faults(value) == [Fault(pointer="", code="unreadable")]
        assert not validator(name).is_valid(value)


def test_what_is_nested_without_end_is_unreadable() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    assert validator("operation-1").faults({"body": deep}) == [Fault(pointer="", code="unreadable")]


@settings(deadline=None, max_examples=100)
@given(ANY_JSON)
def test_any_json_is_answered_and_both_answers_agree(value: Any) -> None:
    for name in ("intake-1", "operation-1", "feed-entry-1"):
        assert (validator(name).faults(value) == []) == validator(name).is_valid(value)
