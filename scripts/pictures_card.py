"""Draw the README's picture of a card, of a person who does not exist.

    python scripts/pictures_card.py

It signs with a key that is thrown away, so the card verifies nowhere.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enrollkit.cards.claim169 import encode
from enrollkit.cards.claims import CardClaims
from enrollkit.cards.layout import CardFace
from enrollkit.cards.render import render_cards
from enrollkit.domain.person import BirthDate, Gender

OUT = Path(__file__).resolve().parents[1] / "docs" / "images" / "card.png"
NAME, NAME_NATIVE = "Priyanka Krishna Kshatriya", "प्रियंका कृष्णा क्षत्रिय"
NUMBER, PROGRAMME = "7K2M-94QD-XV3T-8", "Sunrise District Health Camps"
BIRTH = BirthDate(year=1987, month=3, day=14)


def main() -> None:
    """Write the picture and say where it is."""
    claims = CardClaims(
        programme=PROGRAMME,
        number=NUMBER,
        name=NAME,
        birth=BIRTH,
        gender=Gender.FEMALE,
        name_native=NAME_NATIVE,
        language_native="hin",
        issued_at=1_795_000_000,
    )
    face = CardFace(
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
        code=encode(claims, Ed25519PrivateKey.generate()),
    )
    OUT.parent.mkdir(parents=True, exist_ok=True)
    for file in render_cards([face], "cr80", OUT):
        print(file)


if __name__ == "__main__":
    main()
