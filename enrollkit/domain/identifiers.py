"""Identifiers as people read and type them.

Provisional numbers and approval codes are :mod:`schemas.numbers`', because the server writes and
reads them too; the kit knows them from here.
"""

from __future__ import annotations

import re

from schemas.numbers import (
    approval_code,
    is_provisional_number,
    parse_provisional_number,
    provisional_number,
    record_prefix,
)

__all__ = [
    "approval_code",
    "group_abha_number",
    "is_practice_abha",
    "is_provisional_number",
    "parse_provisional_number",
    "provisional_number",
    "record_prefix",
]


def group_abha_number(digits: str) -> str:
    """Write fourteen bare digits as ``NN-NNNN-NNNN-NNNN``; other text comes back unchanged."""
    bare = digits.replace("-", "").replace(" ", "")
    if re.fullmatch(r"[0-9]{14}", bare) is None:
        return digits
    return f"{bare[:2]}-{bare[2:6]}-{bare[6:10]}-{bare[10:]}"


def is_practice_abha(number: str | None, address: str | None) -> bool:
    """Whether a number is no real one: ABDM's sandbox gives addresses ``@sbx``, ours numbers 00."""
    return (number or "").startswith("00-") or (address or "").endswith("@sbx")
