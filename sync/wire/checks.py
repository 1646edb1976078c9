"""What a foreign array must be before it is believed: each check says ``EnvelopeInvalid``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sync.errors import EnvelopeInvalid

__all__ = ["array_of", "byte_string", "hexadecimal", "integer", "json_object", "shaped", "text"]

_T = TypeVar("_T")


def shaped(read: Callable[[], _T]) -> _T:
    """Turn every way in which a foreign array can be misshapen into ``EnvelopeInvalid``."""
    try:
        return read()
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, OverflowError) as error:
        raise EnvelopeInvalid("shape") from error


def array_of(value: Any) -> list[Any]:
    """Give an array; bytes, texts and maps can be walked too, but are none."""
    if not isinstance(value, list):
        raise EnvelopeInvalid("array")
    return value


def integer(value: Any, *, least: int = 0, most: int = 2**63 - 1) -> int:
    """Give a whole number within bounds; ``True`` is none."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise EnvelopeInvalid("number")
    return value


def byte_string(value: Any, *sizes: int) -> bytes:
    """Check a byte string: one size is exact, two are either the empty or at most the second."""
    if not isinstance(value, bytes):
        raise EnvelopeInvalid("bytes")
    if len(value) != sizes[0] and not (len(sizes) > 1 and len(value) <= sizes[1]):
        raise EnvelopeInvalid("size")
    return value


def hexadecimal(value: Any, size: int) -> str:
    """Give a byte string of exactly ``size`` bytes as hex digits."""
    return byte_string(value, size).hex()


def text(value: Any) -> str:
    """Give a text."""
    if not isinstance(value, str):
        raise EnvelopeInvalid("text")
    return value


def json_object(value: Any) -> dict[str, Any]:
    """Check that a body is what JSON can say: the schemas speak of nothing else."""
    if not isinstance(value, dict) or not _is_json(value):
        raise EnvelopeInvalid("body")
    return value


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(_is_json(inner) for inner in value)
    if isinstance(value, float):
        return value - value == 0  # neither infinite nor NaN
    return value is None or isinstance(value, str | int)
