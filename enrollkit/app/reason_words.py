"""Why the server refused or holds something, in short words; an unknown code is shown whole."""

from __future__ import annotations

from typing import Final

from enrollkit.locale import _

__all__ = ["reason_words"]

_UNKNOWN_TO_US: Final = "abdm:unknown"
_FOR_THE_OFFICE: Final = (
    "abdm:benefit",
    "abdm:clock",
    "abdm:consent",
    "abdm:done",
    "abdm:encryption",
    "abdm:limit",
    "abdm:number",
    "abdm:session",
    "abdm:subscription",
    "abdm:token",
)
"""No fault of a person's, and nothing that a laptop can mend."""


def reason_words(code: str) -> str:
    """Say why the server sent a record back or holds it.

    The whole code is looked up first, then the part before the colon; codes of a newer server are
    shown as they came, so that somebody can read them out on the telephone. So is a refusal of
    ABDM's that nobody foresaw: its own code stands behind ``abdm:unknown``.
    """
    if code.startswith(_UNKNOWN_TO_US):
        unforeseen = _("ABDM refused it; why is not known ({code}). Tell the office.")
        return unforeseen.format(code=code.removeprefix(_UNKNOWN_TO_US).strip() or "?")
    words = {
        **_of_conflicts(), **_of_numbers(), **_of_shapes(), **_of_holds(), **_of_people(),
        **_of_abdm(), **_of_calls(), **_of_codes(), **_of_linking(),
    }  # fmt: skip
    found = words.get(code) or words.get(code.partition(":")[0])
    if found is not None:
        return found
    return _("The office sent it back: {code}.").format(code=code)


def _of_conflicts() -> dict[str, str]:
    return {
        "conflict": _("The office changed the same field. Look at both values and choose."),
        "version:stale": _("The office wrote a newer version. Look at both and save again."),
        "version:ahead": _("It waits for an earlier version, which has not arrived yet."),
        "version": _("The versions do not follow each other. Save it once more."),
        "enrollment:differs": _("The office has other content under this number and looks at it."),
        "enrollment:unknown": _("It waits for the person's own record, which is on its way."),
        "enrollment:withdrawn": _("The person took the consent back. Nothing more is changed."),
        "enrollment": _("The office looks at it."),
        "consent": _("The consent that was first given counts. Look at it once more."),
        "register": _("The office changed the same field. Look at both values and choose."),
    }


def _of_numbers() -> dict[str, str]:
    return {
        "aadhaar:differs": _("The office has another Aadhaar number for this person."),
        "aadhaar": _("The Aadhaar number did not arrive. Type it again."),
        "no-payload": _("The Aadhaar number did not arrive. Type it again."),
        "payload": _("Something was missing on the way. Save it once more."),
    }


def _of_shapes() -> dict[str, str]:
    return {
        "schema:required": _("The server misses this field. Fill it in."),
        "schema:max-length": _("This is longer than the server can take. Shorten it."),
        "schema:min-length": _("This is too short. Write it out."),
        "schema:enum": _("The server does not know this answer. Choose another."),
        "schema:pattern": _("This is not written as the server wants it. Look at it again."),
        "schema:format": _("This is not written as the server wants it. Look at it again."),
        "schema:minimum": _("This figure is too small. Look at it again."),
        "schema:maximum": _("This figure is too big. Look at it again."),
        "schema": _("The server could not take this field. Look at it and save again."),
        "body": _("This holds more text than the server can take. Shorten it."),
    }


def _of_holds() -> dict[str, str]:
    return {
        "device:revoked": _("The office has shut this laptop out; what it sends is put aside."),
        "device": _("The office looks at what this laptop sends."),
        "kind": _("The server is older than this kit; it keeps this until it is renewed."),
        "link:unknown": _("It waits for the record itself, which has not arrived yet."),
        "link:differs": _("The office has other content under this reference and looks at it."),
        "link": _("The office looks at this record."),
        "record:not-yours": _("Another laptop enrolled this person; the office looks at it."),
        "operation": _("The office keeps it aside and looks at it."),
        "chain": _("Two laptops wrote under one name; the office keeps both and looks at it."),
        "fork": _("Two laptops wrote under one name; the office keeps both and looks at it."),
        "clock": _("The clock of this laptop was wrong; the office looks at the time."),
        "blob": _("A picture did not arrive whole. It is sent again."),
        "held": _("The office looks at it."),
    }


def _of_people() -> dict[str, str]:
    return {
        "needs-person": _("The person is needed: a one-time code, or the face. Call them."),
        "otp": _("A one-time code on the mobile is needed. Call the person."),
        "face": _("The face is needed. Call the person."),
        "duplicate-found": _("The office has this person already."),
        "returned": _("The office wants another look at it."),
        "unspecified": _("The office gave no reason. Call them."),
    }


def _of_abdm() -> dict[str, str]:
    """What ABDM did not like; only 1207 (mismatch) names no field, so that all are looked at."""
    return {
        "abdm:mismatch": _("Aadhaar says otherwise. Check name, birth and gender with the card."),
        "abdm:mobile-full": _("Six ABHA numbers use this mobile already. Take another, or none."),
        "abdm:place": _("ABDM knows no such district in this state. Choose it from the list."),
        "abdm:name": _("ABDM cannot take this name. Write it as on the Aadhaar card."),
        "abdm:birth": _("ABDM cannot take this birth date. Write it as on the Aadhaar card."),
        "abdm:gender": _("ABDM cannot take this gender. Take the one on the Aadhaar card."),
        "abdm:pincode": _("ABDM does not know this PIN code. Look at it again."),
        "abdm:aadhaar": _("Aadhaar does not know this number. Type it again from the card."),
        "abdm:field": _("ABDM cannot take this as it is written. Look at it again."),
        "abdm:deactivated": _("This ABHA is switched off. Only the person can switch it on again."),
        "abdm:exists": _("The person had an ABHA number before. That one is theirs."),
        "abdm:exists-unnamed": _("They have an ABHA number already; they must say which."),
        "abdm:wait": _("ABDM does not answer just now. It is tried again; nothing is to be done."),
        "abdm:child": _("ABDM does not take this child so. Another parent may; call them."),
        **dict.fromkeys(_FOR_THE_OFFICE, _("The office sorts this out with ABDM. Nothing to do.")),
    }


def _of_calls() -> dict[str, str]:
    """Why the person has to come, or to be on the telephone."""
    return {
        "person:otp": _("A one-time code goes to the person's mobile. Call them."),
        "person:parent": _("A child without Aadhaar: call the parent who has an ABHA number."),
        "person:document": _("There is no Aadhaar number. Call them; another document is needed."),
        "person:aadhaar-missing": _("The Aadhaar number is missing. Call them and ask for it."),
        "person:aadhaar-cancelled": _(
            "UIDAI switched this number off. Only the person can ask why."
        ),
        "person:biometric": _("UIDAI asks for a finger, an eye or the face. Call the person."),
        "person:mobile": _("A mobile that the person can look at is needed. Call them."),
        "person": _("The person is needed. Call them."),
    }


def _of_codes() -> dict[str, str]:
    """What became of a one-time code."""
    return {
        "otp:wrong": _("That is not the code. Look at it again."),
        "otp:late": _("That code has run out. Send another one."),
        "otp:too-many": _("Too many codes for now. Wait a while, then send another one."),
        "otp:elsewhere": _("Another laptop had a code sent. Type it there, or send one from here."),
        "otp:wait": _("A code was sent a moment ago. Wait a little before the next."),
        "finish:unknown": _(
            "The office has nobody under this number yet. Check it, or send first."
        ),
        "finish:ambiguous": _("Two people share this number. Finish on the laptop that has them."),
        "finish:wait": _("ABDM does not answer just now. Try again in some minutes."),
        "abdm:address-taken": _("Somebody has that address already. Choose another."),
        "abdm:address": _("ABDM takes no such address. Choose another: 8 to 18 letters, digits."),
    }


def _of_linking() -> dict[str, str]:
    """Why a record could not be linked."""
    return {
        "link:kyc": _("ABDM has the person with other details. The office looks at it."),
        "link:facility": _("ABDM does not know this facility. The office looks at it."),
        "link:unknown-abha": _("ABDM does not know this ABHA number. The office looks at it."),
    }
