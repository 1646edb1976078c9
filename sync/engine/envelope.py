"""The device's side of signing and checking: holds the keys for the engine and shows none."""

from __future__ import annotations

from dataclasses import replace

from sync.errors import EnvelopeInvalid, ReceiptInvalid
from sync.protocol import (
    FeedPage,
    FeedRequest,
    FinishAnswer,
    FinishRequest,
    Hello,
    HelloReply,
    Receipt,
)
from sync.sealing import (
    OpeningKey,
    SigningKey,
    VerifyKey,
    open_feed_page,
    open_finish_answer,
    open_hello_reply,
    open_receipt,
    open_server_time,
    sign_feed_request,
    sign_finish_request,
    sign_hello,
)

__all__ = ["DeviceEnvelope"]


class DeviceEnvelope:
    """Signs with the device's key, opens what is sealed to it, believes one programme's server."""

    def __init__(self, *, signing: SigningKey, opening: OpeningKey, server: VerifyKey) -> None:
        self._signing = signing
        self._opening = opening
        self._server = server

    def __repr__(self) -> str:
        return f"DeviceEnvelope({self.device()}, <withheld>)"

    def device(self) -> str:
        """Give the device's id (16 hex digits)."""
        return self._signing.public.id

    def sign_hello(self, hello: Hello, *, introduce: bool) -> bytes:
        """Write and sign a hello; ``introduce`` puts the device's public keys into it."""
        if introduce:
            hello = replace(
                hello, public_key=self._signing.public.raw, seal_key=self._opening.public.raw
            )
        return sign_hello(hello, self._signing)

    def open_hello_reply(self, raw: bytes, nonce: bytes) -> HelloReply:
        """Check signature and nonce; ``ReceiptInvalid`` when either fails."""
        try:
            reply = open_hello_reply(raw, self._server)
        except EnvelopeInvalid as error:
            raise ReceiptInvalid(error.detail) from error
        if reply.nonce != nonce:
            raise ReceiptInvalid("an answer to another hello")
        return reply

    def open_receipt(self, raw: bytes) -> Receipt:
        """Check the signature; ``ReceiptInvalid`` when it fails or the content makes no sense."""
        try:
            return open_receipt(raw, self._server)
        except EnvelopeInvalid as error:
            raise ReceiptInvalid(error.detail) from error

    def open_server_time(self, raw: bytes, nonce: bytes) -> int:
        """Check signature and nonce of the server's time; ``ReceiptInvalid`` when either fails."""
        try:
            time = open_server_time(raw, self._server)
        except EnvelopeInvalid as error:
            raise ReceiptInvalid(error.detail) from error
        if time.nonce != nonce:
            raise ReceiptInvalid("time of another request")
        return time.server_time

    def sign_feed_request(self, request: FeedRequest) -> bytes:
        """Write and sign a feed request."""
        return sign_feed_request(request, self._signing)

    def open_feed_page(self, raw: bytes, request: FeedRequest) -> FeedPage:
        """Check signature, unseal, compare with the request; ``EnvelopeInvalid`` if not."""
        page = open_feed_page(raw, self._server, self._opening)
        if (page.device, page.after, page.nonce) != (request.device, request.after, request.nonce):
            raise EnvelopeInvalid("a page of another request")
        return page

    def sign_finish_request(self, request: FinishRequest) -> bytes:
        """Write and sign a step of finishing."""
        return sign_finish_request(request, self._signing)

    def open_finish_answer(self, raw: bytes, request: FinishRequest) -> FinishAnswer:
        """Check signature, unseal, compare with the step; ``ReceiptInvalid`` if any fails."""
        answer = open_finish_answer(raw, self._server, self._opening)
        if (answer.device, answer.nonce) != (request.device, request.nonce):
            raise ReceiptInvalid("an answer to another step")
        if answer.record and not answer.record.startswith(request.subject):
            raise ReceiptInvalid("an answer about somebody else")
        return answer
