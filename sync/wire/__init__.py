"""Protocol types as bytes: canonical CBOR, a trained zstd dictionary, RFC 8742 sequences.

Nothing here signs or seals; :mod:`sync.sealing` does. Everything that reads is bounded, and says
``EnvelopeInvalid`` or ``TooLarge`` instead of leaking an error of a parser. The layouts are
written out in docs/PROTOCOL.md.
"""

from __future__ import annotations

from sync.dictionaries import CURRENT as CURRENT_DICTIONARY
from sync.wire.answers import (
    decode_feed_page,
    decode_feed_request,
    decode_hello,
    decode_hello_reply,
    decode_receipt,
    decode_server_time,
    encode_feed_page,
    encode_feed_request,
    encode_hello,
    encode_hello_reply,
    encode_receipt,
    encode_server_time,
)
from sync.wire.batches import decode_header, decode_operations, encode_header, encode_operations
from sync.wire.cbor import SequenceReader, decode, decode_sign1, encode, encode_sequence
from sync.wire.finishing import (
    decode_finish_answer,
    decode_finish_request,
    encode_finish_answer,
    encode_finish_request,
    finish_action_number,
)

__all__ = [
    "CURRENT_DICTIONARY",
    "SequenceReader",
    "decode",
    "decode_feed_page",
    "decode_feed_request",
    "decode_finish_answer",
    "decode_finish_request",
    "decode_header",
    "decode_hello",
    "decode_hello_reply",
    "decode_operations",
    "decode_receipt",
    "decode_server_time",
    "decode_sign1",
    "encode",
    "encode_feed_page",
    "encode_feed_request",
    "encode_finish_answer",
    "encode_finish_request",
    "encode_header",
    "encode_hello",
    "encode_hello_reply",
    "encode_operations",
    "encode_receipt",
    "encode_sequence",
    "encode_server_time",
    "finish_action_number",
]
