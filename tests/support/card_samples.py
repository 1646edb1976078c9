"""People who do not exist, and their cards, for the tests of cards and identity."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enrollkit.cards.claim169 import encode
from enrollkit.cards.claims import CardClaims, language_code
from enrollkit.cards.layout import CardFace
from enrollkit.domain.identifiers import provisional_number
from enrollkit.domain.person import BirthDate, Gender

NOW = 1_795_000_000
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SHARED = Path(__file__).resolve().parents[3] / "shared"

HINDI = CardClaims(
    programme="Sunrise District Health Camps",
    number="7K2M-94QD-XV3T-8",
    name="Priyanka Krishna Kshatriya",
    birth=BirthDate(year=1987, month=3, day=14),
    gender=Gender.FEMALE,
    name_native="प्रियंका कृष्णा क्षत्रिय",
    language_native="hin",
    issued_at=NOW,
)
PLAIN = replace(HINDI, name="Ramesh", name_native=None, language_native=None, gender=Gender.MALE)


def face_of(claims: CardClaims, **changes: Any) -> CardFace:
    face = CardFace(
        programme=claims.programme,
        number=claims.number,
        name=claims.name,
        name_native=claims.name_native,
        language="hi",
        born=claims.birth.text() if claims.birth else "",
        gender="Female",
        place=("Garhi, Banswara", "Rajasthan"),
        guardian="Mother: Shri Devi Kshatriya",
        issued="22/11/2026",
        issued_by="by laptop 3f2a 91c0",
        code=encode(claims, KEY),
    )
    return replace(face, **changes)


def corpus_people() -> list[CardClaims]:
    """Two hundred synthetic people; the test is skipped where the list is not at hand."""
    file = SHARED / "corpus" / "camp_200.jsonl"
    if not file.exists():
        pytest.skip("the synthetic camp of 200 people is not on this machine")
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [_claims_of(row, at) for at, row in enumerate(rows)]


def _claims_of(row: dict[str, Any], at: int) -> CardClaims:
    record = hashlib.sha256(str(at).encode()).hexdigest()[:32]
    return CardClaims(
        programme="Sunrise District Health Camps",
        number=provisional_number(record),
        name=row["name"],
        birth=BirthDate(**row["birth"]),
        gender=Gender(row["gender"]),
        name_native=row["name_native"],
        language_native=language_code(row["language"]),
        issued_at=NOW,
    )
