"""``enrollkit verify``: what a code is, and whether and by whom it is signed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from enrollkit.app.finish_words import number_words
from enrollkit.cli.console import AsJson, say, say_json, unlocked_kit
from enrollkit.errors import FileUnreadable
from enrollkit.locale import _

_STDIN_CHARACTERS_MAX: Final = 100_000
_FILE_ENDINGS: Final = (".pdf", ".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif")


def run(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE|PDF|TEXT|-", help="A picture, a PDF, the text of a code, or - for stdin."
        ),
    ],
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> int:
    """Say of every code in a picture or PDF what it is, and whether and by whom it is signed.

    Works offline, with the programme's list of devices and the certificates of UIDAI that are
    believed here (`enrollkit trust`). Exit code 1 when any code is not verified.
    """
    given: Path | str
    if source == "-":
        given = sys.stdin.read(_STDIN_CHARACTERS_MAX).strip()
    else:
        given = Path(source) if _is_file(source) else _code(source)
    with unlocked_kit() as kit:
        codes, practice = kit.checking.verify(given), kit.programme.practice
    for code in codes:
        if as_json:
            say_json({
                "kind": code.kind, "verdict": code.verdict, "signer": code.signer,
                "fields": code.fields, "text": code.text,
            })  # fmt: skip
            continue
        say(code.text)
        for label, plain in code.fields.items():
            is_now = label == "abha_number_now"
            value = number_words(plain, practice=practice) if is_now else plain
            say(f"  {_LABELS[label]() if label in _LABELS else label}: {value}")
    return 0 if all(code.verdict in _GOOD for code in codes) else 1


_GOOD: Final = {"verified", "as-signed"}

_LABELS: Final[Mapping[str, Callable[[], str]]] = {
    "programme": lambda: _("Programme"),
    "number": lambda: _("Number"),
    "name": lambda: _("Name"),
    "name_native": lambda: _("Name in own script"),
    "born": lambda: _("Born"),
    "gender": lambda: _("Gender"),
    "status": lambda: _("Status"),
    "aadhaar": lambda: _("Aadhaar number"),
    "abha_number": lambda: _("ABHA number"),
    "abha_address": lambda: _("ABHA address"),
    "care_of": lambda: _("Care of"),
    "address": lambda: _("Address"),
    "village": lambda: _("Village or town"),
    "post_office": lambda: _("Post office"),
    "subdistrict": lambda: _("Sub-district"),
    "district": lambda: _("District"),
    "state": lambda: _("State"),
    "pincode": lambda: _("PIN code"),
    "mobile": lambda: _("Mobile"),
    "version": lambda: _("Version of the card"),
    "photo": lambda: _("Photo"),
    "certificate": lambda: _("Checked with certificate"),
    "certificate_life": lambda: _("Certificate valid"),
    "certificate_from": lambda: _("Certificate from"),
    "abha_number_now": lambda: _("ABHA number now"),
    "text": lambda: _("It says"),
    "made": lambda: _("Made"),
    "day": lambda: _("People of"),
    "total": lambda: _("People captured"),
    "on_laptop": lambda: _("Only on that laptop"),
    "on_sticks": lambda: _("On sticks, not signed for"),
    "signed_for": lambda: _("Signed for by the server"),
    "held": lambda: _("of these held at the office"),
    "returned": lambda: _("Returned for correction"),
    "withdrawn": lambda: _("Withdrawn"),
    "papers": lambda: _("Records"),
    "papers_signed_for": lambda: _("Records signed for"),
    "drafts": lambda: _("Drafts, not enrolled"),
    "chain": lambda: _("For the office: newest batch"),
    "audit_head": lambda: _("For the office: head of the audit"),
}


def _code(source: str) -> str:
    """Take the argument as a code's text; ``FileUnreadable`` when it is a misspelt file name."""
    if source.lower().endswith(_FILE_ENDINGS):
        raise FileUnreadable("no such file")
    return source


def _is_file(source: str) -> bool:
    """Whether the argument names a file; a card's text may be longer than any path."""
    try:
        return Path(source).is_file()
    except OSError:
        return False
