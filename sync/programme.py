"""The programme: what a laptop must know of its server before it meets it, signed.

A programme file carries the server's address and public keys, the consent wordings, the list of
devices whose cards are to be believed, and the certificates for checking Aadhaar documents. The
first one is trusted as it was handed over (its fingerprint is shown); every later one must be
signed by the same key and have a higher serial.
Shape: ``programme-1``. Written as COSE_Sign1 over zstd over canonical CBOR of that object.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import schemas
from sync import wire
from sync.dictionaries import compress, decompress
from sync.errors import EnvelopeInvalid, TooLarge
from sync.protocol import LIMITS, DeviceState
from sync.sealing import SealKey, SigningKey, VerifyKey, open_signed, read_unverified, sign

__all__ = [
    "Programme",
    "ProgrammeAnchor",
    "ProgrammeDevice",
    "Wording",
    "open_programme",
    "sign_programme",
]

_NAME: Final = "programme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A consent text; ``official`` is false for words that are not NHA's."""

    code: str
    version: str
    language: str
    text: str
    official: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeDevice:
    """A laptop of the programme; a card of a revoked one is told apart from a forged one."""

    key: VerifyKey
    state: DeviceState


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeAnchor:
    """A certificate (DER) to check Aadhaar documents with, and where the office had it from.

    It is read by whoever uses it (:func:`sync.anchors.load_anchor`): one that a laptop's library
    cannot read must not keep the rest of the programme from it.
    """

    certificate: bytes
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """The state programme's configuration. ``issued`` is in seconds since 1970 UTC.

    ``practice``: its ABHA numbers come from a sandbox and are not real. Whoever shows one says so.
    """

    name: str
    url: str
    serial: int
    issued: int
    signing: VerifyKey
    ingest: SealKey
    vault: SealKey
    recovery: SealKey
    consents: tuple[Wording, ...]
    devices: tuple[ProgrammeDevice, ...]
    practice: bool = False
    anchors: tuple[ProgrammeAnchor, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Give the first 16 bytes of SHA-256 of the signing key in fours, to compare by voice."""
        text = self.signing.digest()[:16].hex().upper()
        return " ".join(text[place : place + 4] for place in range(0, len(text), 4))

    def device(self, device_id: str) -> ProgrammeDevice | None:
        """Find a device by its id."""
        return next((entry for entry in self.devices if entry.key.id == device_id), None)


def sign_programme(programme: Programme, key: SigningKey) -> bytes:
    """Write and sign a programme file."""
    return sign(compress(wire.encode(_object(programme))), [_NAME, wire.CURRENT_DICTIONARY], key)


def open_programme(data: bytes, pinned: VerifyKey | None) -> Programme:
    """Read a programme file signed by the pinned key, or, without one, by the key it carries.

    ``EnvelopeInvalid`` for anything that is not so, ``TooLarge`` past the limit.
    """
    if len(data) > LIMITS.programme_bytes_max:
        raise TooLarge("programme")
    value = _read(_unsigned(data))
    key = pinned or VerifyKey(bytes.fromhex(value["keys"]["signing"]))
    open_signed(data, _NAME, key)
    if value["keys"]["signing"] != key.raw.hex():
        raise EnvelopeInvalid("programme of another key")
    return _programme(value)


def _unsigned(data: bytes) -> bytes:
    """Give the compressed object; its signature is checked once the key inside is known."""
    _kid, meaning, payload = read_unverified(data)
    if len(meaning) != 2 or meaning[0] != _NAME or not isinstance(meaning[1], int):  # noqa: PLR2004 - name, dictionary
        raise EnvelopeInvalid("not a programme")
    return decompress(payload, meaning[1], bytes_max=LIMITS.programme_bytes_max)


def _read(plain: bytes) -> dict[str, Any]:
    value: Any = wire.decode(plain)
    faults = schemas.validator("programme-1").faults(value)
    if faults:
        raise EnvelopeInvalid(f"programme: {faults[0].pointer} {faults[0].code}")
    known: dict[str, Any] = value
    return known


def _object(programme: Programme) -> dict[str, Any]:
    return {
        "name": programme.name,
        "url": programme.url,
        "serial": programme.serial,
        "issued": programme.issued,
        "keys": {
            "signing": programme.signing.raw.hex(),
            "ingest": programme.ingest.raw.hex(),
            "vault": programme.vault.raw.hex(),
            "recovery": programme.recovery.raw.hex(),
        },
        "consents": [asdict(wording) for wording in programme.consents],
        "devices": [
            {"public_key": device.key.raw.hex(), "state": device.state.value}
            for device in programme.devices
        ],
        **({"practice": True} if programme.practice else {}),
        **({"anchors": _anchors(programme)} if programme.anchors else {}),
    }


def _anchors(programme: Programme) -> list[dict[str, str]]:
    return [
        {"certificate": anchor.certificate.hex(), "source": anchor.source}
        for anchor in programme.anchors
    ]


def _programme(value: dict[str, Any]) -> Programme:
    keys = {name: bytes.fromhex(text) for name, text in value["keys"].items()}
    return Programme(
        name=value["name"],
        url=value["url"],
        serial=value["serial"],
        issued=value["issued"],
        signing=VerifyKey(keys["signing"]),
        ingest=SealKey(keys["ingest"]),
        vault=SealKey(keys["vault"]),
        recovery=SealKey(keys["recovery"]),
        consents=tuple(Wording(**wording) for wording in value["consents"]),
        devices=tuple(
            ProgrammeDevice(
                key=VerifyKey(bytes.fromhex(device["public_key"])),
                state=DeviceState(device["state"]),
            )
            for device in value["devices"]
        ),
        practice=value.get("practice", False),
        anchors=tuple(
            ProgrammeAnchor(
                certificate=bytes.fromhex(anchor["certificate"]), source=anchor["source"]
            )
            for anchor in value.get("anchors", ())
        ),
    )
