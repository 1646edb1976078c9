"""What a scanned code is, and whether and by whom it is signed, without a network."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from enrollkit.app.desk import Desk
from enrollkit.app.paper import PAPER
from enrollkit.app.results import Checked
from enrollkit.cards.claim169 import CardReading, CardVerdict, decode_and_verify
from enrollkit.identity.masking import showable
from enrollkit.identity.router import Kind, classify
from enrollkit.locale import _
from sync.protocol import DeviceState

__all__ = ["Checking"]

NOT_SIGNED = "not-signed"
NOT_CHECKED = "not-checked"
REVOKED = "revoked-signer"


class Checking:
    """Verifying with the programme's list of devices, and this laptop's own key."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def verify(self, source: Path | str) -> list[Checked]:
        """Check every code of a picture or PDF, or one code given as text.

        ``DocumentUnreadable`` when a file holds no code that can be read.
        """
        return [self._check(text) for text in _texts(source)]

    def _check(self, text: str) -> Checked:
        kind = classify(text)
        if kind is Kind.CARD:
            return self._check_card(text)
        verdict = NOT_SIGNED if kind in _NEVER_SIGNED else NOT_CHECKED
        words = _unsigned() if verdict == NOT_SIGNED else _unchecked(kind)
        return Checked(
            kind=kind.value,
            verdict=verdict,
            signer=None,
            text=f"{kind.words}: {words}",
            fields={"text": showable(text)} if kind is not Kind.UNKNOWN else {},
        )

    def _check_card(self, text: str) -> Checked:
        reading = decode_and_verify(text, self._key_of, now=self._desk.system.now())
        verdict = self._verdict(reading)
        fields = reading.claims.fields() if reading.claims else {}
        words = _revoked() if verdict == REVOKED else reading.verdict.words
        return Checked(
            kind=Kind.CARD.value,
            verdict=verdict,
            signer=reading.kid.hex() or None,
            text=f"{Kind.CARD.words}: {words}",
            fields=fields,
        )

    def _verdict(self, reading: CardReading) -> str:
        """Tell a card of a laptop that was shut out from a good one and from a forged one."""
        device = self._desk.programme.device(reading.kid.hex())
        revoked = device is not None and device.state is DeviceState.REVOKED
        if revoked and reading.verdict is CardVerdict.VERIFIED:
            return REVOKED
        return reading.verdict.value

    def _key_of(self, kid: bytes) -> Ed25519PublicKey | None:
        own = self._desk.keys.signing.public
        device = self._desk.programme.device(kid.hex())
        known = device.key if device is not None else own if own.kid == kid else None
        return Ed25519PublicKey.from_public_bytes(known.raw) if known else None


def _texts(source: Path | str) -> list[str]:
    if isinstance(source, str):
        return [source]
    from enrollkit.identity.images import read_codes  # noqa: PLC0415 - the app starts without it

    with PAPER:
        return read_codes(source)


_NEVER_SIGNED = frozenset({Kind.PROVISIONAL_NUMBER, Kind.ABHA, Kind.AADHAAR_OLD_QR, Kind.FACILITY})


def _unsigned() -> str:
    return _("it carries no signature, so nobody vouches for it.")


def _unchecked(kind: Kind) -> str:
    if kind is Kind.UNKNOWN:
        return _("This is no code that the kit knows.")
    return _("recognised; this version of the kit cannot check it.")


def _revoked() -> str:
    return _("signed by a laptop that the office has shut out. Ask the office.")
