"""What ABDM says later (M2): posted to the programme's own server, in the order of the requests."""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

__all__ = ["Callback", "Callbacks", "checked_address"]

_KEPT_MAX: Final = 20_000
_TIMEOUT_SECONDS: Final = 10
_TAKEN: Final = range(200, 300)


def checked_address(url: str) -> str:
    """Give an address without its last slash; ``ValueError`` unless a web server may be there."""
    if url and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
        raise ValueError("url")
    return url.rstrip("/")


@dataclass(slots=True, kw_only=True)
class Callback:
    """One answer on its way.

    ``status``: HTTP's of the last delivery; ``None`` before the first, 0 where nobody answered.
    """

    path: str
    hip: str
    request_id: str
    body: dict[str, Any]
    deliveries: int = 0
    status: int | None = None


class Callbacks:
    """Posts answers from a thread of its own; one may come before the 202 that announces it.

    Without an address they wait until there is one (:meth:`call_at`).
    """

    def __init__(self, url: str, clock: Callable[[], float], sign: Callable[[], str]) -> None:
        self._url, self._clock = checked_address(url), clock
        self._sign = sign
        self._waiting: queue.SimpleQueue[Callback | None] = queue.SimpleQueue()
        self._held: list[Callback] = []
        self._lock = threading.Lock()
        self._known: deque[Callback] = deque(maxlen=_KEPT_MAX)
        self._thread = threading.Thread(target=self._work, name="practice-callbacks", daemon=True)
        self._thread.start()

    def add(self, callback: Callback, *, times: int = 1) -> None:
        """Let an answer be posted so many times; 0 times: it is lost."""
        with self._lock:
            self._known.append(callback)
            wanted = [callback] * times
            if not self._url:
                self._held += wanted
                return
        for each in wanted:
            self._waiting.put(each)

    def call_at(self, url: str) -> None:
        """Post to this address from now on, first what has waited for one.

        ``ValueError`` for what is no address of a web server.
        """
        checked = checked_address(url)
        with self._lock:
            self._url = checked
            held, self._held = (self._held, []) if self._url else ([], self._held)
        for each in held:
            self._waiting.put(each)

    def repeat_undelivered(self) -> int:
        """Post once more whatever was lost or not taken; give how many."""
        with self._lock:
            missing = [one for one in self._known if one.status not in _TAKEN]
        for each in missing:
            self._waiting.put(each)
        return len(missing)

    def described(self) -> list[dict[str, Any]]:
        """Say what became of each answer, without the secrets in it."""
        with self._lock:
            return [
                {**asdict(one), "body": {**one.body, "linkToken": "<withheld>"}}
                if "linkToken" in one.body
                else asdict(one)
                for one in self._known
            ]

    def close(self) -> None:
        """End the thread when what waits is posted."""
        self._waiting.put(None)
        self._thread.join(timeout=_TIMEOUT_SECONDS)

    def _work(self) -> None:
        while (callback := self._waiting.get()) is not None:
            status = self._post(callback)
            with self._lock:
                callback.deliveries += 1
                callback.status = status

    def _post(self, callback: Callback) -> int:
        """Post one answer; give the status, 0 when nobody answered."""
        base = urlsplit(self._url)
        kind = http.client.HTTPSConnection if base.scheme == "https" else http.client.HTTPConnection
        when = datetime.fromtimestamp(self._clock(), UTC)
        headers = {
            "Content-Type": "application/json",
            "Authorization": self._sign(),
            "REQUEST-ID": str(uuid.uuid4()),
            "TIMESTAMP": when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z",
            "X-HIP-ID": callback.hip,
            "X-CM-ID": "sbx",
            "X-Practice": "yes",
        }
        body = json.dumps(callback.body)
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            connection = kind(base.netloc, timeout=_TIMEOUT_SECONDS)
            with contextlib.closing(connection):
                connection.request("POST", base.path + callback.path, body, headers)
                return connection.getresponse().status
        return 0
