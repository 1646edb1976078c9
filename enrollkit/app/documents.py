"""What scanned identity documents are worth, and why some codes are of no use, in words."""

from __future__ import annotations

from collections.abc import Sequence

from enrollkit.app.results import Checked
from enrollkit.app.system import local_time
from enrollkit.cards.abha_code import AbhaFacts, read_abha_code
from enrollkit.identity.aadhaar_letter import read_letter
from enrollkit.identity.aadhaar_qr import AadhaarCard, AadhaarReading, Oddity, read_and_verify
from enrollkit.identity.masking import showable
from enrollkit.identity.packing import Fault
from enrollkit.identity.router import Kind
from enrollkit.identity.strangers import explain
from enrollkit.identity.trust import Trust
from enrollkit.locale import _
from sync.anchors import TrustAnchor, spelt

__all__ = ["NOT_CHECKED", "NOT_SIGNED", "check_document"]

NOT_SIGNED = "not-signed"
NOT_CHECKED = "not-checked"

_LATEST = 4_102_444_800
"""The year 2100: a time beyond it would be no date to print."""


def check_document(kind: Kind, text: str, anchors: Sequence[TrustAnchor]) -> Checked:
    """Say what a code is that is neither a card nor a statement of ours."""
    plain = text.strip().removeprefix("\ufeff")
    if kind is Kind.AADHAAR_SECURE_QR:
        return _aadhaar(read_and_verify(plain, anchors), has_anchors=bool(anchors))
    if kind is Kind.AADHAAR_OLD_QR:
        letter = read_letter(plain)
        if isinstance(letter, Fault):
            return _checked(kind, Trust.UNREADABLE.value, letter.words)
        return _checked(kind, NOT_SIGNED, _unsigned(), fields=letter.fields())
    if kind is Kind.ABHA:
        facts = read_abha_code(plain)
        shown = _abha_fields(facts) if facts else {"text": showable(text)}
        return _checked(kind, NOT_SIGNED, _unsigned(), fields=shown)
    if kind is Kind.UNKNOWN:
        return _checked(kind, NOT_CHECKED, explain(text))
    verdict = NOT_SIGNED if kind in _NEVER_SIGNED else NOT_CHECKED
    return _checked(kind, verdict, _use_of(kind), fields={"text": showable(text)})


def _checked(
    kind: Kind,
    verdict: str,
    words: str,
    *,
    signer: str | None = None,
    fields: dict[str, str] | None = None,
) -> Checked:
    return Checked(
        kind=kind.value,
        verdict=verdict,
        signer=signer,
        text=f"{kind.words}: {words}",
        fields=fields or {},
    )


def _aadhaar(reading: AadhaarReading, *, has_anchors: bool) -> Checked:
    is_verified = reading.trust is Trust.VERIFIED
    return _checked(
        Kind.AADHAAR_SECURE_QR,
        reading.trust.value,
        _aadhaar_words(reading, has_anchors=has_anchors),
        signer=reading.anchor.name if reading.anchor and is_verified else None,
        fields=_aadhaar_fields(reading),
    )


def _aadhaar_words(reading: AadhaarReading, *, has_anchors: bool) -> str:
    if reading.fault is not None:
        return reading.fault.words
    if reading.trust is Trust.TAMPERED and reading.anchor is not None:
        return _("tampered with: {signer} has signed something else. Do not trust it.").format(
            signer=reading.anchor.name
        )
    said = [_worth(reading, has_anchors=has_anchors)]
    if reading.anchor is not None and not reading.is_timely:
        said.append(_("Its date lies outside the life of that certificate; ask the office."))
    if reading.card is not None and Oddity.VERSION in reading.card.oddities:
        said.append(_("This version of the card is new to the kit; compare it with the print."))
    return " ".join(said)


def _worth(reading: AadhaarReading, *, has_anchors: bool) -> str:
    if reading.trust is Trust.VERIFIED and reading.anchor is not None:
        return _("verified by {signer}.").format(signer=reading.anchor.name)
    if reading.card is not None and Oddity.PACKING in reading.card.oddities:
        return _("read, not verified: it was packed anew after it was signed.")
    if not has_anchors:
        return _("read, not verified: this laptop has no certificate of UIDAI yet.")
    return _("read, not verified: no certificate on this laptop fits its signature.")


def _aadhaar_fields(reading: AadhaarReading) -> dict[str, str]:
    fields = _card_fields(reading.card) if reading.card else {}
    if reading.anchor is None:
        return fields
    return fields | {
        "certificate": spelt(reading.anchor.fingerprint),
        "certificate_life": f"{_day(reading.anchor.begins)} – {_day(reading.anchor.ends)}",
        "certificate_from": reading.anchor.source,
    }


def _card_fields(card: AadhaarCard) -> dict[str, str]:
    return {
        **card.details.fields(),
        **({"mobile": f"XXXXXX{card.mobile_last4}"} if card.mobile_last4 else {}),
        "made": f"{local_time(min(card.made_at, _LATEST)):%d %b %Y, %H:%M}",
        "version": card.version,
        "photo": _("on the card") if card.photo else _("none"),
    }


def _abha_fields(facts: AbhaFacts) -> dict[str, str]:
    """Give what an ABHA card's unsigned code says, its long numbers masked."""
    texts = {
        "abha_number": facts.number,
        "abha_address": facts.handle,
        "name": facts.name,
        "born": facts.birth and facts.birth.text(),
        "gender": facts.gender and facts.gender.value,
        "mobile": facts.mobile,
        "address": facts.address,
        "district": facts.district,
        "state": facts.state,
    }
    return {name: showable(value) for name, value in texts.items() if value}


def _day(moment: int) -> str:
    return f"{local_time(min(moment, _LATEST)):%d %b %Y}"


_NEVER_SIGNED = frozenset({Kind.PROVISIONAL_NUMBER, Kind.FACILITY})


def _unsigned() -> str:
    return _("it carries no signature, so nobody vouches for it.")


def _use_of(kind: Kind) -> str:
    return {
        Kind.PROVISIONAL_NUMBER: _unsigned(),
        Kind.FACILITY: _(
            "for scan and share. People scan it with their own ABHA app; "
            "there is nothing in it to enroll anybody with."
        ),
        Kind.HEALTH_CERTIFICATE: _(
            "recognised. It tells of vaccinations and proves no identity; it is not checked."
        ),
    }.get(kind, _("recognised; this version of the kit cannot check it."))
