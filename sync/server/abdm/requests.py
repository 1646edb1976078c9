"""Each call to ABDM by its road, shape and headers; :mod:`sync.server.abdm.asking` puts it through.

The roads are NHA's (ABHA v3; HIECM v3 for linking). What of a person ABDM's words may repeat is
named with each, so that it is struck out of whatever is written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sync.server.abdm import payloads
from sync.server.abdm.asking import Call
from sync.server.abdm.calls import DemographicAsk, LinkAsk, LinkTokenAsk, Step
from sync.server.abdm.settings import AbdmSettings

__all__ = ["Requests"]

_ENROL: Final = "/v3/enrollment/enrol/byAadhaar"
_OTP: Final = "/v3/enrollment/request/otp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Makes calls for one programme; ``gateway`` and ``abha`` are ABDM's two hosts."""

    settings: AbdmSettings
    gateway: str
    abha: str

    def demographics(self, ask: DemographicAsk) -> Call:
        """Enrol somebody who need not be there."""
        return Call(
            step=Step.DEMOGRAPHICS,
            base=self.abha,
            path=_ENROL,
            shape="abdm-demographics-1",
            payload=lambda seal: payloads.demographics(self.settings, ask, seal),
            headers={self.settings.benefit_header: self.settings.benefit},
            is_sealed=True,
            hidden=(ask.name, *ask.name.split(), ask.mobile or "", ask.address),
        )

    def aadhaar_otp(self, aadhaar: bytearray, txn_id: str, *, hidden: tuple[str, ...] = ()) -> Call:
        """Have UIDAI send a code."""
        return Call(
            step=Step.OTP_SEND,
            base=self.abha,
            path=_OTP,
            shape="abdm-otp-request-1",
            payload=lambda seal: payloads.otp_request(aadhaar, txn_id, seal),
            is_sealed=True,
            hidden=hidden,
        )

    def otp_enrolment(
        self, txn_id: str, otp: str, mobile: str, *, hidden: tuple[str, ...] = ()
    ) -> Call:
        """Enrol by that code."""
        return Call(
            step=Step.OTP_ENROL,
            base=self.abha,
            path=_ENROL,
            shape="abdm-otp-enrolment-1",
            payload=lambda seal: payloads.otp_enrolment(self.settings, txn_id, otp, mobile, seal),
            is_sealed=True,
            hidden=(mobile, otp, *hidden),
        )

    def mobile_otp(self, txn_id: str, mobile: str, *, hidden: tuple[str, ...] = ()) -> Call:
        """Have a code sent to a mobile."""
        return Call(
            step=Step.MOBILE_SEND,
            base=self.abha,
            path=_OTP,
            shape="abdm-mobile-otp-1",
            payload=lambda seal: payloads.mobile_otp(txn_id, mobile, seal),
            is_sealed=True,
            hidden=(mobile, *hidden),
        )

    def mobile_verification(self, txn_id: str, otp: str, *, hidden: tuple[str, ...] = ()) -> Call:
        """Answer that code."""
        return Call(
            step=Step.MOBILE_VERIFY,
            base=self.abha,
            path="/v3/enrollment/auth/byAbdm",
            shape="abdm-mobile-verification-1",
            payload=lambda seal: payloads.mobile_verification(txn_id, otp, seal),
            is_sealed=True,
            hidden=(otp, *hidden),
        )

    def suggestions(self, txn_id: str, *, hidden: tuple[str, ...] = ()) -> Call:
        """Ask for free handles."""
        return Call(
            step=Step.SUGGESTIONS,
            base=self.abha,
            path="/v3/enrollment/enrol/suggestion",
            headers={"TRANSACTION_ID": txn_id},
            hidden=hidden,
        )

    def address(self, txn_id: str, handle: str, *, hidden: tuple[str, ...] = ()) -> Call:
        """Ask for one of them."""
        return Call(
            step=Step.ADDRESS,
            base=self.abha,
            path="/v3/enrollment/enrol/abha-address",
            shape="abdm-address-1",
            payload=lambda _seal: payloads.address(txn_id, handle),
            hidden=(handle, *hidden),
        )

    def picture(self, step: Step, token: str) -> Call:
        """Fetch the QR or the card of whoever the token is for."""
        name = "qrCode" if step is Step.QR else "abha-card"
        return Call(
            step=step,
            base=self.abha,
            path=f"/v3/profile/account/{name}",
            headers={"X-token": f"Bearer {token}", "Accept": "image/png, */*"},
        )

    def link_token(self, hip: str, ask: LinkTokenAsk) -> Call:
        """Ask for a link token."""
        return Call(
            step=Step.LINK_TOKEN,
            base=self.gateway,
            path="/api/hiecm/v3/token/generate-token",
            shape="abdm-link-token-1",
            payload=lambda _seal: payloads.link_token(ask),
            headers={"X-HIP-ID": hip},
            hidden=(ask.name, *ask.name.split(), ask.abha_address),
        )

    def link(self, hip: str, link_token: str, ask: LinkAsk) -> Call:
        """Ask to link care contexts."""
        return Call(
            step=Step.LINK,
            base=self.gateway,
            path="/api/hiecm/hip/v3/link/carecontext",
            shape="abdm-link-1",
            payload=lambda _seal: payloads.link_contexts(self.settings, ask),
            headers={"X-HIP-ID": hip, "X-LINK-TOKEN": link_token},
            hidden=(ask.abha_address,),
        )
