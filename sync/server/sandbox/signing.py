"""How the practice gateway signs its callbacks, as NHA describes it: a bearer token under RS256.

The token says who sends and until when; it covers nothing of what is sent. The public key is
fetched from the gateway with a session.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

__all__ = ["GatewayKey"]

_BITS: Final = 2048
_SECONDS: Final = 600


class GatewayKey:
    """The gateway's key; one for all of a process, because making it takes its time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._key, self._clock = _key(), clock
        numbers = self._key.public_key().public_numbers()
        self._modulus = numbers.n.to_bytes(_BITS // 8)
        self._exponent = numbers.e.to_bytes(3)

    @property
    def key_set(self) -> dict[str, Any]:
        """Give the JSON Web Key Set that verifies what is signed here."""
        entry = {"kid": _KID, "kty": "RSA", "use": "sig", "alg": "RS256"}
        return {"keys": [{**entry, "n": _text(self._modulus), "e": _text(self._exponent)}]}

    def bearer(self) -> str:
        """Sign a token that holds for ten minutes, as the header ``Authorization`` carries it."""
        now = int(self._clock())
        head = _json({"alg": "RS256", "typ": "JWT", "kid": _KID})
        claims = _json({"iss": "practice", "iat": now, "exp": now + _SECONDS})
        signature = self._key.sign(f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
        return f"Bearer {head}.{claims}.{_text(signature)}"


_KID: Final = "practice-gateway"


@cache
def _key() -> RSAPrivateKey:
    return generate_private_key(65537, _BITS)


def _json(value: Mapping[str, Any]) -> str:
    return _text(json.dumps(value).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
