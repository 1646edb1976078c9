"""Draw the README's pictures of cards, of a person who does not exist.

    python scripts/pictures_card.py [FOLDER]

They are signed with a key that is thrown away, so the cards verify nowhere; the one with an ABHA
number is striped, for the number is none.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enrollkit.cards.abha_code import AbhaFacts, write_abha_code
from enrollkit.cards.claim169 import encode
from enrollkit.cards.claims import PRACTICE, CardClaims
from enrollkit.cards.layout import CardFace
from enrollkit.cards.render import render_cards
from enrollkit.domain.person import BirthDate, Gender

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
NAME, NAME_NATIVE = "Priyanka Krishna Kshatriya", "प्रियंका कृष्णा क्षत्रिय"
NUMBER, PROGRAMME = "7K2M-94QD-XV3T-8", "Sunrise District Health Camps"
ABHA_NUMBER, ABHA_ADDRESS = "00-2345-6789-0123", "practice.priyanka@sbx"
BIRTH = BirthDate(year=1987, month=3, day=14)
CLAIMS = CardClaims(
    programme=PROGRAMME,
    number=NUMBER,
    name=NAME,
    birth=BIRTH,
    gender=Gender.FEMALE,
    name_native=NAME_NATIVE,
    language_native="hin",
    issued_at=1_795_000_000,
)


def main(folder: Path) -> None:
    """Write the pictures and say where they are."""
    key = Ed25519PrivateKey.generate()
    folder.mkdir(parents=True, exist_ok=True)
    for name, face in (("card.png", provisional(key)), ("card-abha.png", with_number(key))):
        for file in render_cards([face], "cr80", folder / name):
            sys.stdout.write(f"{file}\n")


def provisional(key: Ed25519PrivateKey) -> CardFace:
    """Give the card that a person takes home from the camp."""
    return CardFace(
        programme=PROGRAMME,
        number=NUMBER,
        name=NAME,
        name_native=NAME_NATIVE,
        language="hi",
        born=BIRTH.text(),
        gender="Female",
        place=("Garhi, Banswara", "Rajasthan"),
        guardian="Mother: Shri Devi Kshatriya",
        issued="22/11/2026",
        issued_by="by laptop 3f2a 91c0",
        code=encode(CLAIMS, key),
    )


def with_number(key: Ed25519PrivateKey) -> CardFace:
    """Give the card of the same person once the number is there."""
    facts = AbhaFacts(
        number=ABHA_NUMBER,
        handle=ABHA_ADDRESS,
        name=NAME,
        gender=Gender.FEMALE,
        birth=BIRTH,
        state_code=8,
        district_code=88,
        state="Rajasthan",
        district="Banswara",
        mobile="9000000001",
    )
    return replace(
        provisional(key),
        number=ABHA_NUMBER,
        title="PRACTICE card",
        number_label="PRACTICE number, not real",
        marker="PRACTICE – not a real ABHA number",
        across=PRACTICE,
        abha_code=write_abha_code(facts),
        address=ABHA_ADDRESS,
        earlier=NUMBER,
        code=encode(replace(CLAIMS, number=ABHA_NUMBER, status=PRACTICE), key),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
