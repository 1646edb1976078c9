"""Certificates that do not hold: somebody listens in, or the laptop's clock is wrong."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from engine_fakes import QUICK, Laptop
from engine_server import FORGER_KEY, SERVER_KEY
from scripted_server import ScriptedServer, answer, serving
from sync import wire
from sync.engine.account import Summary
from sync.engine.http import HttpTransport
from sync.engine.runner import deliver
from sync.errors import CertificateUntrusted, ClockSkew, ClockWrong
from sync.protocol import ServerTime
from sync.sealing import sign_server_time

DAY = dt.timedelta(days=1)
TOKEN = b"t" * 16
TRUE_TIME = 1_795_000_000


class OneToken:
    """Randomness that a script can know."""

    def token(self, size: int) -> bytes:
        return TOKEN[:size]


ONE = b"".join(wire.encode_sequence([b"first"]))


def certificate(folder: Path, *, starts_in: dt.timedelta, host: str = "localhost") -> Path:
    """Make a self-signed certificate with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    start = dt.datetime.now(dt.UTC) + starts_in
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + 2 * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + made.public_bytes(Encoding.PEM)
    )
    return path


def say_hello(pem: Path, *, trusted: bool) -> list[bytes]:
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(pem)
    ours = ssl.create_default_context(cafile=str(pem)) if trusted else None
    with (
        serving(answer(ONE), context=theirs) as server,
        closing(HttpTransport(f"https://localhost:{server.port}", ssl_context=ours)) as road,
    ):
        return list(road.hello(b"x"))


def test_a_certificate_that_holds_lets_the_hello_through(tmp_path: Path) -> None:
    assert say_hello(certificate(tmp_path, starts_in=-DAY), trusted=True) == [b"first"]


def test_a_certificate_that_nobody_vouches_for_is_a_stranger_in_between(tmp_path: Path) -> None:
    with pytest.raises(CertificateUntrusted):
        say_hello(certificate(tmp_path, starts_in=-DAY), trusted=False)


def test_a_certificate_of_another_host_is_a_stranger_in_between(tmp_path: Path) -> None:
    other = certificate(tmp_path, starts_in=-DAY, host="login.example")
    with pytest.raises(CertificateUntrusted):
        say_hello(other, trusted=True)


def test_a_certificate_from_the_future_means_that_the_clock_is_slow(tmp_path: Path) -> None:
    with pytest.raises(ClockSkew):
        say_hello(certificate(tmp_path, starts_in=DAY), trusted=True)


class SignsTheTime(ScriptedServer):
    """A server that answers the time question with the true time, signed; keeps what it read."""

    def _talk(self, line: socket.socket, given: bytes | None) -> None:
        super()._talk(line, self._signed if given is None else given)

    @property
    def _signed(self) -> bytes:
        time = ServerTime(server_time=TRUE_TIME, nonce=TOKEN)
        return answer(sign_server_time(time, SERVER_KEY), kind="application/cose")


def delivered_through(pem: Path, *answers: bytes | None) -> tuple[Summary, list[bytes]]:
    """Run a session over TLS with a certificate that does not hold; give what the server read."""
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(pem)
    ours = ssl.create_default_context(cafile=str(pem))
    laptop = Laptop(people=2)
    server = SignsTheTime(answers, context=theirs)
    try:
        with closing(HttpTransport(f"https://localhost:{server.port}", ssl_context=ours)) as road:
            ports = replace(laptop.ports, transport=road, randomness=OneToken())
            return deliver(ports, approval_code="", pacing=QUICK), server.requests
    finally:
        server.close()


def test_a_wrong_clock_is_told_by_the_servers_signed_time_and_nothing_else_is_sent(
    tmp_path: Path,
) -> None:
    pem = certificate(tmp_path, starts_in=DAY)
    summary, heard = delivered_through(pem, b"", None)
    assert isinstance(summary.error, ClockWrong)
    assert "01.01.2019" in summary.error.text
    assert summary.waiting == 2
    (question,) = [request for request in heard if request]
    assert question.startswith(b"POST /v1/time ")
    assert question.endswith(wire.encode(TOKEN))


def test_a_stranger_who_answers_the_time_question_is_not_believed(tmp_path: Path) -> None:
    pem = certificate(tmp_path, starts_in=DAY)
    forged = sign_server_time(ServerTime(server_time=TRUE_TIME, nonce=TOKEN), FORGER_KEY)
    summary, _ = delivered_through(pem, b"", answer(forged, kind="application/cose"))
    assert type(summary.error) is ClockSkew
