"""What ABDM says against a request, in one shape, whichever of its shapes it came in.

``{error: {code, message}}``, flat ``{code, message}``, a map of fields, the gateway's own, a page
in HTML, nothing at all: each becomes a :class:`Refusal`. What each documented code means for us is
data (``data/abdm_refusals.json``); a code that is not there is kept whole and shown as unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sync.server.abdm.calls import Effect, Refusal, Step
from sync.server.abdm.reading import json_object, moment_of
from sync.server.abdm.redaction import MESSAGE_LENGTH_MAX, code_of, keeps_words, name_of, scrubbed

__all__ = ["Judged", "callback_refusal", "judge", "module_of", "says_no"]

_WAIT_SECONDS_MAX: Final = 86_400
_WAITING_STATUS: Final = frozenset({403, 404, 405, 408, 425, 429})
"""Without a code of ABDM's these come from what stands before it, and pass."""
_URGENCY: Final = (Effect.STOP, Effect.RETURN, Effect.CALL, Effect.LOOK)
_PLACE_WORDS: Final = re.compile(r"\b(state|district)", re.IGNORECASE)
_NO_FIELDS: Final = frozenset({"code", "description", "error", "message", "path", "status"})
_LOGIN_FIELDS: Final = {Step.OTP_SEND: "aadhaarNumber", Step.MOBILE_SEND: "mobile"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A refusal, and how sure it is that nothing was done."""

    refusal: Refusal
    is_documented: bool
    may_be_done: bool


def module_of(step: Step) -> str:
    """Give ABDM's module of a step: codes mean other things in another one."""
    return "M2" if step in {Step.LINK_TOKEN, Step.LINK} else "M1"


def says_no(answer: Mapping[str, Any]) -> bool:
    """Whether a body that came with a good status is a refusal all the same."""
    error = answer.get("error")
    return isinstance(error, Mapping) and bool(code_of(error.get("code")))


def judge(
    status: int,
    body: bytes,
    headers: Mapping[str, str],
    *,
    module: str,
    step: Step | None = None,
    hidden: Iterable[str] = (),
) -> Judged:
    """Read a refusal; ``hidden`` are the person's values, which its words may repeat."""
    said = _said(json_object(body) or {}, step)
    found = _judged(said, status, module, tuple(hidden))
    wait_seconds = _retry_after(headers)
    if wait_seconds is None or found.refusal.effect is not Effect.WAIT:
        return found
    return replace(found, refusal=replace(found.refusal, wait_seconds=wait_seconds))


def callback_refusal(error: object) -> Refusal:
    """Read the ``error`` of a callback of record linking."""
    content = error if isinstance(error, dict) else {}
    return _judged(_said({"error": content}, None), 0, "M2", ()).refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a body says: a code with words, or words about fields, or nothing."""

    code: str = ""
    message: str = ""
    fields: Mapping[str, str]


def _said(body: dict[str, Any], step: Step | None) -> _Said:
    for part in _parts(body):
        code = code_of(part.get("code"))
        words = [part.get(name) for name in ("message", "description")]
        message = " ".join(each for each in words if isinstance(each, str))
        if not code and (inside := re.search(r"\bABDM-[0-9]{3,5}\b", message)):
            code = inside[0]
        if code == "ABDM-1204" and (passed := _passed_through(message)):
            code = passed
        if code:
            return _Said(code=code, message=message, fields={})
    return _Said(
        message=next((value for value in (body.get("message"), body.get("error"))
                      if isinstance(value, str)), ""),
        fields=_fields(body, step),
    )  # fmt: skip


def _parts(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Give where a code may stand, the most telling place first."""
    places = [body.get("details"), body.get("error"), body.get("errors"), body]
    flat = [each for place in places for each in (place if isinstance(place, list) else [place])]
    return [each for each in flat[:8] if isinstance(each, dict)]


def _passed_through(message: str) -> str | None:
    """Find the code of UIDAI that a refusal of ABDM's passes on (``UIDAI Error code : 400 :``)."""
    for pattern in (r"UIDAI\D{0,40}(\d{3})(?!\d)", r"code\D{0,20}(\d{3})(?!\d)",
                    r"(?<!\d)(\d{3})(?!\d)"):  # fmt: skip
        if found := re.search(pattern, message, re.IGNORECASE | re.ASCII):
            return f"UIDAI-{found[1]}"
    return None


def _fields(body: dict[str, Any], step: Step | None) -> dict[str, str]:
    """Give the fields that a body blames. ``timestamp`` is when it happened, not a field."""
    found = {}
    for key, words in list(body.items())[:20]:
        name = str(key).rpartition(".")[2]
        is_moment = name == "timestamp" and "invalid" not in str(words).lower()
        if not isinstance(words, str) or is_moment or name in _NO_FIELDS:
            continue
        if name == "loginId" and step in _LOGIN_FIELDS:
            name = _LOGIN_FIELDS[step]
        found["Timestamp" if name == "timestamp" else name] = words
    return found


def _judged(said: _Said, status: int, module: str, hidden: tuple[str, ...]) -> Judged:
    if said.code:
        row = _row(said.code, module, said.message)
        words = scrubbed(said.message, hidden)
        if row is not None:
            refusal = _from_row(row, code=said.code, message=words, status=status, module=module)
            may_be_done = bool(row.get("may_be_done"))
            return Judged(refusal=refusal, is_documented=True, may_be_done=may_be_done)
        return _unknown(said.code, said.message, words, status, module)
    if said.fields and status < 500:  # noqa: PLR2004 - the server's own faults begin there
        return _of_fields(said.fields, status, module, hidden)
    words = scrubbed(said.message, hidden)
    return _unknown(f"HTTP-{status}", said.message, words, status, module)


def _of_fields(
    blamed: Mapping[str, str], status: int, module: str, hidden: tuple[str, ...]
) -> Judged:
    rows = {name: _table().fields.get(name) for name in blamed}
    known = [(name, row) for name, row in rows.items() if row is not None]
    words = "; ".join(_about(name, text, hidden) for name, text in blamed.items())[
        :MESSAGE_LENGTH_MAX
    ]
    if not known:
        name = name_of(next(iter(blamed)), hidden)
        return _unknown(code_of(f"FIELD-{name}"), "", words, status, module)
    name, row = min(known, key=lambda each: _URGENCY.index(Effect(each[1]["effect"])))
    code = code_of(f"FIELD-{name}")
    refusal = _from_row(row, code=code, message=words, status=status, module=module)
    return Judged(refusal=refusal, is_documented=True, may_be_done=False)


def _about(name: str, text: str, hidden: tuple[str, ...]) -> str:
    """Give what is said of a field; under a person's own it may be the value, and is withheld."""
    shown = name_of(name, hidden)
    return f"{shown}: {scrubbed(text, hidden)}" if keeps_words(name) else shown


def _unknown(code: str, message: str, words: str, status: int, module: str) -> Judged:
    effect, reason, pointer = Effect.LOOK, f"abdm:unknown {code}", ""
    # Beside unknown fields NHA documents a state and district that do not fit, without a code.
    if status in {400, 422} and _PLACE_WORDS.search(message):
        effect, reason, pointer = Effect.RETURN, "abdm:place", "/address/district"
    elif status == 401:  # noqa: PLR2004 - HTTP's
        effect, reason = Effect.RENEW, "abdm:session"
    elif status in _WAITING_STATUS or 300 <= status < 400 or status >= 500:  # noqa: PLR2004 - HTTP's
        effect, reason = Effect.WAIT, "abdm:wait"
    refusal = Refusal(
        code=code,
        message=words,
        status=status,
        module=module,
        effect=effect,
        reason=reason,
        pointer=pointer,
    )
    return Judged(refusal=refusal, is_documented=False, may_be_done=status >= 500)  # noqa: PLR2004


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    rows: Mapping[tuple[str, str], tuple[Mapping[str, Any], ...]]
    fields: Mapping[str, Mapping[str, Any]]
    conflicting: frozenset[str]


@cache
def _table() -> _Table:
    text = (files("sync.server") / "data" / "abdm_refusals.json").read_text(encoding="utf-8")
    content = json.loads(text)
    rows: dict[tuple[str, str], tuple[Mapping[str, Any], ...]] = {}
    for row in content["rows"]:
        code = f"UIDAI-{row['code']}" if row["module"] == "UIDAI" else row["code"]
        rows[row["module"], code] = (*rows.get((row["module"], code), ()), row)
    fields = {name: row for row in content["fields"] for name in row["names"]}
    return _Table(rows=rows, fields=fields, conflicting=frozenset(content["conflicting"]))


def _row(code: str, module: str, message: str) -> Mapping[str, Any] | None:
    """Find what a code means in a module; one with a single meaning is known in every module."""
    table = _table()
    elsewhere = () if code in table.conflicting else ("ANY", "GW", "UIDAI", "M1", "M2")
    for place in dict.fromkeys((module, *elsewhere)):
        for row in table.rows.get((place, code), ()):
            if row.get("contains", "") in message.lower():
                return row
    return None


def _from_row(
    row: Mapping[str, Any], *, code: str, message: str, status: int, module: str
) -> Refusal:
    known = row.get("module", module)
    return Refusal(
        code=code,
        message=message or row.get("message", ""),
        status=status,
        module=module if known in {"ANY", "UIDAI"} else known,
        effect=Effect(row["effect"]),
        reason=row["reason"],
        pointer=row.get("pointer", ""),
        wait_seconds=row.get("wait_seconds"),
    )


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Read ``Retry-After``: seconds, or a date as the sender's own clock has it."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return min(int(text), _WAIT_SECONDS_MAX)
    until, sent = moment_of(text), moment_of(headers.get("date", ""))
    if until is None or sent is None:
        return None
    return min(max(0, int(until - sent)), _WAIT_SECONDS_MAX)
