from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from abdm_stub import ALGORITHM, keys, opened, public_text
from sync.server.abdm.calls import AbdmRefused, AbdmUnsent, Effect, Ending, EndKind
from sync.server.abdm.certificate import Certificates, read_certificate


class Abha:
    """Gives a certificate, and counts how often."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.key = keys()[0]
        self.calls = 0
        self.is_silent = False
        self.certificates = Certificates(
            self._speak, url="https://abha.test/abha/api", hours=24, clock=lambda: self.now
        )

    def _speak(
        self, what: str, base: str, path: str, payload: dict[str, Any] | None, bearer: str
    ) -> dict[str, Any]:
        assert (what, path, payload) == ("certificate", "/v3/profile/public/certificate", None)
        assert (base, bearer) == ("https://abha.test/abha/api", "session")
        self.calls += 1
        if self.is_silent:
            raise AbdmUnsent(Ending(request_id="", kind=EndKind.UNSENT))
        return {"publicKey": public_text(self.key), "encryptionAlgorithm": ALGORITHM}


def test_it_is_fetched_once_and_again_when_it_is_old() -> None:
    abha = Abha()
    for _use in range(3):
        abha.certificates.current("session")
    assert abha.calls == 1
    abha.now += 24 * 3600 + 1
    abha.certificates.current("session")
    assert abha.calls == 2


def test_a_clock_that_is_set_back_does_not_make_it_live_for_ever() -> None:
    abha = Abha()
    abha.certificates.current("session")
    abha.now -= 365 * 86_400
    abha.certificates.current("session")
    assert abha.calls == 2


def test_another_one_is_given_only_where_there_is_another() -> None:
    abha = Abha()
    used = abha.certificates.current("session")
    assert abha.certificates.replaced(used, "session") is None
    abha.key = keys()[1]
    other = abha.certificates.replaced(used, "session")
    assert other is not None
    assert opened(other.encrypt(bytearray(b"1234")), keys()[1]) == "1234"
    assert abha.calls == 3
    # Another thread, refused with the old one, needs no call of its own.
    assert abha.certificates.replaced(used, "session") == other
    assert abha.calls == 3


def test_doubt_costs_at_most_one_call_a_minute_while_the_key_stays() -> None:
    abha = Abha()
    for _second in range(120):
        abha.certificates.doubt(abha.certificates.current("session"))
        abha.now += 1
    assert abha.calls <= 4


def test_doubt_finds_a_new_key_at_the_next_use() -> None:
    abha = Abha()
    used = abha.certificates.current("session")
    abha.key = keys()[1]
    abha.certificates.doubt(used)
    assert not abha.certificates.current("session").is_same_as(used)


def test_whoever_waits_behind_a_silence_does_not_wait_for_it_again() -> None:
    abha = Abha()
    abha.is_silent = True
    for _thread in range(16):
        with pytest.raises(AbdmUnsent):
            abha.certificates.current("session")
    assert abha.calls == 1
    abha.is_silent = False
    abha.now += 2
    abha.certificates.current("session")
    assert abha.calls == 2


def test_encrypting_leaves_the_plain_bytes_to_whoever_overwrites_them() -> None:
    certificate = Abha().certificates.current("session")
    plain = bytearray(b"999999990019")
    first, second = certificate.encrypt(plain), certificate.encrypt(plain)
    assert first != second
    assert opened(first, keys()[0]) == opened(second, keys()[0]) == "999999990019"
    assert plain == b"999999990019"
    assert "key" not in repr(certificate)


@pytest.mark.parametrize(
    "algorithm",
    [
        ALGORITHM,
        "RSA/ECB/OAEPWithSHA1AndMGF1Padding",
        "rsa/ecb/oaepwithsha-1andmgf1padding",
        "",
        None,
    ],
)
def test_the_one_padding_is_known_by_its_names(algorithm: str | None) -> None:
    answer = {"publicKey": public_text(keys()[0]), "encryptionAlgorithm": algorithm}
    assert read_certificate(answer, until=0).key.key_size == 2048


@pytest.mark.parametrize(
    "algorithm",
    ["RSA/ECB/PKCS1Padding", "RSA/ECB/OAEPWithSHA-256AndMGF1Padding", "AES/GCM", "x" * 900],
)
def test_another_padding_stops_the_work_instead_of_guessing(algorithm: str) -> None:
    answer = {"publicKey": public_text(keys()[0]), "encryptionAlgorithm": algorithm}
    with pytest.raises(AbdmRefused) as caught:
        read_certificate(answer, until=0)
    refusal = caught.value.refusal
    assert (refusal.effect, refusal.reason) == (Effect.STOP, "abdm:encryption")
    assert algorithm[:60] in refusal.message


def _certified() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "abha")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(keys()[0].public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .sign(keys()[0], SHA256())
        .public_bytes(Encoding.DER)
    )


def test_a_key_is_read_bare_in_pem_and_inside_a_certificate() -> None:
    pem = keys()[0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    bare = public_text(keys()[0])
    for text in (bare, f"{bare[:64]}\n{bare[64:]}", pem.decode(), base64.b64encode(_certified())):
        given = text if isinstance(text, str) else text.decode()
        found = read_certificate({"publicKey": given}, until=0)
        assert found.key.public_numbers() == keys()[0].public_key().public_numbers()


def _elliptic() -> str:
    der = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    return base64.b64encode(der).decode()


@pytest.mark.parametrize(
    "text", ["", "not base64!", "QUJD", None, 7, _elliptic(), "weak"], ids=range(7)
)
def test_what_is_no_strong_rsa_key_is_not_encrypted_to(text: object) -> None:
    weak = generate_private_key(65537, 1024)  # noqa: S505 - on purpose
    given = public_text(weak) if text == "weak" else text
    with pytest.raises(AbdmRefused) as caught:
        read_certificate({"publicKey": given}, until=0)
    assert caught.value.refusal.effect is Effect.WAIT


def test_an_answer_that_tells_of_something_else_is_waited_for_to_end() -> None:
    with pytest.raises(AbdmRefused) as caught:
        read_certificate({"status": "MAINTENANCE"}, until=0)
    assert (caught.value.refusal.effect, caught.value.refusal.reason) == (
        Effect.WAIT,
        "abdm:wait",
    )
