"""A field of an enrollment as the form has it, and its value as people write it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from enrollkit.app.results import OtherValue
from enrollkit.app.system import local_time
from enrollkit.domain.characters import shown
from enrollkit.domain.person import BirthDate
from enrollkit.locale import _
from enrollkit.reference.places import Places
from schemas.pointers import value_at, with_value

__all__ = ["form_pointer", "label_of", "other_value", "value_text"]

_WHOLE = ("/birth", "/consent")
_TEXT_CHARACTERS_MAX = 60
_LABELS: Final = {
    "/consent/witness": "Witness",
    "/consent": "Consent",
    "/aadhaar": "Aadhaar number",
    "/name_native": "Name in own script",
    "/name": "Name",
    "/birth": "Born",
    "/gender": "Gender",
    "/mobile_owner": "Whose mobile",
    "/mobile": "Mobile",
    "/language": "Language",
    "/abha_address_choice": "ABHA address",
    "/guardian/relation": "Relation",
    "/guardian": "Guardian",
    "/address/line": "House, street",
    "/address/village": "Village or ward",
    "/address/pincode": "PIN code",
    "/address/state": "State",
    "/address/district": "District",
    "/address": "Address",
}


def form_pointer(pointer: str) -> str:
    """Give the field of the form that a JSON Pointer into the body means."""
    if pointer in {"/aadhaar_last4", "/capture_session"}:
        return "/aadhaar"
    for whole in _WHOLE:
        if pointer.startswith(f"{whole}/"):
            return whole
    return pointer


def label_of(pointer: str) -> str:
    """Give the words for a field, empty for the row as a whole."""
    for prefix, label in _LABELS.items():
        if pointer == prefix or pointer.startswith(prefix + "/"):
            return _(label)
    return ""


def other_value(body: Mapping[str, Any], pointer: str, theirs: Any, places: Places) -> OtherValue:
    """Put the office's value of one field beside the one in our body."""
    field = form_pointer(pointer)
    if field not in {pointer, "/aadhaar"}:
        theirs = value_at(with_value(body, pointer, theirs), field)
    yours = value_at(body, pointer if field == "/aadhaar" else field)
    return OtherValue(
        pointer=field,
        yours=yours,
        theirs=theirs,
        yours_text=value_text(field, yours, places),
        theirs_text=value_text(field, theirs, places),
    )


def value_text(field: str, value: Any, places: Places) -> str:
    """Write a value as people do; short, and safe to draw."""
    if value is None or value == "":
        return _("nothing")
    text = _text(field, value, places)
    short = text if len(text) <= _TEXT_CHARACTERS_MAX else text[: _TEXT_CHARACTERS_MAX - 1] + "…"
    return shown(short)


def _text(field: str, value: Any, places: Places) -> str:
    if field == "/aadhaar":
        return f"…{value}"
    if field == "/birth" and isinstance(value, Mapping):
        return _birth(value)
    if field == "/consent" and isinstance(value, Mapping):
        return _consent(value)
    if field == "/address/state" and isinstance(value, int):
        return places.state_name(value) or str(value)
    if field == "/address/district" and isinstance(value, int):
        return places.district_name(value) or str(value)
    if field == "/gender":
        words = {"M": _("male"), "F": _("female"), "O": _("other")}
        return words.get(str(value), str(value))
    if field == "/mobile_owner":
        words = {"self": _("own"), "family": _("family"), "none": _("none")}
        return words.get(str(value), str(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _birth(value: Mapping[str, Any]) -> str:
    year, month, day = value.get("year"), value.get("month"), value.get("day")
    if not isinstance(year, int):
        return json.dumps(dict(value), ensure_ascii=False)
    return BirthDate(year=year, month=month, day=day).text()


def _consent(value: Mapping[str, Any]) -> str:
    try:
        given = local_time(int(datetime.fromisoformat(str(value.get("given_at"))).timestamp()))
    except ValueError:
        return _("a consent")
    return _("a consent of {when}").format(when=given.strftime("%d %b %Y, %H:%M"))
