"""Certificates for measurements: a root of our own, an intermediate, a server; RSA, as most have.

Real chains weigh the same three kilobytes, which take half a second on 2G.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

__all__ = ["make_chain"]

_DAYS = dt.timedelta(days=30)


def make_chain(folder: Path, hosts: tuple[str, ...]) -> tuple[Path, Path]:
    """Write the root, and the server's key and chain, for IP addresses; give both paths."""
    root_key, middle_key, key = (_key() for _ in range(3))
    root_name, middle_name = _name("Bench Root"), _name("Bench Intermediate")
    root = _sign(root_name, root_name, root_key, root_key, depth=1)
    middle = _sign(middle_name, root_name, middle_key, root_key, depth=0)
    leaf = _sign(_name(hosts[0]), middle_name, key, middle_key, hosts=hosts)
    root_path, chain_path = folder / "root.pem", folder / "chain.pem"
    root_path.write_bytes(root.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = leaf.public_bytes(Encoding.PEM) + middle.public_bytes(Encoding.PEM)
    chain_path.write_bytes(private + public)
    return root_path, chain_path


def _key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _sign(
    subject: x509.Name,
    issuer: x509.Name,
    key: RSAPrivateKey,
    issuer_key: RSAPrivateKey,
    *,
    depth: int | None = None,
    hosts: tuple[str, ...] = (),
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAYS)
        .not_valid_after(now + _DAYS)
        .add_extension(
            x509.BasicConstraints(ca=depth is not None, path_length=depth), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if hosts:
        names = [x509.IPAddress(ipaddress.ip_address(host)) for host in hosts]
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return made.sign(issuer_key, hashes.SHA256())
