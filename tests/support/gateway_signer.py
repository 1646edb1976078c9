"""ABDM's gateway as a signer of callbacks: its key set, and bearer tokens right and wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256, SHA512

__all__ = ["GatewaySigner"]


class GatewaySigner:
    """One key of the gateway; keys of one ``number`` are the same in a whole test run."""

    def __init__(self, kid: str = "gateway-1", *, number: int = 1, alg: str = "RS256") -> None:
        self.kid, self.alg, self.key = kid, alg, _key(number)

    def key_set(self, **changes: Any) -> dict[str, Any]:
        """Give the JSON Web Key Set with this key."""
        public = self.key.public_key().public_numbers()
        entry = {
            "kid": self.kid, "kty": "RSA", "use": "sig", "alg": self.alg,
            "n": _text(public.n.to_bytes(256)), "e": _text(public.e.to_bytes(3)),
        }  # fmt: skip
        return {"keys": [{**entry, **changes}]}

    def bearer(self, claims: Mapping[str, Any], **head: Any) -> str:
        """Sign a token; ``head`` changes what its header says."""
        first = {"alg": self.alg, "typ": "JWT", "kid": self.kid, **head}
        signed = f"{_json(first)}.{_json(claims)}"
        kind = SHA512() if self.alg == "RS512" else SHA256()
        return f"Bearer {signed}.{_text(self.key.sign(signed.encode(), PKCS1v15(), kind))}"


@cache
def _key(_number: int) -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def _json(value: Mapping[str, Any]) -> str:
    return _text(json.dumps(value).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
