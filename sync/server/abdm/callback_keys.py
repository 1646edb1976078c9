"""Whether a callback comes from ABDM's gateway: its bearer token, under the gateway's public keys.

NHA documents (nha-in/docs, callback-authenticity; seen by an integrator on 2026-09-16) that each
callback carries ``Authorization: Bearer`` with an RS256 token whose ``kid`` names a key of
``/api/hiecm/gateway/v3/certs``, which wants a session. So the worker fetches the keys, and whoever
takes callbacks only reads them.

The token says who sends, not what is sent: it covers neither the body nor its address, and nobody
documents its issuer. Whoever gets hold of one could send what he likes while it lasts, if he also
knew the id of a request of ours; those are random and only ABDM hears them.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from sqlalchemy import Connection, delete, func, select

from sync.server.abdm.calls import AbdmFailure
from sync.server.abdm.settings import AbdmSettings
from sync.server.store import Store, insert_once
from sync.server.store.tables import callback_keys

__all__ = [
    "CallbackForged",
    "Fetches",
    "KeyUnknown",
    "check_bearer",
    "keep_keys",
    "may_note",
    "note_unknown",
    "see_to_keys",
]

_ALGORITHMS: Final = {"RS256": hashes.SHA256, "RS512": hashes.SHA512}
_TOKEN_CHARACTERS_MAX: Final = 8000
_KEYS_MAX: Final = 20
_KID_CHARACTERS_MAX: Final = 100
_MODULUS_BITS: Final = range(2048, 8193)
_UNKNOWN_MAX: Final = 5
_SKEW_SECONDS: Final = 300
_SOONEST_MS: Final = 5 * 60_000
"""Between two looks for new keys: nobody makes us call the gateway by naming keys."""


class CallbackForged(Exception):
    """The sender did not show that it is ABDM's gateway; the text is a code."""


class KeyUnknown(CallbackForged):
    """The token names a key that is not here; ``kid`` is its name."""

    def __init__(self, kid: str) -> None:
        super().__init__("key-unknown")
        self.kid = kid


class Fetches(Protocol):
    """What seeing to the keys asks of the client."""

    def fetch_callback_keys(self) -> Mapping[str, Any]:
        """Give the gateway's JSON Web Key Set; raises ``AbdmFailure``."""


def see_to_keys(store: Store, client: Fetches, settings: AbdmSettings, *, now: int) -> None:
    """Fetch the keys where there are none, or old ones, or one was named that nobody knows.

    Keys that cannot be renewed are used on; without any, the client's error goes up. ``now`` in ms.
    """
    if settings.callback_signature != "required":
        return
    with store.read() as connection:
        newest, are_missing = _standing(connection)
    age = now - newest
    if age <= settings.certificate_hours * 3_600_000 and not (are_missing and age > _SOONEST_MS):
        return
    try:
        keys = client.fetch_callback_keys()
    except AbdmFailure:
        if newest:
            return
        raise
    with store.write() as connection:
        keep_keys(connection, keys, now=now)


def keep_keys(connection: Connection, key_set: Mapping[str, Any], *, now: int) -> int:
    """Keep a JSON Web Key Set in the place of the one before; give how many keys of it serve."""
    given = key_set.get("keys")
    usable = [
        each
        for each in (given[:_KEYS_MAX] if isinstance(given, list) else [])
        if isinstance(each, dict) and _public_key(each) is not None
    ]
    if usable:
        connection.execute(delete(callback_keys))
    for each in usable:
        key = {name: each.get(name) for name in ("kty", "kid", "n", "e", "alg")}
        insert_once(
            connection,
            callback_keys,
            {"kid": each["kid"], "key": json.dumps(key), "noted_at": now},
        )
    return len(usable)


def may_note(connection: Connection, kid: str) -> bool:
    """Whether noting that key says anything new; a look that takes no lock.

    One key that is wanted is enough for the worker to fetch all. A name that stands there already,
    with a key that cannot be used or without one, is not noted again.
    """
    unknown = select(func.count()).where(callback_keys.c.key.is_(None))
    if connection.execute(unknown).scalar_one() >= _UNKNOWN_MAX:
        return False
    named = select(callback_keys.c.kid).where(callback_keys.c.kid == kid)
    return connection.execute(named).first() is None


def note_unknown(connection: Connection, kid: str, *, now: int) -> None:
    """Note that a callback named a key that is not here, so that the worker looks for new ones."""
    if may_note(connection, kid):
        insert_once(connection, callback_keys, {"kid": kid, "key": None, "noted_at": now})


def check_bearer(connection: Connection, authorization: str, *, now: int) -> None:
    """Verify the header ``Authorization`` of a callback; ``CallbackForged`` if it is not right.

    ``now`` in ms. The algorithm is the key's own, never the one that the token asks for.
    """
    scheme, _, token = authorization.partition(" ")
    parts = token.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3 or len(token) > _TOKEN_CHARACTERS_MAX:  # noqa: PLR2004 - a JWT's parts
        raise CallbackForged("no-token")
    head, claims = _object(parts[0]), _object(parts[1])
    kid = head.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _KID_CHARACTERS_MAX or not kid.isprintable():
        raise CallbackForged("no-kid")
    mine = (callback_keys.c.kid == kid, callback_keys.c.key.is_not(None))
    text = connection.execute(select(callback_keys.c.key).where(*mine)).scalar_one_or_none()
    key = {} if text is None else json.loads(text)
    public = _public_key(key)
    if public is None:
        raise KeyUnknown(kid)
    if head.get("alg") != _algorithm(key):
        raise CallbackForged("algorithm")
    signed = f"{parts[0]}.{parts[1]}".encode()
    try:
        public.verify(_bytes(parts[2]), signed, PKCS1v15(), _ALGORITHMS[_algorithm(key)]())
    except InvalidSignature as error:
        raise CallbackForged("signature") from error
    _check_time(claims, now // 1000)


def _standing(connection: Connection) -> tuple[int, bool]:
    """Give when the keys were fetched (0 for never), and whether one is missing."""
    known = callback_keys.c.key.is_not(None)
    newest = select(func.max(callback_keys.c.noted_at)).where(known)
    missing = select(func.count()).where(~known)
    return (
        connection.execute(newest).scalar_one() or 0,
        bool(connection.execute(missing).scalar_one()),
    )


def _public_key(key: Mapping[str, Any]) -> RSAPublicKey | None:
    """Build a key of a JSON Web Key Set that may verify; ``None`` for any other."""
    kid = key.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _KID_CHARACTERS_MAX:
        return None
    is_for_this = key.get("use", "sig") == "sig" and _algorithm(key) in _ALGORITHMS
    if key.get("kty") != "RSA" or not is_for_this or not kid.isprintable():
        return None
    try:
        modulus, exponent = (int.from_bytes(_bytes(str(key.get(name, "")))) for name in ("n", "e"))
        if modulus.bit_length() not in _MODULUS_BITS:
            return None
        return RSAPublicNumbers(exponent, modulus).public_key()
    except (CallbackForged, ValueError):
        return None


def _algorithm(key: Mapping[str, Any]) -> str:
    return str(key.get("alg") or "RS256")


def _check_time(claims: Mapping[str, Any], now: int) -> None:
    """Hold the moments of a token against ours; one that carries none is taken."""
    ends, begins = claims.get("exp"), claims.get("nbf")
    if isinstance(ends, int | float) and ends + _SKEW_SECONDS < now:
        raise CallbackForged("expired")
    if isinstance(begins, int | float) and begins - _SKEW_SECONDS > now:
        raise CallbackForged("early")


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(part))
    except (ValueError, RecursionError) as error:
        raise CallbackForged("token") from error
    if not isinstance(found, dict):
        raise CallbackForged("token")
    return found


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise CallbackForged("base64") from error
