"""The push: a nonce, then batches; for each a receipt that echoes the nonce."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from sync.errors import EnvelopeInvalid
from sync.protocol import LIMITS
from sync.server.intake import Taken

__all__ = ["NONCE_BYTES", "Push", "Take"]

Take: TypeAlias = Callable[[bytes, bytes], Taken]
"""Takes (batch, nonce) in and gives what was committed."""

NONCE_BYTES: Final = 16


class Push:
    """What the messages of one push mean; a ``Dialogue`` of :mod:`sync.server.streams`."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._nonce = b""
        self.is_known = False
        self.bytes_max = LIMITS.push_bytes_max

    def begin(self, first: bytes) -> tuple[bytes, ...]:
        """Keep the nonce; it is answered with the receipts."""
        if len(first) != NONCE_BYTES:
            raise EnvelopeInvalid("nonce")
        self._nonce = first
        return ()

    def take(self, item: bytes) -> tuple[bytes, ...]:
        """Give a batch's receipt; the error of a batch that is not taken ends the push."""
        taken = self._take(item, self._nonce)
        # Only a laptop's own key makes a new batch; one that was here may be anybody's recording.
        self.is_known = self.is_known or taken.is_new
        return (taken.signed,)

    def finish(self) -> tuple[bytes, ...]:
        """Nothing is left to say."""
        return ()
