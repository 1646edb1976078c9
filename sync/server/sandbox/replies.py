"""What the practice ABDM answers, with the four shapes of refusal that the real one has."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Refused", "Reply", "coded", "fields", "flat", "gateway"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: its body, and what the journal keeps of it."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str = ""

    @classmethod
    def of(cls, value: Any, status: int = 200) -> Reply:
        """Give a value as JSON."""
        return cls(status=status, body=json.dumps(value, ensure_ascii=False).encode())


class Refused(Exception):
    """The practice ABDM says no; ``reply`` is how."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.status} {reply.code}".strip())
        self.reply = reply


def coded(status: int, code: str, message: str) -> Refused:
    """Refuse with ``{"error": {"code", "message"}}``, as most routes do."""
    return _refused(status, code, {"error": {"code": code, "message": message}})


def flat(status: int, code: str, message: str) -> Refused:
    """Refuse with code and message at the top, the code with the blank tail that it may have."""
    body = {"code": f"{code}: ", "message": message, "timestamp": _stamp()}
    return _refused(status, code, body)


def fields(**faults: str) -> Refused:
    """Refuse some fields by name, without any code; the journal notes which."""
    body = {**faults, "timestamp": _stamp()}
    return _refused(400, "fields:" + ",".join(sorted(faults)), body)


def gateway(status: int, code: str, message: str) -> Refused:
    """Refuse as the gateway before ABDM does."""
    return _refused(status, code, {"code": code, "message": message, "description": message})


def _refused(status: int, code: str, body: Mapping[str, Any]) -> Refused:
    reply = Reply(status=status, body=json.dumps(body).encode(), code=code)
    return Refused(reply)


def _stamp() -> str:
    return time.strftime("%d-%m-%Y %H:%M:%S")
