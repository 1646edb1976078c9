"""A card's code verifies for the one signer and moment it is for, and in no other case."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import replace

import cbor2
import claim169
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from card_samples import HINDI, KEY, NOW, PLAIN, SHARED
from enrollkit.cards import base45
from enrollkit.cards.claim169 import (
    CODE_TEXT_MAX,
    CardReading,
    CardVerdict,
    PublicKey,
    decode_and_verify,
    encode,
    key_id,
)
from enrollkit.cards.claims import VALID_SECONDS, CardClaims, language_code
from enrollkit.domain.person import BirthDate, Gender
from enrollkit.errors import CardPayloadTooLarge

PUBLIC = KEY.public_key()
MANY_LETTERS = "".join(chr(0x0905 + byte % 50) for byte in hashlib.shake_128(b"name").digest(100))
VECTORS = sorted((SHARED / "reference" / "qr" / "claim169").glob("*_*.json"))


def read(text: str, key: PublicKey | None = PUBLIC, now: int = NOW + 60) -> CardReading:
    return decode_and_verify(text, lambda _kid: key, now)


def pack(cose: bytes) -> str:
    return base45.encode(zlib.compress(cose, 9))


def unpack(text: str) -> bytes:
    return zlib.decompress(base45.decode(text))


@pytest.mark.parametrize("claims", [HINDI, PLAIN])
def test_a_card_comes_back_verified_with_everything_it_says(claims: CardClaims) -> None:
    reading = decode_and_verify(encode(claims, KEY), {key_id(PUBLIC): PUBLIC}.get, NOW + 60)
    assert reading.verdict is CardVerdict.VERIFIED
    assert reading.kid == key_id(PUBLIC)
    assert reading.claims == replace(claims, expires_at=NOW + VALID_SECONDS)


@pytest.mark.parametrize(
    ("birth", "written"),
    [
        (BirthDate(year=1987), "1987"),
        (BirthDate(year=1987, month=3), "198703"),
        (BirthDate(year=1987, month=3, day=4), "19870304"),
    ],
)
def test_of_a_partial_date_of_birth_only_the_known_part_is_signed(
    birth: BirthDate, written: str
) -> None:
    claims = replace(HINDI, birth=birth)
    assert claims.token()[169][8] == written
    reading = read(encode(claims, KEY))
    assert reading.claims is not None
    assert reading.claims.birth == birth


def test_another_implementation_verifies_our_card() -> None:
    result = claim169.decode(encode(HINDI, KEY), verify_with_ed25519=PUBLIC.public_bytes_raw())
    assert result.is_verified()
    assert result.claim169.id == HINDI.number
    assert result.claim169.full_name == HINDI.name
    assert result.claim169.date_of_birth == "19870314"
    assert result.claim169.gender == 2
    assert result.claim169.secondary_full_name == HINDI.name_native
    assert result.claim169.secondary_language == "hin"
    assert result.claim169.legal_status == "PROVISIONAL"
    assert result.cwt_meta.issuer == HINDI.programme
    assert result.cwt_meta.expires_at == NOW + VALID_SECONDS


def test_another_implementation_refuses_our_card_under_another_key() -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(claim169.SignatureError):
        claim169.decode(encode(HINDI, KEY), verify_with_ed25519=other)


def test_no_flipped_bit_of_the_compressed_card_is_ever_verified() -> None:
    packed = base45.decode(encode(HINDI, KEY))
    for bit in range(8 * len(packed)):
        changed = bytearray(packed)
        changed[bit // 8] ^= 1 << bit % 8
        verdict = read(base45.encode(bytes(changed))).verdict
        assert verdict in (CardVerdict.UNREADABLE, CardVerdict.TAMPERED), bit


def test_no_flipped_bit_of_the_signed_bytes_is_ever_verified() -> None:
    cose = unpack(encode(HINDI, KEY))
    for bit in range(8 * len(cose)):
        changed = bytearray(cose)
        changed[bit // 8] ^= 1 << bit % 8
        verdict = read(pack(bytes(changed))).verdict
        assert verdict in (CardVerdict.UNREADABLE, CardVerdict.TAMPERED), bit


@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_no_flipped_bit_verifies_however_the_card_was_compressed(level: int) -> None:
    packed = zlib.compress(unpack(encode(PLAIN, KEY)), level)
    assert read(base45.encode(packed)).verdict is CardVerdict.VERIFIED
    for bit in range(8 * len(packed)):
        changed = bytearray(packed)
        changed[bit // 8] ^= 1 << bit % 8
        assert read(base45.encode(bytes(changed))).verdict is not CardVerdict.VERIFIED, bit


def test_no_changed_character_of_the_text_is_ever_verified() -> None:
    text = encode(PLAIN, KEY)
    for at, character in enumerate(text):
        other = "0" if character != "0" else "1"
        assert read(text[:at] + other + text[at + 1 :]).verdict is not CardVerdict.VERIFIED
        assert read(text[:at]).verdict is CardVerdict.UNREADABLE


def test_a_card_of_another_key_is_tampered_and_says_nothing() -> None:
    reading = read(encode(HINDI, KEY), Ed25519PrivateKey.generate().public_key())
    assert reading.verdict is CardVerdict.TAMPERED
    assert reading.claims is None


def test_a_card_of_a_device_nobody_knows_is_told_apart() -> None:
    reading = read(encode(HINDI, KEY), None)
    assert reading.verdict is CardVerdict.UNKNOWN_SIGNER
    assert reading.claims is not None


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        (NOW - 1, CardVerdict.NOT_YET_VALID),
        (NOW, CardVerdict.VERIFIED),
        (NOW + VALID_SECONDS - 1, CardVerdict.VERIFIED),
        (NOW + VALID_SECONDS, CardVerdict.EXPIRED),
    ],
)
def test_a_card_is_valid_from_its_first_to_its_last_second(now: int, verdict: CardVerdict) -> None:
    assert read(encode(replace(HINDI, not_before=NOW), KEY), now=now).verdict is verdict


def test_a_laptop_whose_clock_says_2019_still_verifies_a_card() -> None:
    assert read(encode(HINDI, KEY), now=1_550_000_000).verdict is CardVerdict.VERIFIED


def test_the_tag_of_a_cwt_around_the_signature_is_understood() -> None:
    cose = cbor2.loads(unpack(encode(HINDI, KEY)))
    assert read(pack(cbor2.dumps(cbor2.CBORTag(61, cose)))).verdict is CardVerdict.VERIFIED


def test_a_bomb_is_not_unpacked() -> None:
    bomb = zlib.compress(bytes(50_000_000), 9)[:5000]
    assert read(base45.encode(bomb)).detail == "cut short, or too large"


def test_something_after_the_card_is_refused() -> None:
    packed = base45.decode(encode(HINDI, KEY))
    assert read(base45.encode(packed + b"x")).verdict is CardVerdict.UNREADABLE


def test_a_text_longer_than_any_code_is_not_looked_at() -> None:
    assert read("0" * 1_000_000).detail == "too long for a code"


@given(st.text(max_size=80) | st.binary(max_size=80).map(pack) | st.binary().map(base45.encode))
def test_garbage_is_unreadable_and_never_an_exception(text: str) -> None:
    assert read(text).verdict is CardVerdict.UNREADABLE


@given(
    st.dictionaries(
        st.sampled_from([1, 4, 5, 6, 169]),
        st.none() | st.text() | st.integers() | st.dictionaries(st.integers(0, 25), st.text()),
    )
)
def test_a_rightly_signed_token_of_any_shape_never_raises(token: dict[int, object]) -> None:
    protected = cbor2.dumps({1: -8})
    payload = cbor2.dumps(token)
    signature = KEY.sign(cbor2.dumps(["Signature1", protected, b"", payload]))
    reading = read(pack(cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]))))
    assert (reading.claims is None) == (reading.verdict is CardVerdict.UNREADABLE)


def sign_es256(key: ec.EllipticCurvePrivateKey, algorithm: int) -> str:
    protected = cbor2.dumps({1: algorithm})
    payload = cbor2.dumps(HINDI.token())
    to_sign = cbor2.dumps(["Signature1", protected, b"", payload])
    parts = decode_dss_signature(key.sign(to_sign, ec.ECDSA(hashes.SHA256())))
    signature = b"".join(part.to_bytes(32, "big") for part in parts)
    return pack(cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature])))


def test_a_card_cannot_choose_another_algorithm_than_the_trusted_key_has() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert read(sign_es256(key, -7), key.public_key()).verdict is CardVerdict.VERIFIED
    assert read(sign_es256(key, -8), key.public_key()).verdict is CardVerdict.TAMPERED
    assert read(sign_es256(key, -7), PUBLIC).verdict is CardVerdict.TAMPERED
    assert read(encode(HINDI, KEY), key.public_key()).verdict is CardVerdict.TAMPERED


def test_a_critical_header_that_we_do_not_know_is_refused() -> None:
    protected = cbor2.dumps({1: -8, 2: [99], 99: 1})
    payload = cbor2.dumps(HINDI.token())
    signature = KEY.sign(cbor2.dumps(["Signature1", protected, b"", payload]))
    text = pack(cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature])))
    assert read(text).verdict is CardVerdict.UNREADABLE


def test_a_name_too_long_in_two_scripts_keeps_the_latin_one_in_the_code() -> None:
    claims = replace(HINDI, name="Abcdefghi " * 10, name_native=MANY_LETTERS)
    text = encode(claims, KEY)
    assert len(text) <= CODE_TEXT_MAX
    reading = read(text)
    assert reading.claims is not None
    assert reading.claims.name == claims.name.strip()
    assert reading.claims.name_native is None


def test_claims_too_long_for_any_card_are_refused_by_name() -> None:
    programme = "".join(chr(0x4E00 + at) for at in range(300))
    with pytest.raises(CardPayloadTooLarge):
        encode(replace(PLAIN, programme=programme), KEY)


def test_invisible_characters_of_a_foreign_card_do_not_reach_the_screen() -> None:
    reading = read(encode(replace(PLAIN, name="Ra\x1b[2Jm\u202eesh\n"), KEY))
    assert reading.claims is not None
    assert reading.claims.name == "Ra [2Jm esh"


def test_a_person_is_not_printed_by_accident() -> None:
    assert HINDI.name not in repr(HINDI)
    assert HINDI.name not in repr(read(encode(HINDI, KEY)))


def test_every_verdict_has_words_and_every_camp_language_a_code() -> None:
    assert all(verdict.words for verdict in CardVerdict)
    languages = ["hi", "mr", "bn", "ta", "te", "kn", "gu", "or", "pa", "ml", "as", "ur", "en"]
    assert all(len(language_code(language) or "") == 3 for language in languages)
    assert set(Gender) == {Gender.MALE, Gender.FEMALE, Gender.OTHER}


@pytest.mark.skipif(not VECTORS, reason="the public test vectors are not on this machine")
@pytest.mark.parametrize("file", VECTORS, ids=lambda file: file.stem)
def test_public_vectors_read_as_they_should(file: object) -> None:
    vector = json.loads(file.read_text("utf-8"))  # type: ignore[attr-defined]
    signer = vector.get("signing_key")
    key = public_key_of(signer) if signer else None
    reading = read(vector["qr_data"], key, now=1_750_000_000)
    if vector["category"] == "invalid":
        assert reading.verdict is CardVerdict.UNREADABLE
    elif "encryption_key" in vector:
        assert reading.detail == "encrypted, cannot be read here"
    else:
        wanted = CardVerdict.VERIFIED if signer else CardVerdict.UNKNOWN_SIGNER
        assert reading.verdict is wanted
        assert reading.claims is not None
        assert reading.claims.name == vector["expected_claim169"]["fullName"]
        assert reading.claims.number == vector["expected_claim169"]["id"]
        assert reading.claims.programme == vector["expected_cwt_meta"]["issuer"]
        assert reading.claims.expires_at == vector["expected_cwt_meta"].get("expiresAt")


def public_key_of(signer: dict[str, str]) -> PublicKey:
    raw = bytes.fromhex(signer["public_key_hex"])
    if signer["algorithm"] == "EdDSA":
        return Ed25519PublicKey.from_public_bytes(raw)
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
