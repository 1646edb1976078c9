"""A statement as the text of a QR code, signed by the laptop: the figures cannot be changed later.

    text    = "EKS1:" ‖ base32 (RFC 4648, no padding) of the COSE_Sign1
    meaning = ["statement"]; kid is the laptop's
    payload = [ made at, day or "", incarnation, batch number, batch digest, audit head,
                people [7 figures], papers [7 figures], drafts ]

The figures are total, on this laptop, on sticks, signed for, held, returned, withdrawn. Base32,
because a QR code stores capital letters and digits in five and a half bits each.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from enrollkit.reports.statement import Shares, Statement
from sync import wire
from sync.errors import EnvelopeInvalid
from sync.sealing import SigningKey, VerifyKey, open_signed, read_signer, sign

__all__ = ["PREFIX", "ReadStatement", "SignedFigures", "StatementVerdict", "read_code", "sign_code"]

PREFIX: Final = "EKS1:"
_MEANING: Final = "statement"
_TEXT_MAX: Final = 4096
_FIGURES: Final = (
    "total",
    "on_laptop",
    "on_sticks",
    "signed_for",
    "held",
    "returned",
    "withdrawn",
)


class StatementVerdict(StrEnum):
    """What may be said about a code that claims to be a statement."""

    VERIFIED = "verified"
    UNKNOWN_SIGNER = "unknown-signer"
    TAMPERED = "tampered"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedFigures:
    """What a signed statement says; ``people`` and ``papers`` by the names of :data:`_FIGURES`."""

    made_at: int
    day: str
    incarnation: str
    chain: tuple[int, bytes]
    audit_head: bytes
    people: dict[str, int]
    papers: dict[str, int]
    drafts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStatement:
    """A code that was read. ``figures`` are there only when the signature was checked."""

    verdict: StatementVerdict
    signer: str = ""
    figures: SignedFigures | None = None


def sign_code(statement: Statement, key: SigningKey) -> str:
    """Sign a statement and write it as the text of its code: some 380 characters."""
    payload = wire.encode([
        statement.made_at,
        statement.day.isoformat() if statement.day else "",
        bytes.fromhex(statement.incarnation),
        statement.chain[0],
        statement.chain[1],
        statement.audit_head,
        _row(statement.people),
        _row(statement.links),
        statement.drafts,
    ])  # fmt: skip
    signed = sign(payload, [_MEANING], key)
    return PREFIX + base64.b32encode(signed).decode("ascii").rstrip("=")


def read_code(text: str, key_of: Callable[[str], VerifyKey | None]) -> ReadStatement:
    """Read a code and say what it is worth; never raises. ``key_of`` gives a known laptop's key."""
    unreadable = ReadStatement(verdict=StatementVerdict.UNREADABLE)
    code = text.strip()
    if len(code) > _TEXT_MAX or not code.startswith(PREFIX):
        return unreadable
    try:
        data = _plain_bytes(code.removeprefix(PREFIX))
        signer = read_signer(data)
    except (ValueError, EnvelopeInvalid):
        return unreadable
    key = key_of(signer)
    if key is None:
        return ReadStatement(verdict=StatementVerdict.UNKNOWN_SIGNER, signer=signer)
    try:
        _, payload = open_signed(data, _MEANING, key)
        figures = _figures(wire.decode(payload))
    except EnvelopeInvalid:
        return ReadStatement(verdict=StatementVerdict.TAMPERED, signer=signer)
    return ReadStatement(verdict=StatementVerdict.VERIFIED, signer=signer, figures=figures)


def _plain_bytes(text: str) -> bytes:
    """Undo base32; ``ValueError`` for any text that is not the one text of its bytes."""
    try:
        data = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error as error:
        raise ValueError("base32") from error
    if base64.b32encode(data).decode("ascii").rstrip("=") != text:
        raise ValueError("base32: another text of the same bytes")
    return data


def _row(shares: Shares) -> list[int]:
    return [getattr(shares, name) for name in _FIGURES]


def _figures(value: Any) -> SignedFigures:
    try:
        made_at, day, incarnation, number, digest, audit_head, people, papers, drafts = value
        whole = [made_at, number, drafts, *people, *papers]
        if not all(type(one) is int and one >= 0 for one in whole) or not isinstance(day, str):
            raise EnvelopeInvalid("statement")
        if day:
            date.fromisoformat(day)
        return SignedFigures(
            made_at=made_at,
            day=day,
            incarnation=incarnation.hex(),
            chain=(number, bytes(digest)),
            audit_head=bytes(audit_head),
            people=dict(zip(_FIGURES, people, strict=True)),
            papers=dict(zip(_FIGURES, papers, strict=True)),
            drafts=drafts,
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise EnvelopeInvalid("statement") from error
