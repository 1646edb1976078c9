"""Whose signature a document carries, by the certificates that are believed here.

All of them are tried. That one has ended says nothing about what was signed in its life, so only
the time that the document itself names is held against it, and that is said, not judged. Nothing
but a right signature makes a document verified.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from sync.anchors import TrustAnchor

__all__ = ["Judgement", "Trust", "judge_signature"]


class Trust(StrEnum):
    """What may be said about a document."""

    VERIFIED = "verified"
    NOT_VERIFIED = "not-verified"
    """Read, but no certificate that is believed here fits."""
    TAMPERED = "tampered"
    """A believed key made this signature, for other content."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict and the certificate that it rests on, if any."""

    trust: Trust
    anchor: TrustAnchor | None = None


def judge_signature(content: bytes, signature: bytes, anchors: Sequence[TrustAnchor]) -> Judgement:
    """Try an RSA signature (PKCS#1 v1.5, SHA-256) with every certificate.

    A signature that opens under a key shows that its owner signed *something*: when that was other
    content, the document was changed afterwards. One that opens under none tells nothing.
    """
    for anchor in anchors:
        if _is_right(content, signature, anchor):
            return Judgement(trust=Trust.VERIFIED, anchor=anchor)
    for anchor in anchors:
        if _is_of(signature, anchor):
            return Judgement(trust=Trust.TAMPERED, anchor=anchor)
    return Judgement(trust=Trust.NOT_VERIFIED)


def _is_right(content: bytes, signature: bytes, anchor: TrustAnchor) -> bool:
    try:
        anchor.key.verify(signature, content, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _is_of(signature: bytes, anchor: TrustAnchor) -> bool:
    """Whether the key's owner made this signature, over whatever."""
    try:
        anchor.key.recover_data_from_signature(signature, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
