"""Whoever calls somebody is told why: each code that the road to ABDM can give has its words."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from server_laptops import person_body
from sync.server import calling
from sync.server.abdm.calls import Effect
from sync.server.abdm.planning import plan_road
from sync.server.abdm.settings import AbdmSettings
from sync.server.calling import CALL_WORDS

TODAY = date(2026, 11, 22)


def of_refusals() -> set[str]:
    """Give the reasons for which a refusal that we know calls the person."""
    path = Path(calling.__file__).parent / "data" / "abdm_refusals.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    rows = [*content["rows"], *content["fields"]]
    return {row["reason"] for row in rows if row["effect"] == Effect.CALL.value}


def of_planner() -> set[str]:
    """Give the codes of everybody for whom there is no road without them."""
    none = {"aadhaar_last4": None, "capture_session": None}
    people = [person_body(), person_body(**none), person_body(**none, birth={"year": 2020})]
    plans = [plan_road(body, AbdmSettings(), today=TODAY) for body in people]
    return {plan.code for plan in plans if plan.needs_person}


def test_every_reason_to_call_somebody_has_words_and_no_others_have() -> None:
    assert {"person:biometric", "otp:late", "abdm:token"} <= of_refusals()
    assert of_planner() == {"person:otp", "person:parent", "person:document"}
    assert set(CALL_WORDS) == of_refusals() | of_planner()


def test_all_words_are_different_sentences() -> None:
    words = list(CALL_WORDS.values())
    assert len(set(words)) == len(words)
    assert all(each.endswith(".") for each in words)
