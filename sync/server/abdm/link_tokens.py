"""Link tokens (M2): who holds one may link records to a person for six months.

So they are sealed to the vault as they come in: the process that takes callbacks can write them
and read none; only the worker opens one, in the moment of its use.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select

from sync.errors import EnvelopeInvalid
from sync.sealing import OpeningKey, SealKey
from sync.server.store.tables import link_tokens

__all__ = [
    "TOKEN_CHARACTERS_MAX",
    "drop_token",
    "facilities_with_token",
    "keep_token",
    "open_token",
]

TOKEN_CHARACTERS_MAX: Final = 8000
_LIFE_MS: Final = 180 * 86_400_000
"""NHA: six months at most."""
_INFO: Final = b"enrollkit/link-token/v1"


def keep_token(
    connection: Connection, vault: SealKey, enrollment: str, hip: str, token: str, *, now: int
) -> None:
    """Keep a token, sealed, in the place of an older one."""
    drop_token(connection, enrollment, hip)
    connection.execute(
        insert(link_tokens).values(
            enrollment=enrollment,
            hip=hip,
            sealed=vault.seal(token.encode(), _info(enrollment, hip)),
            received_at=now,
            expires_at=min(_end_of(token), now + _LIFE_MS),
        )
    )


def facilities_with_token(connection: Connection, enrollment: str, *, now: int) -> set[str]:
    """Give the facilities for which a person has a token that holds."""
    mine = (link_tokens.c.enrollment == enrollment, link_tokens.c.expires_at > now)
    return set(connection.execute(select(link_tokens.c.hip).where(*mine)).scalars())


def open_token(
    connection: Connection, vault: OpeningKey, enrollment: str, hip: str, *, now: int
) -> str | None:
    """Open a token; ``None`` if there is none that holds or it was not sealed to this vault."""
    mine = (
        link_tokens.c.enrollment == enrollment,
        link_tokens.c.hip == hip,
        link_tokens.c.expires_at > now,
    )
    sealed = connection.execute(select(link_tokens.c.sealed).where(*mine)).scalar_one_or_none()
    if sealed is None:
        return None
    try:
        return vault.open(bytes(sealed), _info(enrollment, hip)).decode()
    except (EnvelopeInvalid, UnicodeDecodeError):
        return None


def drop_token(connection: Connection, enrollment: str, hip: str) -> None:
    """Forget a token."""
    mine = (link_tokens.c.enrollment == enrollment, link_tokens.c.hip == hip)
    connection.execute(delete(link_tokens).where(*mine))


def _info(enrollment: str, hip: str) -> bytes:
    return b"\0".join((_INFO, enrollment.encode(), hip.encode()))


def _end_of(token: str) -> int:
    """Read when a token says that it ends, in ms; far away if it says nothing that can be read.

    Nobody's signature is checked for this: a token that lies about its end serves nobody longer.
    """
    try:
        part = token.split(".")[1]
        claims: Any = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return max(0, int(claims["exp"])) * 1000
    except (IndexError, ValueError, binascii.Error, KeyError, TypeError, OverflowError):
        return 2**62
