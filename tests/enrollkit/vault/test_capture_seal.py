from __future__ import annotations

import gc
import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from hypothesis import given
from hypothesis import strategies as st

from enrollkit.errors import VaultLocked
from enrollkit.vault.capture_seal import CaptureSession
from sync import capture
from sync.errors import EnvelopeInvalid
from sync.sealing import OpeningKey

VAULT = OpeningKey.generate()
NUMBER = "999997899787"
OTHER = "999927467707"
RECORD = "0f" * 16
TWIN = "1e" * 16


def test_the_vault_opens_what_the_field_sealed() -> None:
    session = CaptureSession(VAULT.public)
    sealed = session.seal(NUMBER, RECORD, 1)
    key = capture.open_session_key(session.sealed_key, VAULT)
    assert capture.open_number(key, sealed, record_id=RECORD, version=1) == NUMBER
    assert len(sealed) == capture.SEALED_NUMBER_BYTES == 28
    assert session.id == capture.session_id(session.sealed_key)


def test_a_number_belongs_to_one_record_and_one_version() -> None:
    session = CaptureSession(VAULT.public)
    sealed = session.seal(NUMBER, RECORD, 1)
    key = capture.open_session_key(session.sealed_key, VAULT)
    for record, version in ((TWIN, 1), (RECORD, 2)):
        with pytest.raises(EnvelopeInvalid):
            capture.open_number(key, sealed, record_id=record, version=version)


@given(place=st.integers(0, 27), flip=st.integers(1, 255))
def test_every_changed_byte_is_noticed(place: int, flip: int) -> None:
    key = bytes(32)
    sealed = bytearray(capture.seal_number(key, NUMBER, record_id=RECORD, version=1))
    sealed[place] ^= flip
    with pytest.raises(EnvelopeInvalid):
        capture.open_number(key, bytes(sealed), record_id=RECORD, version=1)


def test_another_vault_opens_nothing() -> None:
    session = CaptureSession(VAULT.public)
    with pytest.raises(EnvelopeInvalid):
        capture.open_session_key(session.sealed_key, OpeningKey.generate())


def test_a_sealed_number_is_what_the_protocol_says() -> None:
    """Written out once more from docs/PROTOCOL.md: a second implementation must agree."""
    key = bytes(range(32))
    bound = bytes.fromhex(RECORD) + (7).to_bytes(4, "big")
    nonce = hashlib.sha256(bound).digest()[:12]
    expected = AESGCMSIV(key).encrypt(nonce, NUMBER.encode(), b"enrollkit/aadhaar/v1" + bound)
    assert capture.seal_number(key, NUMBER, record_id=RECORD, version=7) == expected


def test_two_sessions_share_nothing() -> None:
    one, two = CaptureSession(VAULT.public), CaptureSession(VAULT.public)
    assert one.id != two.id
    assert one.seal(NUMBER, RECORD, 1) != two.seal(NUMBER, RECORD, 1)


@pytest.mark.parametrize("text", ["", "12", "999997899788", "099997899787", "९९९९९७८९९७८७"])
def test_what_is_no_aadhaar_number_is_not_sealed_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="not an Aadhaar number") as refused:
        CaptureSession(VAULT.public).seal(text, RECORD, 1)
    assert not text or text not in str(refused.value)


def test_a_number_entered_twice_is_noticed_with_every_record_it_was_for() -> None:
    session = CaptureSession(VAULT.public)
    assert session.records_with(NUMBER) == ()
    session.remember(NUMBER, RECORD)
    session.remember(NUMBER, TWIN)
    assert session.records_with(NUMBER) == session.records_like(TWIN) == (RECORD, TWIN)
    assert session.records_with(OTHER) == ()
    session.remember(OTHER, RECORD)
    assert session.records_with(NUMBER) == session.records_like(TWIN) == (TWIN,)
    assert session.records_with(OTHER) == (RECORD,)
    session.forget(RECORD)
    assert session.records_like(RECORD) == ()


def test_after_the_lock_nothing_is_left() -> None:
    session = CaptureSession(VAULT.public)
    session.remember(NUMBER, RECORD)
    session.close()
    assert not any(session._key)
    assert not any(session._digest_key)
    assert not session._seen
    with pytest.raises(VaultLocked):
        session.seal(NUMBER, RECORD, 1)
    with pytest.raises(VaultLocked):
        session.records_with(NUMBER)


def test_a_session_keeps_no_number_in_its_objects() -> None:
    session = CaptureSession(VAULT.public)
    session.remember(NUMBER, RECORD)
    session.seal(NUMBER, RECORD, 1)
    gc.collect()
    assert NUMBER.encode() not in b"".join(session._seen)
    assert NUMBER not in repr(vars(session))
    assert "withheld" in repr(session)
