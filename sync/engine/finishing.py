"""One step of finishing with the person present: asked once, however often the line breaks.

The same signed bytes are sent again after a cut: their nonce keeps the server from doing anything
twice. A person waits in front of the screen, so the tries are few and the rests short.
"""

from __future__ import annotations

from typing import Final, Protocol

from sync.engine.envelope import DeviceEnvelope
from sync.errors import Offline, Timeout
from sync.ports import Sleeper
from sync.protocol import FinishAction, FinishAnswer, FinishRequest
from sync.sealing import SealKey, seal_finish_value

__all__ = ["FinishRoad", "ask_finish", "make_finish_request"]

_REST_SECONDS: Final = (1.0, 2.0)
"""Between the tries; there is one more try than rests."""


class FinishRoad(Protocol):
    """A road that carries steps. Raises only :class:`sync.errors.SyncError`."""

    def finish(self, message: bytes) -> bytes:
        """Send one signed step; give the sealed answer, which nobody has verified yet."""


def make_finish_request(
    device: str,
    subject: str,
    action: FinishAction,
    *,
    value: str | None,
    vault: SealKey,
    time: int,
    nonce: bytes,
) -> FinishRequest:
    """Make a step; what was typed is sealed to the vault and nowhere else.

    ``ValueError`` when the value is none that can be sealed.
    """
    sealed = None
    if value is not None:
        sealed = seal_finish_value(
            value, vault, device=device, subject=subject, action=action, nonce=nonce
        )
    return FinishRequest(
        device=device, subject=subject, action=action, time=time, nonce=nonce, sealed=sealed
    )


def ask_finish(
    road: FinishRoad, request: FinishRequest, envelope: DeviceEnvelope, *, sleeper: Sleeper
) -> FinishAnswer:
    """Send a step until an answer comes; whatever is not signed for this step is none.

    ``SyncError`` when none came. Asking once more with a new step is always safe.
    """
    message = envelope.sign_finish_request(request)
    for seconds in _REST_SECONDS:
        try:
            return envelope.open_finish_answer(road.finish(message), request)
        except (Offline, Timeout):
            sleeper.sleep(seconds)
    return envelope.open_finish_answer(road.finish(message), request)
