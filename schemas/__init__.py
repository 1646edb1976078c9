"""The shapes of data, for both ends of the road: one loader, one set of files.

A shape is a JSON Schema 2020-12 file in ``schemas/json``, named ``<shape>-<version>.json``.
Laptop and server read the same file, so a record that one end accepts is never a surprise
to the other. Format names (``aadhaar``, ``mobile``, …) are checked by :mod:`schemas.formats`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

from schemas.formats import FORMATS

__all__ = ["Fault", "Validator", "load", "shape_names", "validator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way in which a value breaks its schema.

    ``pointer`` is the JSON Pointer (RFC 6901) of the field to blame; for a missing or an unknown
    key it names that key, not its parent. ``code`` is the schema keyword (``required``, ``type``,
    ``maxLength`` …) or, for a format, ``format:<name>``. ``limit`` is the bound that was broken,
    where the keyword has one. No value of the record is kept here.
    """

    pointer: str
    code: str
    limit: int | None = None


class Validator:
    """A compiled schema that gives all faults of a value at once."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._compiled = jsonschema_rs.Draft202012Validator(
            schema, formats=dict(FORMATS), validate_formats=True
        )

    def is_valid(self, value: Any) -> bool:
        """Whether the value has no fault at all."""
        try:
            return bool(self._compiled.is_valid(value))
        except ValueError:
            return False

    def faults(self, value: Any) -> list[Fault]:
        """Give every fault of the value, in the order of their pointers.

        A value that no JSON text can hold, or that is nested deeper than the validator reads
        (255), has the one fault ``unreadable``.
        """
        try:
            errors = list(self._compiled.iter_errors(value))
        except ValueError:
            return [Fault(pointer="", code="unreadable")]
        found = [fault for error in errors for fault in _faults(error)]
        return sorted(found, key=lambda fault: (fault.pointer, fault.code))


def shape_names() -> list[str]:
    """Give the names of all shapes, such as ``enrollment-1``."""
    folder = files(__name__) / "json"
    return sorted(
        item.name.removesuffix(".json") for item in folder.iterdir() if item.name.endswith(".json")
    )


@cache
def load(name: str) -> dict[str, Any]:
    """Read one schema by its name, such as ``enrollment-1``; ``KeyError`` when there is none."""
    if name not in shape_names():
        raise KeyError(name)
    text = (files(__name__) / "json" / f"{name}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def validator(name: str) -> Validator:
    """Compile one schema by its name; later calls give the same validator."""
    return Validator(load(name))


def _faults(error: jsonschema_rs.ValidationError) -> list[Fault]:
    parts = [str(part) for part in error.instance_path]
    kind: Any = error.kind
    if kind.name in {"additionalProperties", "unevaluatedProperties"}:
        return [
            Fault(pointer=_pointer([*parts, key]), code="unknown-key") for key in kind.unexpected
        ]
    if kind.name == "required":
        return [Fault(pointer=_pointer([*parts, str(kind.property)]), code="required")]
    if kind.name == "format":
        return [Fault(pointer=_pointer(parts), code=f"format:{kind.format}")]
    limit = getattr(kind, "limit", None)
    return [
        Fault(
            pointer=_pointer(parts), code=kind.name, limit=limit if isinstance(limit, int) else None
        )
    ]


def _pointer(parts: list[str]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
