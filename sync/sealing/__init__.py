"""Signed and sealed IN TRANSIT: COSE_Sign1 outside, HPKE inside, each bound to its meaning.

    batch, feed page     COSE_Sign1( protected header, HPKE( zstd( CBOR )))
    receipt, hello, …    COSE_Sign1( protected header, CBOR )
    finish answer        COSE_Sign1( protected header, HPKE( CBOR ))

The protected header names algorithm, signer and *what the message is*, so that a receipt can never
be taken for a hello. HPKE's ``info`` holds the same header, so a sealed content can never be moved
under another header. Every failure to open is one error without detail of the secret:
``EnvelopeInvalid``, or ``ReceiptInvalid`` for what the server signs. Keys print as their id only.
"""

from __future__ import annotations

from sync.sealing.finishing import (
    open_finish_answer,
    open_finish_request,
    open_finish_value,
    seal_finish_answer,
    seal_finish_value,
    sign_finish_request,
)
from sync.sealing.keys import OpeningKey, SealKey, SigningKey, VerifyKey
from sync.sealing.messages import (
    open_batch,
    open_feed_page,
    open_feed_request,
    open_hello,
    open_hello_reply,
    open_receipt,
    open_server_time,
    read_batch_header,
    seal_batch,
    seal_feed_page,
    sign_feed_request,
    sign_hello,
    sign_hello_reply,
    sign_receipt,
    sign_server_time,
)
from sync.sealing.signed import open_signed, read_signer, read_unverified, sign

__all__ = [
    "OpeningKey",
    "SealKey",
    "SigningKey",
    "VerifyKey",
    "open_batch",
    "open_feed_page",
    "open_feed_request",
    "open_finish_answer",
    "open_finish_request",
    "open_finish_value",
    "open_hello",
    "open_hello_reply",
    "open_receipt",
    "open_server_time",
    "open_signed",
    "read_batch_header",
    "read_signer",
    "read_unverified",
    "seal_batch",
    "seal_feed_page",
    "seal_finish_answer",
    "seal_finish_value",
    "sign",
    "sign_feed_request",
    "sign_finish_request",
    "sign_hello",
    "sign_hello_reply",
    "sign_receipt",
    "sign_server_time",
]
