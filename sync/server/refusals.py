"""What a laptop is told instead of an answer: one code, with a status and a text for people."""

from __future__ import annotations

from typing import Final

from fastapi.responses import Response

from sync import wire
from sync.errors import EnvelopeInvalid, ProtocolMismatch, TooLarge
from sync.server.errors import DatabaseBusy, HttpFault

__all__ = ["fault_of", "fault_response"]

_RETRY_AFTER_SECONDS: Final = 30


def fault_of(error: Exception) -> HttpFault | None:
    """Give what to tell about an error; ``None`` for a fault of ours."""
    match error:
        case HttpFault():
            return error
        case TooLarge():
            return HttpFault("too-large")
        case ProtocolMismatch():
            return HttpFault("protocol-mismatch")
        case EnvelopeInvalid():
            return HttpFault("bad-request")
        case DatabaseBusy():
            return HttpFault("busy")
        case TimeoutError():
            return HttpFault("too-slow")
        case _:
            return None


def fault_response(fault: HttpFault) -> Response:
    """Write it: a CBOR map of ``code`` and ``text``, with ``Retry-After`` when busy."""
    headers = {"retry-after": str(_RETRY_AFTER_SECONDS)} if fault.code == "busy" else None
    body = wire.encode({"code": fault.code, "text": fault.text})
    return Response(body, status_code=fault.status, headers=headers, media_type="application/cbor")
