"""An enrollment and a record link: one written form, read back the same, printed withheld."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrollkit.domain.consent import Consent, ConsentMethod
from enrollkit.domain.enrollment import TRANSITIONS, Enrollment, State, may_become
from enrollkit.domain.person import (
    Address,
    BirthDate,
    Gender,
    Guardian,
    MobileOwner,
    Person,
    Relation,
)
from enrollkit.domain.record_link import HiType, RecordLink
from schemas import validator

RECORD_IDS = st.binary(min_size=16, max_size=16).map(bytes.hex)
TEXTS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=40)
BIRTHS = st.one_of(
    st.builds(BirthDate, year=st.integers(1900, 2026)),
    st.dates(date(1900, 1, 1), date(2026, 11, 22)).map(
        lambda day: BirthDate(year=day.year, month=day.month, day=day.day)
    ),
)
TIMES = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - the strategy wants bounds without zone
    datetime(2030, 1, 1),  # noqa: DTZ001 - the same
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
PERSONS = st.builds(
    Person,
    name=TEXTS,
    name_native=st.none() | TEXTS,
    gender=st.sampled_from(Gender),
    birth=BIRTHS,
    mobile=st.none() | st.just("9000000001"),
    mobile_owner=st.sampled_from(MobileOwner),
    address=st.builds(
        Address,
        line=TEXTS,
        village=TEXTS,
        pincode=st.just("800001"),
        state=st.integers(1, 38),
        district=st.integers(1, 800),
    ),
    guardian=st.none() | st.builds(Guardian, name=TEXTS, relation=st.sampled_from(Relation)),
    language=st.sampled_from(["hi", "ta", "en"]),
)
CONSENTS = st.builds(
    Consent,
    version=st.just("1.4"),
    language=st.sampled_from(["hi", "ta"]),
    method=st.sampled_from(ConsentMethod),
    given_at=TIMES,
    witness=st.none() | TEXTS,
)
ENROLLMENTS = st.builds(
    lambda seal, **fields: Enrollment(
        aadhaar_last4=seal and "1234", capture_session=seal and "0123456789abcdef", **fields
    ),
    st.sampled_from([None, "sealed"]),
    id=RECORD_IDS,
    version=st.integers(1, 9),
    person=PERSONS,
    consent=CONSENTS,
    abha_address_choice=st.none() | st.just("kamla.devi87"),
    household=st.none() | TEXTS,
    camp=st.none() | TEXTS,
)
LINKS = st.builds(
    RecordLink,
    id=RECORD_IDS,
    enrollment=RECORD_IDS,
    hi_type=st.sampled_from(HiType),
    facility=st.just("IN1000000001"),
    professional=st.none() | st.just("71000000000001"),
    date=st.dates(date(1990, 1, 1)),
    display=st.just("OPD visit"),
    reference=st.just("A-1"),
    observations=st.none() | st.just({"systolic": 120, "temperature_c": 36.6}),
)


@settings(deadline=None)
@given(ENROLLMENTS)
def test_an_enrollment_is_read_back_as_it_was_written(one: Enrollment) -> None:
    body = one.body()
    assert validator("enrollment-1").faults(body) == []
    assert Enrollment.from_body(body, record_id=one.id, version=one.version) == one


@settings(deadline=None)
@given(LINKS)
def test_a_record_link_is_read_back_as_it_was_written(one: RecordLink) -> None:
    body = one.body()
    assert validator("record-link-1").faults(body) == []
    assert RecordLink.from_body(body, record_id=one.id) == one


@settings(deadline=None, max_examples=30)
@given(ENROLLMENTS)
def test_nothing_that_holds_a_person_prints_the_person(one: Enrollment) -> None:
    assert repr(one) == f"Enrollment({one.id}, version={one.version}, <withheld>)"
    person = one.person
    for part in (person, person.birth, person.address, person.guardian, one.consent):
        if part is not None:
            assert repr(part) == f"{type(part).__name__}(<withheld>)"


def test_every_state_can_be_reached_and_nothing_returns_to_a_draft() -> None:
    reached = {State.DRAFT}
    for _ in State:
        reached |= {then for now in reached for then in TRANSITIONS[now]}
    assert reached == set(State)
    assert not any(may_become(now, State.DRAFT) for now in State)
    assert not any(may_become(State.WITHDRAWN, then) for then in State)
    assert all(
        may_become(now, State.WITHDRAWN)
        for now, _ in product(State, [0])
        if now not in {State.DRAFT, State.WITHDRAWN}
    )


@pytest.mark.parametrize(
    ("birth", "age", "text", "first"),
    [
        (BirthDate(year=1987, month=11, day=22), 39, "22/11/1987", date(1987, 11, 22)),
        (BirthDate(year=1987, month=11, day=23), 38, "23/11/1987", date(1987, 11, 23)),
        (BirthDate(year=1987, month=11), 38, "11/1987", date(1987, 11, 1)),
        (BirthDate(year=1987), 38, "1987", date(1987, 1, 1)),
        (BirthDate(year=2026), 0, "2026", date(2026, 1, 1)),
    ],
)
def test_an_age_is_the_youngest_that_the_known_parts_allow(
    birth: BirthDate, age: int, text: str, first: date
) -> None:
    assert birth.age_at(date(2026, 11, 22)) == age
    assert birth.text() == text
    assert birth.first_possible_day() == first


def test_an_age_told_in_years_is_said_back_as_it_was_told() -> None:
    today = date(2026, 11, 22)
    assert BirthDate(year=1966).age_said(today) == 60
    assert BirthDate(year=1966).age_at(today) == 59
    assert BirthDate(year=1966, month=12).age_said(today) == 59
