"""Aadhaar Secure QR codes of people who do not exist, in every version, signed by our own keys.

How they are built is written down here a second time, from the specification.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

from PIL import Image

from aadhaar_ca import Signer

__all__ = [
    "ASHA", "OFFICIAL", "VERSIONS", "Person", "content_of", "digits_of", "packed_of", "photo",
    "random_person", "signed",
]  # fmt: skip

OFFICIAL: Final = Path(__file__).resolve().parents[3] / "shared" / "reference" / "qr"
"""Where UIDAI's own sample and certificates lie, where they are at hand."""

VERSIONS: Final = ("V1", "V2", "V3", "V5", "V9")
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,'/-()éü&"
_WITHOUT_LIMIT: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What the card says, as UIDAI spells it. ``made`` is year to millisecond, seventeen digits."""

    last4: str = "7058"
    made: str = "20230114093015123"
    name: str = "Asha Devi"
    birth: str = "14-03-1987"
    gender: str = "F"
    care_of: str = "C/O Ram Lal"
    district: str = "Banswara"
    landmark: str = "near the well"
    house: str = "14"
    location: str = "Ward 4"
    pincode: str = "327023"
    post_office: str = "Garhi"
    state: str = "Rajasthan"
    street: str = "Mill Road"
    subdistrict: str = "Garhi"
    village: str = "Partapur"
    mobile: str = "9000000001"
    email: str = "asha@example.org"
    photo: bytes | None = field(default=None, repr=False)

    @property
    def contacts(self) -> str:
        """``0`` to ``3``: e-mail is one, mobile two."""
        return str(bool(self.email) + 2 * bool(self.mobile))


def content_of(person: Person, version: str = "V1", *, extra: Sequence[str] = ()) -> bytes:
    """Write what is signed: fields, further fields (later versions), photo, hashes (V1)."""
    fields = [
        person.contacts, person.last4 + person.made, person.name, person.birth, person.gender,
        person.care_of, person.district, person.landmark, person.house, person.location,
        person.pincode, person.post_office, person.state, person.street, person.subdistrict,
        person.village,
    ]  # fmt: skip
    if version != "V1":
        mobile = person.mobile[-4:]
        masked = f"XXXXXX{mobile}" if version == "V5" and mobile else mobile
        fields = [version, *fields, masked, *extra]
    text = b"".join(value.encode("latin-1") + b"\xff" for value in fields)
    return text + (person.photo or b"") + (_hashes(person) if version == "V1" else b"")


def signed(content: bytes, signer: Signer) -> bytes:
    """Put the signature behind the content."""
    return content + signer.sign(content)


def packed_of(data: bytes, packing: str = "gzip") -> bytes:
    """Compress as UIDAI does (``gzip``, as Java writes it), or as re-packers do (``zlib``)."""
    if packing == "zlib":
        return zlib.compress(data)
    packed = bytearray(gzip.compress(data, mtime=0))
    packed[8:10] = b"\x00\x03" if data.startswith(b"V") else b"\x00\x00"
    return bytes(packed)


def digits_of(packed: bytes) -> str:
    """Write bytes as one decimal number."""
    with _long_numbers():
        return str(int.from_bytes(packed, "big"))


@cache
def photo(seed: int = 1, *, size: int = 60, form: str = "j2k") -> bytes:
    """Draw a face of noise: a raw JPEG 2000 codestream as in the cards, or ``jp2`` or ``jpeg``."""
    noise = random.Random(seed)
    image = Image.frombytes("RGB", (size, size), noise.randbytes(size * size * 3))
    out = io.BytesIO()
    if form == "jpeg":
        image.save(out, format="JPEG", quality=10)
    else:
        image.save(
            out, format="JPEG2000", no_jp2=form == "j2k", quality_mode="rates",
            quality_layers=[20],
        )  # fmt: skip
    return out.getvalue()


ASHA: Final = Person()


def random_person(choice: random.Random, photos: Sequence[bytes | None]) -> Person:
    """Invent somebody, with empty, long and strange fields."""
    year, month, day = choice.randint(1900, 2025), choice.randint(1, 12), choice.randint(1, 28)
    births = (f"{day:02d}-{month:02d}-{year}", f"{day:02d}/{month:02d}/{year}", f"{year}",
              f"{year}-{month:02d}-{day:02d}")  # fmt: skip
    texts = {
        name: _text(choice)
        for name in ("care_of", "district", "landmark", "house", "location", "post_office",
                     "state", "street", "subdistrict", "village")
    }  # fmt: skip
    return replace(
        ASHA,
        last4=f"{choice.randrange(10_000):04d}",
        made=f"20{choice.randint(18, 27):02d}{month:02d}{day:02d}{choice.randrange(24):02d}3015123",
        name=_text(choice) or "A",
        birth=choice.choice(births),
        gender=choice.choice("MFT"),
        pincode=choice.choice(("", f"{choice.randrange(100_000, 1_000_000)}")),
        mobile=choice.choice(("", f"9{choice.randrange(10**9):09d}")),
        email=choice.choice(("", "a@example.org")),
        photo=choice.choice(photos),
        **texts,
    )


def _text(choice: random.Random) -> str:
    drawn = "".join(choice.choices(_ALPHABET, k=choice.choice((0, 3, 12, 60))))
    return " ".join(drawn.split())


def _hashes(person: Person) -> bytes:
    rounds = max(int(person.last4[-1]), 1)
    return b"".join(_hash(value, rounds) for value in (person.email, person.mobile) if value)


def _hash(value: str, rounds: int) -> bytes:
    for _round in range(rounds):
        value = hashlib.sha256(value.encode()).hexdigest()
    return bytes.fromhex(value)


@contextmanager
def _long_numbers() -> Iterator[None]:
    """Lift Python's limit on numbers in text; the reader has to do without."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(_WITHOUT_LIMIT)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)
