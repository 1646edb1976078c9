"""The rules: each problem at its field, with its code; all of them at once; never an exception."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_rows import ANY_JSON, TODAY, context, row, with_value
from enrollkit.domain.matching import Likeness, match_key
from enrollkit.domain.person import BirthDate, Gender
from enrollkit.domain.problem import Problem, Severity
from enrollkit.domain.rules import check, stands_in_the_way
from enrollkit.domain.shape_problems import value_at

MOTHER = {"name": "Sunita Devi", "relation": "mother"}
POINTERS = [
    "/name", "/name_native", "/gender", "/birth", "/birth/year", "/birth/month", "/birth/day",
    "/mobile", "/mobile_owner", "/address", "/address/line", "/address/state", "/address/district",
    "/address/village", "/guardian", "/guardian/name", "/guardian/relation", "/aadhaar", "/consent",
    "/consent/version", "/consent/language", "/consent/method", "/consent/given_at",
    "/consent/witness", "/abha_address_choice", "/language", "/household", "/camp", "/unknown",
]  # fmt: skip


def found(raw: Any, **changes: Any) -> list[tuple[str, str, str]]:
    problems = check(raw, context(**changes))
    return [(problem.pointer, problem.code, problem.severity.value) for problem in problems]


def test_a_row_without_fault_gives_nothing() -> None:
    assert found(row()) == []


@pytest.mark.parametrize(
    ("pointer", "value", "blamed", "code"),
    [
        ("/name", "", "/name", "name-empty"),
        ("/name", "  ", "/name", "name-empty"),
        ("/name", "A" * 300, "/name", "name-too-long"),
        ("/name", "Asha 2", "/name", "name-digits"),
        ("/name", "Asha २", "/name", "name-digits"),
        ("/name", "आशा", "/name", "name-not-latin"),
        ("/name", "Аsha", "/name", "name-not-latin"),
        ("/name", "Asha/Usha", "/name", "name-sign"),
        ("/name", "...", "/name", "name-sign"),
        ("/name", "Asha\u0007", "/name", "name-control-character"),
        ("/name", "Asha\n", "/name", "name-control-character"),
        ("/name", "Asha\ud800", "/name", "name-control-character"),
        ("/name", "Asha\u202egnis", "/name", "name-bidi-override"),
        ("/name", "As\u200bha", "/name", "name-hidden-character"),
        ("/name", "As\u200dha", "/name", "name-hidden-character"),
        ("/name", "Asha 🙂", "/name", "name-emoji"),
        ("/name_native", "आशा\u202e", "/name_native", "bidi-override"),
        ("/name_native", "\u200dआशा", "/name_native", "hidden-character"),
        ("/address/line", "Ward\u0000 4", "/address/line", "control-character"),
        ("/address/line", "क्\u200dष", "/address/line", "hidden-character"),
        ("/address/village", "Nagla\u2066", "/address/village", "bidi-override"),
        ("/household", "HH\u001b[31m", "/household", "control-character"),
        ("/camp", "CAMP 🎪", "/camp", "emoji"),
        ("/guardian", {**MOTHER, "name": "Su\u202enita"}, "/guardian/name", "bidi-override"),
        ("/consent/witness", "Asha\u0000", "/consent/witness", "control-character"),
        ("/address/line", "x" * 1000, "/address/line", "address-line-too-long"),
        ("/birth", {"year": 2027}, "/birth/year", "birth-in-future"),
        ("/birth", {"year": 2026, "month": 11, "day": 23}, "/birth/year", "birth-in-future"),
        ("/birth", {"year": 1987, "month": 2, "day": 29}, "/birth/day", "birth-no-such-day"),
        ("/birth", {"year": 1987, "day": 5}, "/birth/month", "birth-day-without-month"),
        ("/birth", {"year": 2017}, "/guardian", "minor-without-guardian"),
        ("/birth", {"year": 2008}, "/guardian", "minor-without-guardian"),
        ("/consent", None, "/consent", "wrong-type"),
        ("/consent/version", "1.3", "/consent/version", "consent-version-unknown"),
        ("/consent/method", "thumbprint", "/consent/witness", "consent-witness-missing"),
        ("/address/state", 99, "/address/state", "state-unknown"),
        ("/address/district", 9998, "/address/district", "district-not-in-state"),
        ("/address/state", 20, "/address/district", "district-not-in-state"),
        ("/mobile", None, "/mobile", "mobile-missing"),
        ("/mobile", "90000OOOO1", "/mobile", "mobile-letters"),
        ("/mobile", "900000000", "/mobile", "mobile-length"),
        ("/mobile", "1900000000", "/mobile", "mobile-first-digit"),
        ("/mobile_owner", "none", "/mobile_owner", "mobile-owner-none"),
        ("/aadhaar", "99990000123", "/aadhaar", "aadhaar-length"),
        ("/aadhaar", "999900001234", "/aadhaar", "aadhaar-check-digit"),
        ("/aadhaar", "199900001234", "/aadhaar", "aadhaar-first-digit"),
        ("/aadhaar", "9999OOOO1234", "/aadhaar", "aadhaar-letters"),
        ("/abha_address_choice", "kamla", "/abha_address_choice", "abha-address-choice-invalid"),
        ("/gender", "X", "/gender", "gender-not-known"),
        ("/birth/year", "1987", "/birth/year", "wrong-type"),
    ],
)
def test_a_fault_is_refused_at_its_field(pointer: str, value: Any, blamed: str, code: str) -> None:
    assert found(with_value(row(), pointer, value)) == [(blamed, code, "refuse")]


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/name", "A. R. D'Souza-Khan"),
        ("/name", "José"),
        ("/name_native", "क्\u200dषत्रिय"),
        ("/name_native", "വി. എസ്\u200c രാജൻ"),
        ("/name_native", "فاطمہ"),
        ("/address/line", "H.No 6 & 7, \u00b0 lane"),
        ("/birth", {"year": 1960}),
        ("/birth", {"year": 1960, "month": 4}),
        ("/birth", {"year": 1988, "month": 2, "day": 29}),
        ("/birth", {"year": 2008, "month": 11, "day": 22}),
    ],
)
def test_what_is_usual_in_india_is_not_blamed(pointer: str, value: Any) -> None:
    assert found(with_value(row(), pointer, value)) == []


def test_a_key_that_the_format_does_not_have_is_to_be_looked_at() -> None:
    assert found(row(__proto__={"a": 1})) == [("/__proto__", "unknown-key", "review")]


def test_a_strangers_key_is_shown_short_and_without_terminal_codes() -> None:
    pointer = found(row(**{"\u001b[31m" + "x" * 500: 1}))[0][0]
    assert pointer.isprintable()
    assert len(pointer) < 70


def test_ten_thousand_unknown_keys_are_not_ten_thousand_problems() -> None:
    assert len(found({**row(), **{f"k{n}": n for n in range(10_000)}})) <= 20


def test_all_problems_come_at_once_in_the_order_of_the_form() -> None:
    raw = with_value(row(name="Asha 2", mobile="1900000000"), "/address/state", 20)
    raw = with_value(raw, "/consent/version", "0.9")
    assert [pointer for pointer, _, _ in found(raw)] == [
        "/name", "/mobile", "/address/district", "/consent/version",
    ]  # fmt: skip


def test_a_district_elsewhere_is_told_with_the_true_state() -> None:
    problem = check(with_value(row(), "/address/state", 20), context())[0]
    assert problem.text == "Patna lies in Bihar, but the state says Jharkhand."


def test_the_eighteenth_birthday_is_the_first_day_without_guardian() -> None:
    born = {"year": 2008, "month": 11, "day": 23}
    assert found(row(birth=born)) == [("/guardian", "minor-without-guardian", "refuse")]
    assert found(row(birth=born), today=date(2026, 11, 23)) == []


@pytest.mark.parametrize(("year", "severity"), [(2010, "refuse"), (2008, "review")])
def test_a_spouse_is_no_guardian_of_a_minor(year: int, severity: str) -> None:
    raw = row(birth={"year": year}, guardian={"name": "Ram Kumar", "relation": "spouse"})
    assert found(raw) == [("/guardian/relation", "minor-with-spouse", severity)]


def test_somebody_older_than_120_years_is_to_be_looked_at() -> None:
    assert found(row(birth={"year": 1905})) == [("/birth/year", "birth-long-ago", "review")]


@pytest.mark.parametrize(("others", "problems"), [(5, 0), (6, 1), (60, 1)])
def test_a_mobile_takes_six_people(others: int, problems: int) -> None:
    given_problems = found(row(), count_mobile=lambda _: others)
    assert given_problems == [("/mobile", "mobile-seventh-person", "refuse")] * problems


def test_a_wording_not_installed_in_the_language_is_a_note() -> None:
    assert found(row(), consents={"1.4": frozenset({"en"})}) == [
        ("/consent/language", "consent-language-missing", "note")
    ]


def test_a_consent_two_days_ahead_is_a_note_and_one_day_is_not() -> None:
    ahead = with_value(row(), "/consent/given_at", "2026-11-24T09:00:00+05:30")
    assert found(ahead) == [("/consent/given_at", "consent-in-future", "note")]
    assert found(ahead, today=date(2026, 11, 23)) == []


def test_the_same_person_is_asked_about_by_name_with_the_other_record() -> None:
    other = Likeness(
        id="ab" * 16, name="KAMLAA DEVI", gender=Gender.FEMALE,
        birth=BirthDate(year=1987), district=212, village="Nagla", mobile="9000000001",
    )  # fmt: skip
    asked: list[str] = []

    def find(key: str) -> list[Likeness]:
        asked.append(key)
        return [other] if key == match_key(other) else []

    problem = check(row(), context(find_alike=find))[0]
    assert (problem.pointer, problem.code, problem.related) == (
        "/name", "duplicate-person", "ab" * 16,
    )  # fmt: skip
    assert problem.severity is Severity.REVIEW
    assert len(asked) == 1


def test_an_aadhaar_number_taken_before_is_asked_about_once() -> None:
    other = Likeness(
        id="ab" * 16, name="Kamla Devi", gender=Gender.FEMALE,
        birth=BirthDate(year=1987, month=3, day=14), district=212, village="Nagla",
    )  # fmt: skip
    problems = check(
        row(),
        context(aadhaar_holder="ab" * 16, find_alike=lambda _: [other]),
    )
    assert [(one.pointer, one.code, one.related) for one in problems] == [
        ("/aadhaar", "duplicate-aadhaar", "ab" * 16)
    ]


def test_after_a_lock_the_last_digits_and_the_name_find_the_number_again() -> None:
    other = Likeness(
        id="ab" * 16, name="Vimla Devi", gender=Gender.FEMALE, birth=BirthDate(year=1987),
        district=212, village="Elsewhere", aadhaar_last4="1234",
    )  # fmt: skip
    raw = row(name="Kamla")
    alike = context(find_alike=lambda _: [other], aadhaar_last4="1234")
    assert check(raw, alike) == []
    other = replace(other, name="Kamla Devi")
    assert [(one.pointer, one.code) for one in check(raw, alike)] == [
        ("/aadhaar", "duplicate-aadhaar")
    ]


def test_only_what_is_refused_or_not_yet_looked_at_stands_in_the_way() -> None:
    note = Problem(pointer="/name", code="normalised", text="", severity=Severity.NOTE)
    look = Problem(pointer="/x", code="unknown-key", text="", severity=Severity.REVIEW)
    wrong = Problem(pointer="/name", code="name-digits", text="")
    assert not stands_in_the_way([note])
    assert stands_in_the_way([look])
    assert not stands_in_the_way([look], frozenset({"unknown-key"}))
    assert stands_in_the_way([wrong], frozenset({"name-digits"}))


@pytest.mark.parametrize("raw", [None, [], "Asha", 7, [row()]])
def test_what_is_no_row_at_all_is_refused_as_a_whole(raw: Any) -> None:
    assert found(raw) == [("", "wrong-type", "refuse")]


def test_a_row_nested_too_deep_is_refused_as_a_whole() -> None:
    deep: list[Any] = []
    for _ in range(2000):
        deep = [deep]
    assert ("", "unreadable", "refuse") in found(row(extra=deep))


def test_a_row_that_no_text_can_hold_is_refused_as_a_whole_and_compared_with_nobody() -> None:
    found = check(row(name=None, mobile="\ud800"), context())
    assert "unreadable" in {problem.code for problem in found}


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(POINTERS), st.sampled_from(POINTERS), ANY_JSON, ANY_JSON)
def test_no_json_makes_it_raise(first: str, second: str, one: Any, other: Any) -> None:
    raw = row()
    for pointer, value in ((first, one), (second, other)):
        head, _, inner = pointer[1:].partition("/")
        if inner and isinstance(raw.get(head), dict):
            raw[head][inner] = value
        elif not inner:
            raw[head] = value
    check(raw, context())


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["/name", "/household", "/address/line", "/mobile", "/aadhaar"]), st.text())
def test_no_text_of_a_problem_repeats_what_was_typed(pointer: str, typed: str) -> None:
    secret = f"Zq{typed}Xj"
    for problem in check(with_value(row(), pointer, secret), context()):
        assert secret not in problem.text
        assert "Zq" not in problem.text
        assert re.fullmatch(r"[a-z0-9-]+", problem.code)
        assert not re.search(r"[{}]", problem.text)
        assert len(problem.text) <= 120
    assert value_at(row(), "/name") == "Kamla Devi"


def test_the_clock_of_the_context_is_the_one_that_counts() -> None:
    assert found(row(), today=TODAY) == []
    assert ("/birth/year", "birth-in-future", "refuse") in found(row(), today=date(1980, 1, 1))


@pytest.mark.parametrize("year", ["0001", "2019", "2028", "9999"])
def test_a_consent_at_an_impossible_time_is_refused(year: str) -> None:
    then = with_value(row(), "/consent/given_at", f"{year}-11-24T09:00:00+05:30")
    assert found(then) == [("/consent/given_at", "consent-impossible-time", "refuse")]
