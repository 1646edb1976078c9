"""What can go wrong on the road, as classes: the docstring is what the operator reads.

    OperatorError                 anything an operator can be told about
    └── SyncError
        ├── Offline               no way to the server
        ├── Timeout               the server did not answer in time
        ├── ServerUnavailable     the server asks to be left alone for a while
        ├── Portal                somebody else's web page answered
        ├── Refused
        │   ├── DeviceUnknown     the server has never heard of this laptop
        │   ├── DevicePending     the office has not approved this laptop yet
        │   └── DeviceRevoked     the office has shut this laptop out
        ├── ProtocolMismatch      the two ends speak different versions
        ├── TooLarge              more bytes than the protocol allows
        ├── ReceiptInvalid        an answer that the server did not sign
        ├── EnvelopeInvalid       a batch, page or programme that does not open
        ├── ClockSkew             this laptop's clock is too far off
        │   └── ClockWrong        and this is the time
        ├── CertificateExpired    the server's certificate has run out
        ├── CertificateUntrusted  somebody else answers in the server's name
        ├── ServerRolledBack      the server forgot what it signed for
        ├── ChainForked           two laptops use one identity
        ├── AddressUnsafe         the server's address must not be used
        ├── BundleInvalid         a file from a stick that is none of ours, or too damaged
        ├── BundleForeign         a file from a stick that was made for somebody else
        ├── StickFull             no room on the stick
        ├── StickGone             the stick was pulled out, or may not be written
        │   └── StickFaulty       it gives back other bytes than were written
        └── SyncBusy              another window is sending already

Every leaf has a stable ``code``, an ``exit_code`` for the command line and says whether trying
again later may help (``retryable``). A message never holds a person's value.
"""

from __future__ import annotations

import inspect
from typing import ClassVar

__all__ = [
    "AddressUnsafe",
    "BundleForeign",
    "BundleInvalid",
    "CertificateExpired",
    "CertificateUntrusted",
    "ChainForked",
    "ClockSkew",
    "ClockWrong",
    "DevicePending",
    "DeviceRevoked",
    "DeviceUnknown",
    "EnvelopeInvalid",
    "Offline",
    "OperatorError",
    "Portal",
    "ProtocolMismatch",
    "ReceiptInvalid",
    "Refused",
    "ServerRolledBack",
    "ServerUnavailable",
    "StickFaulty",
    "StickFull",
    "StickGone",
    "SyncBusy",
    "SyncError",
    "Timeout",
    "TooLarge",
]


class OperatorError(Exception):
    """Something went wrong. Nothing that was saved is lost."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str = "", **fields: str | int) -> None:
        """Keep a technical ``detail`` for the log and ``fields`` for the docstring's ``{}``."""
        super().__init__(detail)
        self.detail = detail
        self.fields = fields

    @property
    def text(self) -> str:
        """The operator's text: what happened, that the data is safe, what to do."""
        words = " ".join((inspect.getdoc(type(self)) or "").split())
        return words.format(**self.fields) if self.fields else words

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


class SyncError(OperatorError):
    """Sending did not finish. Everything stays saved on this laptop. Try again later."""

    code = "sync"
    exit_code = 60
    retryable = True


class Offline(SyncError):
    """There is no way to the server now. Everything stays saved on this laptop. Try again when
    there is a network.
    """

    code = "offline"
    exit_code = 60


class Timeout(SyncError):
    """The server did not answer in time. Everything stays saved on this laptop, and nothing is
    sent twice. Try again where the network is better.
    """

    code = "timeout"
    exit_code = 61


class ServerUnavailable(SyncError):
    """The server is busy or closed for repair. Everything stays saved on this laptop. Try again
    in some minutes.
    """

    code = "server-unavailable"
    exit_code = 62

    def __init__(self, detail: str = "", *, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class Portal(SyncError):
    """A web page answered instead of the server; perhaps this network wants a login. Nothing was
    delivered, everything stays saved on this laptop. Open a browser, log in, and try again.
    """

    code = "portal"
    exit_code = 63


class Refused(SyncError):
    """The server does not take anything from this laptop. Everything stays saved here. Call the
    district office.
    """

    code = "refused"
    exit_code = 64
    retryable = False


class DeviceUnknown(Refused):
    """The server does not know this laptop. Everything stays saved here. Call the district
    office.
    """

    code = "device-unknown"
    exit_code = 64


class DevicePending(Refused):
    """The district office has not approved this laptop yet. Everything stays saved here and goes
    out after the approval. Read this code to the office: {approval_code}
    """

    code = "device-pending"
    exit_code = 64

    def __init__(self, detail: str = "", *, approval_code: str) -> None:
        super().__init__(detail, approval_code=approval_code)
        self.approval_code = approval_code


class DeviceRevoked(Refused):
    """The district office has shut this laptop out. Everything stays saved here. Do not enroll
    on it any more, and call the office.
    """

    code = "device-revoked"
    exit_code = 65


class ProtocolMismatch(SyncError):
    """This laptop and the server do not speak the same version. Everything stays saved here. Ask
    the office for the newer program.
    """

    code = "protocol-mismatch"
    exit_code = 66
    retryable = False


class TooLarge(SyncError):
    """A message was larger than allowed and was not read. Everything stays saved on this laptop.
    Tell the office the code too-large.
    """

    code = "too-large"
    exit_code = 67
    retryable = False


class ReceiptInvalid(SyncError):
    """The answer did not carry the server's signature, so nothing is marked as delivered.
    Everything stays saved on this laptop. Try another network; if it happens again, call the
    office.
    """

    code = "receipt-invalid"
    exit_code = 68


class EnvelopeInvalid(SyncError):
    """A sealed message could not be opened: it was damaged, or made for somebody else. It was
    not used. Ask its sender for a new one.
    """

    code = "envelope-invalid"
    exit_code = 73
    retryable = False


class ClockSkew(SyncError):
    """The clock of this laptop is too far from the server's. Everything stays saved. Set date and
    time, then try again.
    """

    code = "clock-skew"
    exit_code = 69
    retryable = False


class ClockWrong(ClockSkew):
    """The clock of this laptop says {here}, but it is {there} (India). Everything stays saved.
    Set date and time, then try again.
    """

    code = "clock-wrong"
    exit_code = 69

    def __init__(self, detail: str = "", *, here: str, there: str) -> None:
        super().__init__(detail, here=here, there=there)


class CertificateExpired(SyncError):
    """The server's certificate has run out, so the connection cannot be trusted. Nothing was sent,
    everything stays saved on this laptop. Tell the office; meanwhile a stick can be used.
    """

    code = "certificate-expired"
    exit_code = 75
    retryable = False


class CertificateUntrusted(SyncError):
    """Something on this network opens secure connections on their way, or answers in the server's
    name. Nothing was sent, everything stays saved on this laptop. Try another network, or write
    to a stick.
    """

    code = "certificate-untrusted"
    exit_code = 76


class ServerRolledBack(SyncError):
    """The server was restored from an older copy. Nothing is lost: everything is offered again
    from this laptop.
    """

    code = "server-rolled-back"
    exit_code = 70


class ChainForked(SyncError):
    """The server knows other records under this laptop's name; perhaps its disk was copied or
    restored. Nothing is lost: both are kept. Tell the district office.
    """

    code = "chain-forked"
    exit_code = 71
    retryable = False


class SyncBusy(SyncError):
    """Another window of this laptop is sending already. Let it finish; nothing is sent twice."""

    code = "sync-busy"
    exit_code = 72


class AddressUnsafe(SyncError):
    """The server's address in the programme file cannot be used: it must begin with https://.
    Everything stays saved on this laptop. Ask the office for a new programme file.
    """

    code = "address-unsafe"
    exit_code = 74
    retryable = False


class BundleInvalid(SyncError):
    """This file is not one that enrollkit wrote to a stick, or its beginning is damaged. Nothing
    of it was used. Nothing is lost: write it again on the machine that it came from.
    """

    code = "bundle-invalid"
    exit_code = 77
    retryable = False


class BundleForeign(SyncError):
    """This file was made for another programme or another laptop. It was not used, and it stays as
    it is. Take it to the laptop or the office that it was made for.
    """

    code = "bundle-foreign"
    exit_code = 78
    retryable = False


class StickFull(SyncError):
    """There is no room for the file. What lies there was not touched, and everything stays saved
    where it was. Make room or take another stick, then do it again.
    """

    code = "stick-full"
    exit_code = 79
    retryable = False


class StickGone(SyncError):
    """The stick or folder cannot be read or written: perhaps it was pulled out, or is locked
    against writing. Everything stays saved where it was. Put it in again or take another one, then
    do it again.
    """

    code = "stick-gone"
    exit_code = 59
    retryable = False


class StickFaulty(StickGone):
    """The stick does not give back what was written to it: it is broken. Everything stays saved
    where it was. Take another stick.
    """

    code = "stick-faulty"
    exit_code = 59
