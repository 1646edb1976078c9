"""What a scanned code is, and whether and by whom it is signed, without a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enrollkit.app.desk import Desk
from enrollkit.app.documents import check_document
from enrollkit.app.finish_words import number_words
from enrollkit.app.paper import PAPER
from enrollkit.app.results import Checked
from enrollkit.app.system import local_time
from enrollkit.app.trust import believed_anchors
from enrollkit.cards.abha_code import read_abha_code
from enrollkit.cards.claim169 import CardReading, CardVerdict, decode_and_verify
from enrollkit.cards.claims import PRACTICE
from enrollkit.domain.identifiers import is_provisional_number
from enrollkit.errors import RecordNotFound
from enrollkit.identity.router import Kind, classify
from enrollkit.locale import _
from enrollkit.reports.signed import SignedFigures, StatementVerdict, read_code
from enrollkit.store.enrollments import find_enrollment
from sync.protocol import DeviceState
from sync.sealing import VerifyKey

__all__ = ["Checking"]

_LATEST = 4_102_444_800
"""The year 2100: a signed time beyond it would be no date to print."""
REVOKED = "revoked-signer"
AS_SIGNED = "as-signed"
"""An ABHA code that says what the signed code beside it says."""
OTHER = "differs"


class Checking:
    """Verifying with the programme's list of devices, and this laptop's own key."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def verify(self, source: Path | str) -> list[Checked]:
        """Check every code of a picture or PDF, or one code given as text.

        ``DocumentUnreadable`` when a file holds no code that can be read.
        """
        texts = _texts(source)
        checked = [self._check(text) for text in texts]
        return [
            _beside_signed(one, text, checked) if one.kind == Kind.ABHA.value else one
            for one, text in zip(checked, texts, strict=True)
        ]

    def _check(self, text: str) -> Checked:
        kind = classify(text)
        if kind is Kind.CARD:
            return self._check_card(text)
        if kind is Kind.STATEMENT:
            return self._check_statement(text)
        return check_document(kind, text, believed_anchors(self._desk))

    def _check_card(self, text: str) -> Checked:
        reading = decode_and_verify(text, self._key_of, now=self._desk.system.now())
        verdict = self._verdict(reading)
        fields = reading.claims.fields() if reading.claims else {}
        words = _revoked() if verdict == REVOKED else reading.verdict.words
        if PRACTICE in fields.get("status", ""):
            words = f"{words} {_practice()}"
        if verdict == CardVerdict.VERIFIED.value:
            now = self._number_now(fields.get("number", ""))
            fields |= {"abha_number_now": now} if now else {}
            practice = self._desk.programme.practice
            words = f"{words} {_has_number(now, practice=practice)}" if now else words
        return Checked(
            kind=Kind.CARD.value,
            verdict=verdict,
            signer=reading.kid.hex() or None,
            text=f"{Kind.CARD.words}: {words}",
            fields=fields,
        )

    def _number_now(self, number: str) -> str | None:
        """Give the ABHA number of the person whom a provisional card was made for, if known here.

        The card stays good: it says what was so when it was made.
        """
        if not is_provisional_number(number):
            return None
        try:
            return self._desk.database.read(lambda tx: find_enrollment(tx, number)).abha_number
        except RecordNotFound:
            return None

    def _check_statement(self, text: str) -> Checked:
        read = read_code(text, self._verify_key)
        verdict = read.verdict.value
        if read.verdict is StatementVerdict.VERIFIED and self._is_revoked(read.signer):
            verdict = REVOKED
        return Checked(
            kind=Kind.STATEMENT.value,
            verdict=verdict,
            signer=read.signer or None,
            text=f"{Kind.STATEMENT.words}: {_statement_words(verdict)}",
            fields=_statement_fields(read.figures) if read.figures else {},
        )

    def _verdict(self, reading: CardReading) -> str:
        """Tell a card of a laptop that was shut out from a good one and from a forged one."""
        if reading.verdict is CardVerdict.VERIFIED and self._is_revoked(reading.kid.hex()):
            return REVOKED
        return reading.verdict.value

    def _is_revoked(self, signer: str) -> bool:
        device = self._desk.programme.device(signer)
        return device is not None and device.state is DeviceState.REVOKED

    def _key_of(self, kid: bytes) -> Ed25519PublicKey | None:
        known = self._verify_key(kid.hex())
        return Ed25519PublicKey.from_public_bytes(known.raw) if known else None

    def _verify_key(self, signer: str) -> VerifyKey | None:
        own = self._desk.keys.signing.public
        device = self._desk.programme.device(signer)
        return device.key if device is not None else own if own.id == signer else None


def _beside_signed(one: Checked, text: str, others: list[Checked]) -> Checked:
    """Compare an ABHA code with the signed ones found with it: on our cards two stand together."""
    facts = read_abha_code(text)
    if facts is None:
        return one
    for signed in others:
        if signed.verdict != CardVerdict.VERIFIED.value or signed.kind != Kind.CARD.value:
            continue
        if signed.fields.get("number") != facts.number:
            continue
        same = (facts.name, facts.birth and facts.birth.text(), facts.gender and facts.gender.value)
        says = tuple(signed.fields.get(name) for name in ("name", "born", "gender"))
        verdict, words = (AS_SIGNED, _as_signed()) if same == says else (OTHER, _other())
        return replace(one, verdict=verdict, text=f"{Kind.ABHA.words}: {words}")
    return one


def _texts(source: Path | str) -> list[str]:
    if isinstance(source, str):
        return [source]
    from enrollkit.identity.images import read_codes  # noqa: PLC0415 - the app starts without it

    with PAPER:
        return read_codes(source)


def _practice() -> str:
    return _("PRACTICE: it is no real card.")


def _has_number(number: str, *, practice: bool) -> str:
    told = number_words(number, practice=practice)
    return _("This person has the ABHA number {number} now.").format(number=told)


def _as_signed() -> str:
    return _("it says the same as the signed code beside it.")


def _other() -> str:
    return _("it does not say what the signed code beside it says. Do not trust it.")


def _statement_words(verdict: str) -> str:
    return {
        "verified": _("The signature is right."),
        "unknown-signer": _("No laptop that this one knows has signed it."),
        "tampered": _("The signature does not fit. Do not trust these figures."),
        "unreadable": _("This is no statement that can be read."),
        REVOKED: _revoked(),
    }[verdict]


def _statement_fields(figures: SignedFigures) -> dict[str, str]:
    """Give the figures of people as text; ``papers`` are one line."""
    made = local_time(min(figures.made_at, _LATEST))
    return {
        "made": f"{made:%d %b %Y, %H:%M}",
        **({"day": figures.day} if figures.day else {}),
        **{name: str(count) for name, count in figures.people.items()},
        "papers": str(figures.papers["total"]),
        "papers_signed_for": str(figures.papers["signed_for"]),
        "drafts": str(figures.drafts),
        "chain": f"{figures.incarnation[:8]} {figures.chain[0]} {figures.chain[1].hex()[:16]}",
        "audit_head": figures.audit_head.hex()[:16],
    }


def _revoked() -> str:
    return _("signed by a laptop that the office has shut out. Ask the office.")
