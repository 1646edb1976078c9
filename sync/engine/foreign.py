"""Where the exceptions of httpx stop: each becomes one of ours, by one table."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import httpx

from sync.errors import (
    AddressUnsafe,
    CertificateUntrusted,
    ClockSkew,
    Offline,
    Portal,
    ServerUnavailable,
    SyncError,
    Timeout,
)

__all__ = ["FOREIGN_ERRORS", "foreign_errors"]

FOREIGN_ERRORS: Final[Mapping[type[Exception], type[SyncError]]] = {
    httpx.HTTPError: Offline,
    httpx.RequestError: Offline,
    httpx.TransportError: Offline,
    httpx.TimeoutException: Timeout,
    httpx.ConnectTimeout: Timeout,
    httpx.ReadTimeout: Timeout,
    httpx.WriteTimeout: Timeout,
    httpx.PoolTimeout: Timeout,
    httpx.NetworkError: Offline,
    httpx.ConnectError: Offline,
    httpx.ReadError: Offline,
    httpx.WriteError: Offline,
    httpx.CloseError: Offline,
    httpx.ProxyError: Offline,
    httpx.ProtocolError: Offline,
    httpx.LocalProtocolError: Offline,
    httpx.RemoteProtocolError: Offline,
    httpx.HTTPStatusError: ServerUnavailable,
    httpx.DecodingError: Portal,
    httpx.TooManyRedirects: Portal,
    httpx.CookieConflict: Portal,
    httpx.UnsupportedProtocol: AddressUnsafe,
    httpx.InvalidURL: AddressUnsafe,
}
"""Every exception that httpx can raise for a reason outside this program, and what it is to us."""

_OUT_OF_TIME: Final = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED (OpenSSL): a clock that says 2019 or 2036."""


@contextmanager
def foreign_errors() -> Iterator[None]:
    """Turn every exception of httpx into ours, by its most specific entry."""
    try:
        yield
    except tuple(FOREIGN_ERRORS) as error:
        found = next(kind for kind in type(error).__mro__ if kind in FOREIGN_ERRORS)
        raise _certificate_error(error) or FOREIGN_ERRORS[found](type(error).__name__) from error


def _certificate_error(error: BaseException) -> SyncError | None:
    """Tell a certificate that does not hold from a network that is not there."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            may_be_clock = cause.verify_code in _OUT_OF_TIME
            return ClockSkew("certificate") if may_be_clock else CertificateUntrusted("certificate")
        cause = cause.__cause__ or cause.__context__
    return None
