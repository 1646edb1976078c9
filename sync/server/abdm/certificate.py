"""NHA's public certificate, and what is encrypted to it: Aadhaar numbers, mobiles, codes.

It is believed for a while and fetched anew when an encrypted call fails: NHA changes it without
notice, and what is encrypted to the old one is refused with words that do not say so.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_der_x509_certificate

from sync.server.abdm.calls import AbdmRefused, AbdmUnsent, Effect, Ending, EndKind, Refusal
from sync.server.abdm.reading import first_text
from sync.server.abdm.session import Speak

__all__ = ["Certificate", "Certificates", "read_certificate"]

_PATH: Final = "/v3/profile/public/certificate"
_BITS_MIN: Final = 2048
_BITS_MAX: Final = 8192
_TEXT_LENGTH_MAX: Final = 20_000
_SAME_KEY_SECONDS: Final = 60.0
"""After a fetch that brought the same key no outage makes us fetch it again for so long."""
_QUIET_SECONDS: Final = 2.0

_OAEP_SHA1: Final = frozenset({"", "rsa/ecb/oaepwithsha1andmgf1padding", "rsaoaep"})
"""How the one padding that NHA takes is written. OAEP with SHA-256 is not among them: which digest
its MGF1 would have differs between makers, and a wrong guess would be held against the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A public key of NHA's, and until when it is believed."""

    key: RSAPublicKey = field(repr=False)
    until: float

    def encrypt(self, plain: bytearray) -> str:
        """Encrypt by RSA-OAEP (SHA-1, MGF1), in base64; the plain bytes stay as they are.

        The library takes ``bytes`` alone, so that a copy lives until this call ends; it is freed
        and not overwritten, which Python gives no means for.
        """
        # SHA-1 is NHA's choice; OAEP does not rest on its resistance to collisions.
        padding = OAEP(MGF1(hashes.SHA1()), hashes.SHA1(), label=None)  # noqa: S303 - see above
        return base64.b64encode(self.key.encrypt(bytes(plain), padding)).decode("ascii")

    def is_same_as(self, other: Certificate) -> bool:
        """Whether it holds the same key."""
        return self.key.public_numbers() == other.key.public_numbers()


class Certificates:
    """Keeps NHA's certificate for all threads of a process."""

    def __init__(self, speak: Speak, *, url: str, hours: float, clock: Callable[[], float]) -> None:
        self._speak = speak
        self._url = url
        self._seconds = 3600.0 * hours
        self._clock = clock
        self._lock = threading.Lock()
        self._held: Certificate | None = None
        self._is_suspect = False
        self._settled_until = self._quiet_until = 0.0
        self._silence: Ending | None = None

    def current(self, bearer: str) -> Certificate:
        """Give one that is believed; ``AbdmRefused`` or ``AbdmUnsent`` when there is none."""
        with self._lock:
            held = self._held
            if held is None or self._is_suspect or not self._is_fresh(held):
                held = self._fetch(bearer)
            return held

    def replaced(self, used: Certificate, bearer: str) -> Certificate | None:
        """Give another one than was used in vain, if NHA has another by now."""
        with self._lock:
            held = self._held
            if held is None or held.is_same_as(used):
                held = self._fetch(bearer)
            return None if held.is_same_as(used) else held

    def doubt(self, used: Certificate) -> None:
        """Have it fetched before its next use: a call failed without words, perhaps for it."""
        with self._lock:
            if self._held is not None and self._held.is_same_as(used) and self._may_doubt():
                self._is_suspect = True

    def _fetch(self, bearer: str) -> Certificate:
        if self._silence is not None and 0 < self._quiet_until - self._clock() <= _QUIET_SECONDS:
            raise AbdmUnsent(self._silence)
        try:
            answer = self._speak("certificate", self._url, _PATH, None, bearer)
        except AbdmUnsent as error:
            # Whoever waits behind this one must not wait for the same silence again.
            self._silence, self._quiet_until = error.ending, self._clock() + _QUIET_SECONDS
            raise
        found = read_certificate(answer, until=self._clock() + self._seconds)
        if self._held is not None and found.is_same_as(self._held):
            self._settled_until = self._clock() + _SAME_KEY_SECONDS
        self._is_suspect = False
        self._held = found
        return found

    def _may_doubt(self) -> bool:
        left = self._settled_until - self._clock()
        # A clock that was set back must not make one key be believed for hours.
        return not 0 < left <= _SAME_KEY_SECONDS

    def _is_fresh(self, held: Certificate) -> bool:
        return 0 < held.until - self._clock() <= self._seconds


def read_certificate(answer: dict[str, Any], *, until: float) -> Certificate:
    """Read the answer; ``AbdmRefused`` when it is no key that we may encrypt to.

    Another encryption is ``STOP``. An answer without a key, such as a page that says that ABDM is
    being mended, is ``WAIT``.
    """
    algorithm = first_text(answer, "encryptionAlgorithm") or ""
    if re.sub(r"[-_ ]", "", algorithm).lower() not in _OAEP_SHA1:
        raise _unusable("ENROLLKIT-ALGORITHM", f"unknown encryption {algorithm[:60]}", Effect.STOP)
    key = _key(answer.get("publicKey"))
    if key is None or not _BITS_MIN <= key.key_size <= _BITS_MAX:
        raise _unusable("ENROLLKIT-CERTIFICATE", "no public key in the answer", Effect.WAIT)
    return Certificate(key=key, until=until)


def _key(text: object) -> RSAPublicKey | None:
    """Read bare base64 of a public key, or of a certificate; PEM is the same between two lines."""
    if not isinstance(text, str) or len(text) > _TEXT_LENGTH_MAX:
        return None
    bare = re.sub(r"-----[A-Z ]+-----", "", text)
    try:
        der = base64.b64decode("".join(bare.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    for load in (load_der_public_key, _certified_key):
        try:
            found = load(der)
        except (ValueError, UnsupportedAlgorithm):
            continue
        if isinstance(found, RSAPublicKey):
            return found
    return None


def _certified_key(der: bytes) -> Any:
    return load_der_x509_certificate(der).public_key()


def _unusable(code: str, message: str, effect: Effect) -> AbdmRefused:
    refusal = Refusal(
        code=code,
        message=message,
        status=200,
        module="M1",
        effect=effect,
        reason="abdm:encryption" if effect is Effect.STOP else "abdm:wait",
    )
    return AbdmRefused(Ending(request_id="", kind=EndKind.UNSENT, code=code), refusal)
