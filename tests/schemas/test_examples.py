"""Every example in schemas/examples: the good ones pass, the bad ones are blamed as they say."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from schemas import load, shape_names, validator

FOLDER = files("schemas") / "examples"
NAMES = sorted(item.name for item in FOLDER.iterdir() if item.name.endswith(".json"))
GOOD = [name for name in NAMES if name.startswith("good-")]
BAD = [name for name in NAMES if name.startswith("bad-")]


def example(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("name", GOOD)
def test_a_good_example_has_no_fault(name: str) -> None:
    given = example(name)
    assert validator(given["shape"]).faults(given["value"]) == []
    assert validator(given["shape"]).is_valid(given["value"])


@pytest.mark.parametrize("name", BAD)
def test_a_bad_example_has_the_one_fault_it_is_named_after(name: str) -> None:
    given = example(name)
    assert name == f"bad-{given['shape']}-{given['fault']}.json"
    faults = validator(given["shape"]).faults(given["value"])
    assert [(fault.pointer, fault.code) for fault in faults] == [(given["pointer"], given["code"])]
    assert not validator(given["shape"]).is_valid(given["value"])


def test_every_shape_has_good_and_bad_examples() -> None:
    for group in (GOOD, BAD):
        assert {example(name)["shape"] for name in group} == set(shape_names())
    assert sorted(GOOD + BAD) == NAMES


@pytest.mark.parametrize("shape", shape_names())
def test_a_shape_names_every_key_that_it_requires_and_closes_itself(shape: str) -> None:
    schema = load(shape)
    whole = next(example(name)["value"] for name in GOOD if example(name)["shape"] == shape)
    assert schema["additionalProperties"] is False
    assert schema["$id"].endswith(f"/{shape}.json")
    for key in schema.get("required", []):
        without = {name: value for name, value in whole.items() if name != key}
        faults = validator(shape).faults(without)
        assert (f"/{key}", "required") in [(fault.pointer, fault.code) for fault in faults]
