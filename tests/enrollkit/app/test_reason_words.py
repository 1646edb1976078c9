"""Every code that the server can give has words; an unknown one is shown whole."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from enrollkit.app.reason_words import reason_words
from enrollkit.app.words import event_words

SERVER = Path(__file__).resolve().parents[3] / "sync" / "server"
_GIVEN = re.compile(r"\b(?:held|rejected)\(\s*f?[\"']([a-z0-9:_{}()-]+)[\"']")
_NAMED = re.compile(r"^_?[A-Z_]+: Final = [\"']([a-z]+:[a-z-]+|conflict)[\"']", re.MULTILINE)


def codes() -> set[str]:
    """Read the codes out of the server's source."""
    texts = [path.read_text(encoding="utf-8") for path in SERVER.rglob("*.py")]
    found = {code for text in texts for code in [*_GIVEN.findall(text), *_NAMED.findall(text)]}
    of_abdm = json.loads((SERVER / "data" / "abdm_refusals.json").read_text(encoding="utf-8"))
    rows = [*of_abdm["rows"], *of_abdm.get("fields", ())]
    reasons = {row["reason"] for row in rows}
    unforeseen = {code for code in reasons if code.startswith("abdm:unknown")}
    return {code.partition("{")[0] for code in found} | (reasons - unforeseen)


def test_the_servers_codes_are_found_at_all() -> None:
    assert {
        "version:ahead",
        "enrollment:unknown",
        "conflict",
        "abdm:mismatch",
        "abdm:consent",
    } <= codes()


@pytest.mark.parametrize("code", [*sorted(codes()), "schema:anything-new", "needs-person"])
def test_every_code_of_the_server_has_words(code: str) -> None:
    words = reason_words(code)
    assert code not in words
    assert "sent it back" not in words
    assert words.endswith(".")
    assert len(words) <= 80


@pytest.mark.parametrize(
    "code",
    [
        *(
            f"abdm:{word}"
            for word in (
                "mismatch", "mobile-full", "place", "name", "birth", "gender", "pincode",
                "aadhaar", "field", "deactivated", "exists", "exists-unnamed", "wait", "address",
                "address-taken",
            )
        ),
        *(f"person:{word}" for word in (
            "otp", "parent", "document", "aadhaar-missing", "aadhaar-cancelled", "biometric",
            "mobile",
        )),
        *(f"otp:{word}" for word in ("wrong", "late", "too-many", "wait", "elsewhere")),
        *(f"finish:{word}" for word in ("unknown", "ambiguous", "wait")),
        *(f"link:{word}" for word in ("kyc", "facility", "unknown-abha")),
    ],
)  # fmt: skip
def test_every_code_on_the_road_to_abdm_has_words_of_its_own(code: str) -> None:
    words = reason_words(code)
    assert words != reason_words(code.partition(":")[0])
    assert words.endswith(".")
    assert len(words) <= 74, "one line under its field at 80 columns"


def test_nobody_is_told_to_type_a_number_again_that_uidai_has_switched_off() -> None:
    words = reason_words("person:aadhaar-cancelled")
    assert "again" not in words
    assert words != reason_words("abdm:aadhaar")


def test_a_refusal_of_abdm_that_nobody_foresaw_is_shown_with_its_code() -> None:
    assert "ABDM-4711" in reason_words("abdm:unknown ABDM-4711")
    assert "abdm:moon" in reason_words("abdm:moon")


def test_a_code_of_a_newer_server_is_shown_whole() -> None:
    assert "moon:phase-wrong" in reason_words("moon:phase-wrong")


def test_news_of_an_earlier_version_says_so() -> None:
    assert event_words("rejected-earlier") == "came back for correction (an earlier version)"
    assert event_words("something-new") == "something-new"
