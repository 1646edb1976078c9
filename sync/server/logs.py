"""The server's log: one JSON object a line, ids and codes only, never a value of a person."""

from __future__ import annotations

import logging
import sys
import traceback
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

import structlog

from sync.protocol import Receipt

__all__ = ["Log", "note_taken", "open_log"]


class Log:
    """Writes events. Fields are ids, codes and counts; anything else has no place here."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._logger = structlog.wrap_logger(
            structlog.WriteLogger(stream),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
        )

    def info(self, event: str, **fields: str | int) -> None:
        """Write what happened as it should."""
        self._logger.info(event, **fields)

    def warning(self, event: str, **fields: str | int) -> None:
        """Write what somebody should look at."""
        self._logger.warning(event, **fields)

    def crash(self, error: BaseException) -> None:
        """Write what went wrong in here: the error's type and place, never its message."""
        self._logger.error("crash", **_describe(error))

    def close(self) -> None:
        """Close the log's file, if it has one of its own."""
        if self._stream is not sys.stderr:
            self._stream.close()


def open_log(path: Path | None) -> Log:
    """Open the log at a file (made for its owner only), or at standard error.

    What libraries log is cut down to name, level and message template: their arguments may hold
    anything.
    """
    stream: TextIO = sys.stderr
    if path is not None:
        stream = path.open("a", encoding="utf-8", buffering=1)
        path.chmod(0o600)
    log = Log(stream)
    logging.basicConfig(handlers=[_Bridge(log)], level=logging.WARNING, force=True)
    return log


def note_taken(log: Log, receipt: Receipt, *, began_fork: bool) -> None:
    """Write that a batch is committed, and how many of its operations had which verdict.

    A fork is an alert: two laptops write under one name, or one was restored from a copy.
    """
    if began_fork:
        log.warning("fork", device=receipt.device, incarnation=receipt.incarnation)
    counts = Counter(verdict.outcome.value for verdict in receipt.verdicts)
    log.info(
        "batch",
        device=receipt.device,
        incarnation=receipt.incarnation,
        number=receipt.batch,
        **counts,
    )


def _describe(error: BaseException) -> dict[str, str]:
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-8:]]
    return {"error": type(error).__name__, "at": " ".join(places)}


class _Bridge(logging.Handler):
    """Carries the warnings of libraries over, without their arguments."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"logger": record.name, "template": str(record.msg)[:200]}
        if record.exc_info and record.exc_info[1] is not None:
            fields |= {"template": "", **_describe(record.exc_info[1])}
        self._log.warning("library", **fields)
