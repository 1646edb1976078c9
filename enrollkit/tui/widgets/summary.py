"""A person in a few lines of label and value, as the review and the wide screen show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from textual.content import Content

from enrollkit.locale import _
from enrollkit.tui.form import birth_said, birth_text
from enrollkit.tui.languages import language_name
from enrollkit.tui.marks import shown
from schemas.pointers import value_at

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["gender_word", "preview_lines", "summarise", "summary_lines"]


def summarise(
    row: Mapping[str, Any], last4: str | None, kit: Kit, today: date
) -> list[tuple[str, str]]:
    """Give label and text for what the row holds; own script stands last on its line."""
    gender = gender_word(str(row.get("gender") or ""))
    born = birth_said(row.get("birth"), today) or birth_text(row.get("birth"))
    who = [_text(row, "/name") or "–", gender, born, _text(row, "/name_native")]
    lines = [
        (_("Person"), ", ".join(part for part in who if part)),
        (_("Aadhaar"), _("…{last4}, sealed").format(last4=last4) if last4 else _("none")),
        (_("Mobile"), _text(row, "/mobile") or _("none")),
        (_("Address"), _address(row, kit)),
    ]
    if value_at(row, "/guardian/name"):
        relation = _text(row, "/guardian/relation")
        lines.append((_("With"), f"{_text(row, '/guardian/name')}, {relation}"))
    lines.append((_("Consent"), _consent(row)))
    return lines


def summary_lines(lines: Sequence[tuple[str, str]]) -> Content:
    """Lay label and text out in two columns."""
    width = max((len(label) for label, _value in lines), default=0) + 2
    return Content("\n").join(
        Content.styled(f"  {label:<{width}}", "$secondary") + Content(shown(text))
        for label, text in lines
    )


def preview_lines(lines: Sequence[tuple[str, str]]) -> Content:
    """Lay label and text out beneath each other, for a narrow column."""
    return Content("\n").join(
        Content.styled(f"{label}\n", "$secondary") + Content(shown(text)) for label, text in lines
    )


def gender_word(code: str) -> str:
    """Give the word for a gender's letter."""
    return {"M": _("male"), "F": _("female"), "O": _("other")}.get(code, code)


def _address(row: Mapping[str, Any], kit: Kit) -> str:
    parts: list[Any] = [_text(row, "/address/line"), _text(row, "/address/village")]
    district, state = value_at(row, "/address/district"), value_at(row, "/address/state")
    places = kit.places
    parts.append(places.district_name(district) or "" if isinstance(district, int) else district)
    parts.append(places.state_name(state) or "" if isinstance(state, int) else state)
    parts.append(_text(row, "/address/pincode"))
    return ", ".join(str(part) for part in parts if part) or "–"


def _consent(row: Mapping[str, Any]) -> str:
    consent = row.get("consent")
    if not isinstance(consent, Mapping):
        return _("not given yet")
    method = {
        "signature": _("signature"),
        "thumbprint": _("thumbprint"),
        "verbal-witnessed": _("word of mouth"),
    }.get(str(consent.get("method")), "?")
    words = f"{method}, {language_name(str(consent.get('language')))}"
    witness = consent.get("witness")
    return words + (_(", before {name}").format(name=witness) if witness else "")


def _text(row: Mapping[str, Any], pointer: str) -> str:
    value = value_at(row, pointer)
    return value if isinstance(value, str) else ""
