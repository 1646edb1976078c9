"""Says of a code that is none of ours what it is, and why it cannot be used here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from enrollkit.identity.masking import showable
from enrollkit.locale import _

__all__ = ["explain"]

_READ_MAX: Final = 4096
_HOST_MAX: Final = 60
_AADHAAR: Final = re.compile(r"(?:[0-9][ -]?){11}[0-9]")
_ABHA_NUMBER: Final = re.compile(r"[0-9]{2}[ -]?(?:[0-9]{4}[ -]?){2}[0-9]{4}")
_DIGITS: Final = re.compile(r"[0-9\s]+")
_CONTACTS: Final = ("BEGIN:VCARD", "MECARD:", "BEGIN:VEVENT", "BEGIN:VCALENDAR")


def explain(scanned: str) -> str:
    """Give one sentence: what it is, as far as one can tell, and why it is of no use here.

    No text of the code is repeated but the host of a web address: it may be anybody's secret.
    """
    text = scanned[:_READ_MAX].strip().removeprefix("\ufeff")
    return next(words() for holds, words in _TESTS if holds(text)) or _web(text)


def _is_json(text: str) -> bool:
    if not text.startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_web(text: str) -> bool:
    return re.match(r"https?://", text, re.IGNORECASE) is not None


def _web(text: str) -> str:
    return _("a web address ({host}). The kit opens no pages, and it names no person.").format(
        host=_host(text)
    )


def _host(text: str) -> str:
    try:
        host = urlsplit(text.split(maxsplit=1)[0]).hostname or "?"
    except ValueError:
        host = "?"
    return showable(host)[:_HOST_MAX]


_TESTS: Final[tuple[tuple[Callable[[str], bool], Callable[[], str]], ...]] = (
    (lambda text: not text, lambda: _("there is nothing in it.")),
    (_is_web, lambda: ""),
    (
        lambda text: text.lower().startswith("upi:"),
        lambda: _("a code for payments (UPI). It names an account, not a person to enroll."),
    ),
    (
        lambda text: text.upper().startswith(_CONTACTS),
        lambda: _("a visiting card or a calendar entry. Nobody has signed it; type what you need."),
    ),
    (
        lambda text: text.upper().startswith("WIFI:"),
        lambda: _("the password of a wireless network. It names no person."),
    ),
    (
        lambda text: _ABHA_NUMBER.fullmatch(text) is not None,
        lambda: _("fourteen digits, as an ABHA number has. Search for it, or scan the ABHA card."),
    ),
    (
        lambda text: _AADHAAR.fullmatch(text) is not None,
        lambda: _(
            "twelve digits, as an Aadhaar number has. Type it into its field in the form, "
            "and nowhere else."
        ),
    ),
    (
        lambda text: _DIGITS.fullmatch(text) is not None,
        lambda: _(
            "digits alone, too few for an Aadhaar code. It is a bar code of something else, "
            "or the scan was cut short."
        ),
    ),
    (
        lambda text: text.startswith("<"),
        lambda: _("XML that is no Aadhaar document that the kit knows."),
    ),
    (_is_json, lambda: _("JSON without an ABHA number or address. The kit does not know it.")),
    (lambda _text: True, lambda: _("text that the kit does not know. It names nobody it can use.")),
)
