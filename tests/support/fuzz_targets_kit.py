"""The readers of files and codes on the laptop."""

from __future__ import annotations

import atexit
import json
import re
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cbor2

import fuzz_samples
import schemas
from enrollkit.app.row_files import read_rows
from enrollkit.cards import base45
from enrollkit.cards.claim169 import CardReading, CardVerdict, decode_and_verify
from enrollkit.errors import FileHoldsNoRows, SealBroken, StoreTooNew
from enrollkit.identity.masking import SHOWN_MAX, showable
from enrollkit.identity.router import Kind, classify
from enrollkit.vault.keyring_format import read_contents, write_contents
from fuzz_target import Target
from schemas.numbers import parse_provisional_number

__all__ = ["KIT"]

_NOW: Final = 1_795_000_000
_LONG_NUMBER: Final = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,3}[0-9]){8,}")
_FOLDER: Final = tempfile.TemporaryDirectory(prefix="enrollkit-fuzz-")
atexit.register(_FOLDER.cleanup)


def _json_shapes(data: bytes) -> None:
    """Whatever JSON there is, a shape either has nothing against it or names its faults."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    _shapes(value)


def _cbor_shapes(data: bytes) -> None:
    """The same for what CBOR can say beyond JSON: bytes, keys that are numbers, NaN."""
    try:
        value = cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError, TypeError, RecursionError, MemoryError):
        return  # only wire.decode reads foreign CBOR; here it only makes strange values
    _shapes(value)


def _shapes(value: Any) -> None:
    for name in schemas.shape_names():
        check = schemas.validator(name)
        faults = check.faults(value)
        assert check.is_valid(value) == (not faults), name
        assert faults == sorted(faults, key=lambda fault: (fault.pointer, fault.code))


def _scanned(data: bytes) -> None:
    """What is shown of a scanned text is one short line without a long number."""
    text = data.decode("utf-8", "surrogatepass" if _is_text(data) else "replace")
    kind = classify(text)
    assert kind.words
    shown = showable(text)
    assert len(shown) <= SHOWN_MAX + 1
    assert "\n" not in shown
    left = _LONG_NUMBER.search(shown)
    assert left is None, "a long number is shown"
    if kind is Kind.PROVISIONAL_NUMBER:
        assert parse_provisional_number(text.strip().removeprefix("\ufeff")) is not None


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _base45(data: bytes) -> None:
    text = data.decode("latin-1")
    try:
        found = base45.decode(text)
    except ValueError:
        return
    assert base45.encode(found) == text, "a card could be respelled"


def _card(data: bytes) -> None:
    """A changed code is never a verified card; only the codes that were signed are."""
    text = data.decode("latin-1")
    if _read(text).verdict is CardVerdict.VERIFIED:
        assert text in fuzz_samples.cards()


def _card_packed(data: bytes) -> None:
    _read(base45.encode(data))


def _card_object(data: bytes) -> None:
    """Read a COSE_Sign1 that is compressed as a card is."""
    _read(base45.encode(zlib.compress(data)))


def _card_token(data: bytes) -> None:
    """Read a token that a device of the programme signed: it may say what it likes."""
    protected = cbor2.dumps({1: -8, 4: b"\x01" * 8})
    signed = cbor2.dumps(["Signature1", protected, b"", data])
    message = cbor2.CBORTag(18, [protected, {}, data, fuzz_samples.CARD_KEY.sign(signed)])
    reading = _read(base45.encode(zlib.compress(cbor2.dumps(message))))
    assert reading.verdict is not CardVerdict.TAMPERED
    if reading.claims is not None:
        for value in reading.claims.fields().values():
            assert isinstance(value, str)


def _read(text: str) -> CardReading:
    reading = decode_and_verify(text, lambda _kid: fuzz_samples.CARD_KEY.public_key(), _NOW)
    assert reading.verdict.words
    return reading


def _card_objects() -> list[bytes]:
    return [zlib.decompress(base45.decode(text)) for text in fuzz_samples.cards()]


def _rows(suffix: str) -> Callable[[bytes], None]:
    """Every line of a file is a value or a problem, and lines are counted as they stand."""
    path = Path(_FOLDER.name) / f"rows{suffix}"

    def run(data: bytes) -> None:
        path.write_bytes(data)
        numbers = []
        for row in read_rows(path):
            assert (row.value is None) == (row.problem is not None)
            assert row.problem is None or row.problem.text
            json.dumps(row.value)
            numbers.append(row.number)
        assert numbers == sorted(set(numbers))
        assert not numbers or numbers[-1] <= data.count(b"\n") + 1

    return run


def _keyring(data: bytes) -> None:
    found = read_contents(data)
    assert read_contents(write_contents(found)) == found


def _scans() -> list[bytes]:
    texts = [
        "7K2M-94QD-XV3T-8",
        '{"hidn":"91-1111-1111-1111","hid":"asha@abdm","name":"Asha"}',
        "9" * 300,
        '<PrintLetterBarcodeData uid="999941057058" name="Asha"/>',
        "https://phr.abdm.gov.in/share?hip-id=IN1234567890&counter-id=1",
        "आधार ९९९९ ४१०५ ७०५८  9999 4105 7058",
    ]
    return [text.encode() for text in [*texts, *fuzz_samples.cards()]]


def _shape_samples() -> list[bytes]:
    folder = Path(schemas.__file__).parent / "examples"
    return [path.read_bytes() for path in sorted(folder.glob("good-*.json"))]


KIT: Final = (
    Target(name="shapes-json", run=_json_shapes, samples=_shape_samples, form="json"),
    Target(
        name="shapes-cbor",
        run=_cbor_shapes,
        samples=lambda: [cbor2.dumps(json.loads(text)) for text in _shape_samples()],
        form="cbor",
    ),
    Target(name="scanned", run=_scanned, samples=_scans),
    Target(
        name="base45",
        run=_base45,
        samples=lambda: [text.encode() for text in fuzz_samples.cards()],
    ),
    Target(name="card", run=_card, samples=lambda: [t.encode() for t in fuzz_samples.cards()]),
    Target(
        name="card-packed",
        run=_card_packed,
        samples=lambda: [base45.decode(text) for text in fuzz_samples.cards()],
    ),
    Target(name="card-object", run=_card_object, samples=_card_objects),
    Target(
        name="card-token",
        run=_card_token,
        samples=lambda: [cbor2.loads(data).value[2] for data in _card_objects()],
        form="cbor",
    ),
    Target(
        name="rows-jsonl", run=_rows(".jsonl"), samples=fuzz_samples.json_files,
        allowed=(FileHoldsNoRows,),
    ),
    Target(
        name="rows-csv", run=_rows(".csv"), samples=fuzz_samples.csv_files,
        allowed=(FileHoldsNoRows,),
    ),
    Target(
        name="keyring", run=_keyring, samples=fuzz_samples.keyrings,
        allowed=(SealBroken, StoreTooNew), form="json",
    ),
)  # fmt: skip
