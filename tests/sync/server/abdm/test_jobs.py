from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from abdm_office import MINUTE, Camp, aadhaar
from server_laptops import Office, person_body
from sync.server.abdm import gathering
from sync.server.abdm.gathering import gather
from sync.server.abdm.jobs import (
    ClaimLost,
    JobKind,
    claim_jobs,
    keep_claim,
    postpone,
    release_claims,
    settle,
    wake,
)
from sync.server.abdm.waits import back_off


@pytest.fixture
def camp(office: Office) -> Camp:
    return Camp(office)


def in_district(district: int) -> dict[str, object]:
    address = person_body()["address"]
    assert isinstance(address, dict)
    return {"address": {**address, "district": district}}


def test_who_arrived_becomes_due_once(camp: Camp) -> None:
    camp.person(aadhaar(1))
    assert gather(camp.store, now=camp.now) == 1
    assert gather(camp.store, now=camp.now) == 0


def test_more_people_than_fit_into_one_transaction_all_become_due(
    camp: Camp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.server.abdm.gathering._GATHERED_AT_ONCE", 2)
    for number in range(5):
        camp.person(aadhaar(number))
    assert gather(camp.store, now=camp.now) == 5


def test_a_claimed_job_is_nobody_elses_until_its_lease_ends(camp: Camp) -> None:
    record = camp.person(aadhaar(1))
    (mine,) = camp.claim(worker="w1")
    assert (mine.enrollment, mine.version, mine.attempts) == (record, 1, 0)
    assert camp.claim(worker="w2") == []
    camp.office.now += 121
    (theirs,) = camp.claim(worker="w2")
    assert theirs.enrollment == record


def test_a_request_renews_the_lease_and_a_lost_claim_keeps_it_from_leaving(camp: Camp) -> None:
    camp.person(aadhaar(1))
    (mine,) = camp.claim(worker="w1")
    camp.office.now += 100
    with camp.store.write() as connection:
        keep_claim(connection, mine, now=camp.now)
    camp.office.now += 100
    assert camp.claim(worker="w2") == []
    camp.office.now += 21
    assert len(camp.claim(worker="w2")) == 1
    with pytest.raises(ClaimLost), camp.store.write() as connection:
        keep_claim(connection, mine, now=camp.now)


def test_what_was_postponed_comes_back_later_and_waits_longer_each_time(camp: Camp) -> None:
    record = camp.person(aadhaar(1))
    for attempt in range(3):
        (claim,) = camp.claim()
        assert claim.attempts == attempt
        with camp.store.write() as connection:
            due_at = postpone(connection, claim, now=camp.now, code="abdm:wait")
        assert camp.claim() == []
        assert 5_000 <= due_at - camp.now <= 7_500 * 2**attempt
        camp.office.now += (due_at - camp.now) // 1000 + 1
    assert camp.job(record)["code"] == "abdm:wait"


def test_a_clock_that_is_put_right_lets_nobody_wait_for_a_wrong_one(camp: Camp) -> None:
    waiting, held = camp.person(aadhaar(1)), camp.person(aadhaar(2))
    camp.office.now += 365 * 86_400
    claims = {claim.enrollment: claim for claim in camp.claim(2)}
    with camp.store.write() as connection:
        postpone(connection, claims[waiting], now=camp.now, code="abdm:wait")
    camp.office.now -= 365 * 86_400
    assert {claim.enrollment for claim in camp.claim(2)} == {waiting, held}


def test_nobody_waits_longer_than_a_day_nor_is_a_day_taken_for_a_wrong_clock(camp: Camp) -> None:
    camp.person(aadhaar(1))
    (claim,) = camp.claim()
    with camp.store.write() as connection:
        due_at = postpone(connection, claim, now=camp.now + MINUTE, code="", seconds=10**9)
    assert due_at == camp.now + MINUTE + 86_400_000
    assert camp.claim() == []


def test_a_lease_that_a_clock_somewhat_ahead_gave_is_not_taken_for_ended(camp: Camp) -> None:
    camp.person(aadhaar(1))
    camp.office.now += 60
    camp.claim(worker="w1")
    camp.office.now -= 60
    assert camp.claim(worker="w2") == []


def test_whoever_lost_a_claim_does_not_postpone_it_for_the_other(camp: Camp) -> None:
    record = camp.person(aadhaar(1))
    (mine,) = camp.claim(worker="w1")
    camp.office.now += 121
    camp.claim(worker="w2")
    with camp.store.write() as connection:
        postpone(connection, mine, now=camp.now, code="abdm:wait")
    assert camp.job(record)["claimed_by"].startswith("w2#")


def test_a_job_lost_and_taken_again_by_the_same_worker_is_not_the_one_it_had(camp: Camp) -> None:
    record = camp.person(aadhaar(1))
    (lost,) = camp.claim(worker="w1")
    camp.office.now += 121
    (mine,) = camp.claim(worker="w1")
    with camp.store.write() as connection:
        postpone(connection, lost, now=camp.now, code="abdm:wait")
        settle(connection, lost, now=camp.now, version=1)
    with pytest.raises(ClaimLost), camp.store.write() as connection:
        keep_claim(connection, lost, now=camp.now)
    job = camp.job(record)
    assert (job["state"], job["claimed_by"]) == ("due", mine.holder)


def test_a_worker_does_not_take_what_it_is_still_at(camp: Camp) -> None:
    record, other = camp.person(aadhaar(1)), camp.person(aadhaar(2))
    camp.claim(2, worker="w1")
    camp.office.now += 121
    besides = [(record, JobKind.ENROLL), (other, JobKind.LINK)]
    taken = claim_jobs(camp.store, "w1", camp.now, 5, lease_ms=MINUTE, besides=besides)
    assert [claim.enrollment for claim in taken] == [other]


def test_who_was_gathered_and_settled_by_another_worker_meanwhile_stays_settled(
    camp: Camp, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = camp.person(aadhaar(1))
    real = gathering._make_due

    def make_due_late(*found: Any) -> None:
        monkeypatch.setattr(gathering, "_make_due", real)
        connection, kind, row, now = found
        real(connection, kind, row, now)
        connection.exec_driver_sql("UPDATE abdm_jobs SET state = 'settled', code = 'abdm:mismatch'")
        real(connection, kind, row, now)

    monkeypatch.setattr(gathering, "_make_due", make_due_late)
    gather(camp.store, now=camp.now)
    assert (camp.job(record)["state"], camp.job(record)["code"]) == ("settled", "abdm:mismatch")


def test_a_settled_job_comes_back_with_a_newer_version_only(camp: Camp) -> None:
    record = camp.person(aadhaar(1))
    (claim,) = camp.claim()
    with camp.store.write() as connection:
        settle(connection, claim, now=camp.now, version=1, code="abdm:mismatch")
    assert camp.claim() == []
    camp.amend(record, name="Marked Zebra Quoll")
    (again,) = camp.claim()
    assert (again.version, again.attempts, again.code) == (2, 0, "")


def test_links_are_due_once_their_person_has_a_number(camp: Camp) -> None:
    record = camp.person(aadhaar(1))
    camp.bring(camp.laptop.link(record))
    (claim,) = camp.claim(2)
    assert claim.kind is JobKind.ENROLL
    camp.issue(record, "00-1234-5678-9012")
    (link,) = camp.claim(2)
    assert (link.kind, link.enrollment) == (JobKind.LINK, record)


def test_a_link_that_comes_later_makes_a_settled_job_due_again(camp: Camp) -> None:
    record = camp.person(aadhaar(1))
    camp.claim()
    camp.issue(record, "00-1234-5678-9012")
    camp.bring(camp.laptop.link(record))
    (claim,) = camp.claim()
    with camp.store.write() as connection:
        connection.exec_driver_sql("UPDATE links SET state = 'LINKED'")
        settle(connection, claim, now=camp.now, version=1)
    assert camp.claim() == []
    camp.bring(camp.laptop.link(record, reference="OPD-2"))
    assert [each.kind for each in camp.claim()] == [JobKind.LINK]


def test_waking_makes_a_waiting_job_due_and_no_settled_one(camp: Camp) -> None:
    record, other = camp.person(aadhaar(1)), camp.person(aadhaar(2))
    first, second = camp.claim(2)
    with camp.store.write() as connection:
        postpone(connection, first, now=camp.now, code="", seconds=900)
        settle(connection, second, now=camp.now, version=1)
        wake(connection, record, JobKind.ENROLL, now=camp.now)
        wake(connection, other, JobKind.ENROLL, now=camp.now)
    assert [claim.enrollment for claim in camp.claim(2)] == [first.enrollment]


def test_a_worker_that_ends_gives_back_what_it_did_not_begin(camp: Camp) -> None:
    camp.person(aadhaar(1))
    camp.claim(worker="w1")
    with camp.store.write() as connection:
        release_claims(connection, "w1", now=camp.now)
    assert len(camp.claim(worker="w2")) == 1


def test_a_small_district_is_served_beside_a_large_one(camp: Camp) -> None:
    for number in range(12):
        camp.person(aadhaar(number), **in_district(10))
    camp.office.now += 60
    for number in range(12, 15):
        camp.person(aadhaar(number), **in_district(20))
    districts = [claim.district for claim in camp.claim(6)]
    assert Counter(districts) == {10: 3, 20: 3}


def test_with_more_districts_than_places_everyone_has_a_turn(camp: Camp) -> None:
    for number in range(24):
        camp.person(aadhaar(number), **in_district(number % 8 + 1))
    gather(camp.store, now=camp.now)
    served, after = [], -1
    for _ in range(4):
        claims = claim_jobs(camp.store, "w1", camp.now, 2, lease_ms=MINUTE, after=after)
        after = claims[-1].district
        served += [claim.district for claim in claims]
    assert served == [1, 2, 3, 4, 5, 6, 7, 8]


def test_within_a_district_the_oldest_comes_first(camp: Camp) -> None:
    records = []
    for number in range(4):
        records.append(camp.person(aadhaar(number)))
        camp.office.now += 1
    assert [claim.enrollment for claim in camp.claim(4)] == records


def test_workers_that_claim_at_once_never_get_the_same(camp: Camp) -> None:
    for number in range(30):
        camp.person(aadhaar(number))
    gather(camp.store, now=camp.now)

    def claim(worker: int) -> list[str]:
        taken = claim_jobs(camp.store, f"w{worker}", camp.now, 10, lease_ms=MINUTE)
        return [each.enrollment for each in taken]

    with ThreadPoolExecutor(6) as pool:
        records = [record for taken in pool.map(claim, range(6)) for record in taken]
    assert len(records) == len(set(records))
    assert len(records) >= 10


@pytest.mark.parametrize(
    ("attempts", "dice", "seconds"),
    [(0, 0.0, 5), (0, 1.0, 7.5), (3, 0.0, 20), (3, 1.0, 40), (50, 0.0, 450), (50, 1.0, 900)],
)
def test_the_back_off_stays_between_five_seconds_and_fifteen_minutes(
    attempts: int, dice: float, seconds: float
) -> None:
    assert back_off(attempts, lambda: dice) == seconds


def test_the_back_off_grows_to_a_day_where_that_is_wanted() -> None:
    waits = [back_off(attempts, lambda: 1.0, seconds_max=86_400) for attempts in range(20)]
    assert waits == sorted(waits)
    assert waits[-1] == 86_400
