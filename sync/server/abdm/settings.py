"""How this server reaches ABDM: the table ``[abdm]`` of ``server.toml``, then the environment.

Where ABDM's own documents disagree, what is right is a setting and not a guess in the code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from sync.server.errors import SettingsInvalid

__all__ = ["ABDM_TEMPLATE", "AbdmSettings", "read_abdm"]

ABDM_TEMPLATE: Final = """
# ABDM, which gives the ABHA numbers. The secret is better set as ENROLLKIT_ABDM_CLIENT_SECRET.
#[abdm]
#gateway_url = "https://dev.abdm.gov.in"
#abha_url = "https://abhasbx.abdm.gov.in/abha/api"
#cm_id = "sbx"
#client_id = ""
#benefit = ""
# Without a HIP of its own the programme links records in the name of each record's facility.
#hip_id = ""
# Where ABDM finds this server, and from which addresses it may call (networks, or empty for any).
#callback_url = ""
#callback_networks = ""
# Whether a callback must be signed by ABDM's gateway: "required", or "unchecked" where it is not.
#callback_signature = "required"

# Spellings on which NHA's documents disagree.
#benefit_header = "BENEFIT_NAME"
#birth_format = "dd-MM-yyyy"
#hi_type_field = "hiType"
#consent_version = "1.4"

# Calls at the same time, how long one may take, and how long a worker keeps a person to itself.
#concurrency = 16
#timeout_seconds = 30
#lease_seconds = 120
#certificate_hours = 24
"""

_LEASE_CALLS: Final = 2
"""Before a call that is about a person there may be one for a session or NHA's certificate."""
_GRACE_SECONDS: Final = 10

BIRTH_FORMATS: Final = ("dd-MM-yyyy", "yyyy-MM-dd")
CALLBACK_SIGNATURES: Final = ("required", "unchecked")
CM_IDS: Final = ("sbx", "abdm")
HI_TYPE_FIELDS: Final = ("hiType", "hiTypes")


@dataclass(frozen=True, slots=True, kw_only=True)
class AbdmSettings:
    """Everything about ABDM. Without its two addresses no worker runs.

    ``lease_seconds``: how long a worker keeps a person to itself; a dead one's are taken over
    after that, so that it must outlast what is done between two looks at it.
    ``certificate_hours``: how long NHA's public certificate is believed.
    """

    gateway_url: str = ""
    abha_url: str = ""
    cm_id: str = "sbx"
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    benefit: str = ""
    hip_id: str = ""
    callback_url: str = ""
    callback_networks: str = ""
    callback_signature: str = "required"
    benefit_header: str = "BENEFIT_NAME"
    birth_format: str = "dd-MM-yyyy"
    hi_type_field: str = "hiType"
    consent_version: str = "1.4"
    concurrency: int = 16
    timeout_seconds: int = 30
    lease_seconds: int = 120
    certificate_hours: int = 24

    @property
    def is_configured(self) -> bool:
        """Whether there is somebody to call."""
        return bool(self.gateway_url and self.abha_url and self.client_id)

    @property
    def is_practice(self) -> bool:
        """Whether the numbers are not real: ABDM's sandbox, or our own."""
        return self.cm_id == "sbx"


_FROM_ENVIRONMENT: Final = {
    "ENROLLKIT_ABDM_GATEWAY_URL": "gateway_url",
    "ENROLLKIT_ABDM_ABHA_URL": "abha_url",
    "ENROLLKIT_ABDM_CM_ID": "cm_id",
    "ENROLLKIT_ABDM_CLIENT_ID": "client_id",
    "ENROLLKIT_ABDM_CLIENT_SECRET": "client_secret",
    "ENROLLKIT_ABDM_BENEFIT": "benefit",
    "ENROLLKIT_ABDM_HIP_ID": "hip_id",
    "ENROLLKIT_ABDM_CALLBACK_URL": "callback_url",
}
_CHOICES: Final = {
    "birth_format": BIRTH_FORMATS,
    "callback_signature": CALLBACK_SIGNATURES,
    "cm_id": CM_IDS,
    "hi_type_field": HI_TYPE_FIELDS,
}
_PATTERNS: Final = {
    "benefit": r"(?! )[ -~]{0,100}(?<! )",
    "benefit_header": r"[A-Za-z0-9_-]{1,40}",
    "hip_id": r"[!-~]{0,40}",
}
"""What goes into the head of a request as it is."""


def read_abdm(table: Mapping[str, Any], environment: Mapping[str, str]) -> AbdmSettings:
    """Read the table ``[abdm]``, then the environment; ``SettingsInvalid`` names a fault."""
    found = replace(
        AbdmSettings(), **{name: _checked(name, value) for name, value in table.items()}
    )
    given = {
        name: _checked(name, environment[variable])
        for variable, name in _FROM_ENVIRONMENT.items()
        if environment.get(variable)
    }
    settings = replace(found, **given)
    if settings.lease_seconds < _LEASE_CALLS * (settings.timeout_seconds + _GRACE_SECONDS):
        raise SettingsInvalid("abdm.lease_seconds")
    return settings


def _checked(name: str, value: Any) -> Any:
    defaults = {each.name: each.default for each in fields(AbdmSettings)}
    is_right = type(value) is type(defaults.get(name)) and (
        value > 0 if isinstance(value, int) else _is_possible(name, value)
    )
    if not is_right:
        raise SettingsInvalid(f"abdm.{name}")
    return value.rstrip("/") if name.endswith("_url") else value


def _is_possible(name: str, value: Any) -> bool:
    is_fitting = name not in _PATTERNS or re.fullmatch(_PATTERNS[name], value) is not None
    return is_fitting and value in _CHOICES.get(name, (value,))
