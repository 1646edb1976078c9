"""A day at ABDM: two laptops, bad weather, workers that are killed in the middle of everything.

What must be so at its end is read from the practice ABDM's own journal, not from what we wrote.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from journey_camp import Laptop, Office, open_office, write_rows
from journey_people import corpus, people
from journey_search import files_under, find_marks, forms_of_number, numbers_in
from journey_worker import Killer, Nursery, Workers, configure, moments, rows_of
from practice_abdm import PracticeAbdm, practice_abdm
from sync.server.sandbox.rules import FULL_MOBILE, Rule, number_for

pytestmark = [pytest.mark.xdist_group("journey-abha-day"), pytest.mark.slow]

_ENDS = {
    Rule.MISMATCH: ("RETURNED", "abdm:mismatch"),
    Rule.EXISTING: ("DUPLICATE", "abdm:exists"),
    Rule.DEACTIVATED: ("NEEDS_PERSON", "abdm:deactivated"),
    Rule.REVIEW: ("NEEDS_PERSON", "abdm:exists-unnamed"),
    Rule.UNKNOWN_CODE: ("RETURNED", "abdm:unknown ABDM-4711"),
}
"""Of whom ABDM says something special, and what must come of it here."""


@dataclass(slots=True, kw_only=True)
class Day:
    """What was brought, and what came of it."""

    office: Office
    workers: Workers
    abdm: PracticeAbdm
    killer: Killer
    laptops: list[Laptop] = field(default_factory=list)
    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Record id -> the row as it was typed."""
    rounds: int = 0

    def bring(self, rows: list[dict[str, Any]], folder: Path) -> None:
        """Let two laptops take everybody down, some of them twice, and sync."""
        middle, twice = len(rows) // 2, len(rows) // 30
        for name, part in (("a", rows[: middle + twice]), ("b", rows[middle - twice :])):
            laptop = self.office.laptop(folder / name)
            told = laptop.run("enroll", write_rows(folder / f"{name}.jsonl", part), "--json")
            assert [row["ok"] for row in told.rows] == [True] * len(part), told
            self.rows |= {row["id"]: part[row["row"] - 1] for row in told.rows}
            assert laptop.run("sync", "--json").code == 0
            self.laptops.append(laptop)

    def spend(self) -> None:
        with self.killer.listening(self.abdm):
            self.rounds = self.workers.run_until(self.is_over)
        for laptop in self.laptops:
            assert laptop.run("sync", "--json").code == 0

    def is_over(self) -> bool:
        waiting = "SELECT count(*) AS n FROM enrollments WHERE state = 'ACCEPTED'"
        return bool(rows_of(self.office.home, waiting)[0]["n"] == 0)

    @property
    def people(self) -> dict[str, Mapping[str, Any]]:
        query = "SELECT * FROM enrollments JOIN abdm_jobs USING (enrollment) WHERE kind = 'enroll'"
        jobs = {row["enrollment"]: row for row in rows_of(self.office.home, query)}
        states = {
            row["enrollment"]: row["state"]
            for row in rows_of(self.office.home, "SELECT enrollment, state FROM enrollments")
        }
        return {ident: {**job, "state": states[ident]} for ident, job in jobs.items()}

    @property
    def exchanges(self) -> dict[str, list[Mapping[str, Any]]]:
        found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows_of(self.office.home, "SELECT * FROM abdm_exchanges ORDER BY number"):
            found[row["enrollment"]].append(row)
        return found


def with_special_people(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let some of them be people of whom the practice ABDM says something special."""
    numbered = [row for row in rows if row["aadhaar"] is not None]
    special = numbered[3::7]
    for place, (row, rule) in enumerate(zip(special, [*_ENDS, *_ENDS], strict=False)):
        row["aadhaar"] = number_for(rule, place // len(_ENDS))
    numbered[1] |= {"mobile": FULL_MOBILE, "mobile_owner": "family"}
    return rows


@pytest.fixture(scope="module", params=["corpus", "invented"])
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp(request.param)
    intake = corpus()
    if request.param == "corpus" and intake is None:
        pytest.skip("the shared camp corpus is not on this machine")
    rows = intake.rows if request.param == "corpus" and intake else people(0, 60)
    with (
        open_office(folder / "office") as office,
        practice_abdm(faults="some", seed=4) as abdm,
    ):
        configure(office.home, abdm, lease_seconds=30)
        (folder / "tmp").mkdir()
        workers = Workers(
            home=office.home, temporary=folder / "tmp", nursery=Nursery(office.home, folder / "tmp")
        )
        killer = Killer(workers, moments(5, 5 + len(rows) // 100, 6 * len(rows)))
        day = Day(office=office, workers=workers, abdm=abdm, killer=killer)
        day.bring(with_special_people(rows), folder)
        try:
            day.spend()
            yield day
        finally:
            workers.end()


def test_workers_were_killed_at_different_steps(day: Day) -> None:
    assert sum(day.killer.killed.values()) >= 4
    assert len(day.killer.killed) >= 2
    fates = Counter(call["fate"] for call in day.abdm.calls())
    assert len(fates) > 5, "the weather was bad"


def test_everybody_ends_where_they_should(day: Day) -> None:
    wrong = []
    rules = {number_for(rule, serial): end for rule, end in _ENDS.items() for serial in range(10)}
    for ident, person in day.people.items():
        row = day.rows[ident]
        if row["aadhaar"] is None:
            code = "person:parent" if row["birth"]["year"] > 2008 else "person:document"
            expected = {("NEEDS_PERSON", code)}
        elif row["mobile"] == FULL_MOBILE:
            expected = {("RETURNED", "abdm:mobile-full")}
        else:
            expected = {rules.get(row["aadhaar"], ("ISSUED", ""))}
        if ("DUPLICATE", "abdm:exists") in expected or is_twice(day, row):
            expected |= {("DUPLICATE", "abdm:exists"), ("ISSUED", "")}
        if (person["state"], person["code"]) not in expected:
            wrong.append((person["state"], person["code"], sorted(expected)))
    assert wrong == []
    assert day.people.keys() == day.rows.keys()


def is_twice(day: Day, row: Mapping[str, Any]) -> bool:
    same = [other for other in day.rows.values() if other["aadhaar"] == row["aadhaar"]]
    return len(same) > 1


def test_nobody_has_two_accounts(day: Day) -> None:
    creations = {person: told["creations"] for person, told in day.abdm.people.items()}
    assert max(creations.values()) == 1
    with_number = {
        day.rows[ident]["aadhaar"]: person["abha_number"]
        for ident, person in day.people.items()
        if person["abha_number"]
    }
    accounts = {account["person"]: account["abha_number"] for account in day.abdm.accounts}
    digest = day.abdm.sandbox.journal.digest
    assert {digest(aadhaar): number for aadhaar, number in with_number.items()} == accounts


def test_whoever_was_created_for_them_is_issued_and_nobody_else_is(day: Day) -> None:
    """ISSUED is the enrollment for which the account was made, whatever became of the reply."""
    made = {call["request_id"] for call in day.abdm.calls() if call["outcome"] == "created"}
    for ident, exchanges in day.exchanges.items():
        state = day.people[ident]["state"]
        asks = [each for each in exchanges if each["step"] == "demo-auth"]
        if any(each["request_id"] in made for each in asks):
            assert state == "ISSUED", asks
        elif state == "ISSUED":
            assert any(each["ending"] in {None, "unknown"} for each in asks), asks


def test_nobody_is_asked_for_once_their_number_is_known(day: Day) -> None:
    for exchanges in day.exchanges.values():
        asks = [each for each in exchanges if each["step"] == "demo-auth"]
        assert [each["ending"] for each in asks[:-1] if each["ending"] == "done"] == []


def test_whoever_was_asked_for_after_the_answer_had_left_was_asked_for_by_a_killed_worker(
    day: Day,
) -> None:
    """The practice ABDM counts what follows a whole reply; only a worker's death explains it."""
    digest = day.abdm.sandbox.journal.digest
    for ident, exchanges in day.exchanges.items():
        row = day.rows[ident]
        if is_twice(day, row) or not day.abdm.people[digest(row["aadhaar"])]["asks_after_grant"]:
            continue
        asks = [each for each in exchanges if each["step"] == "demo-auth"]
        assert any(each["ending"] is None for each in asks), asks


def test_every_request_was_written_down_before_it_left(day: Day) -> None:
    known = {each["request_id"] for all_ in day.exchanges.values() for each in all_}
    left = {
        call["request_id"]
        for call in day.abdm.calls()
        if call["route"] in {"enrol", "qr", "card"} and call["request_id"]
    }
    assert left
    assert left <= known


def test_the_sealed_numbers_of_who_has_a_number_are_gone(day: Day) -> None:
    day.workers.run_until(lambda: True, beside=1)
    kept = {row["enrollment"] for row in rows_of(day.office.home, "SELECT * FROM sealed_ids")}
    with_number = {ident for ident, person in day.people.items() if person["abha_number"]}
    assert kept & with_number == set()


def test_both_laptops_know_what_the_office_knows(day: Day) -> None:
    people = day.people
    for laptop in day.laptops:
        ids = laptop.ids()
        expected = Counter(people[ident]["state"] for ident in ids)
        told = {state: n for state, n in laptop.status()["by_state"].items() if n}
        assert told == expected
        with laptop.unlocked() as kit:
            for ident in ids[:20]:
                page = kit.people.page(ident)
                assert page.abha_number == people[ident]["abha_number"]
                if people[ident]["code"]:
                    assert page.reason is None or page.reason.code == people[ident]["code"]


def test_no_file_holds_a_readable_aadhaar_number(day: Day) -> None:
    numbers = {row["aadhaar"] for row in day.rows.values() if row["aadhaar"]}
    thorough = {
        f"number {place}": forms_of_number(each) for place, each in enumerate([*numbers][:3])
    }
    files = dict(files_under(day.office.home, day.workers.temporary))
    assert any(path.endswith("enrollkit-server.db") for path in files)
    assert any(path.endswith("worker.log") for path in files)
    for path, data in files.items():
        assert numbers_in(data) & numbers == set(), path
        assert find_marks(data, thorough) == [], path


def test_no_exchange_and_no_log_names_anybody(day: Day) -> None:
    names = {name for row in day.rows.values() for name in row["name"].split() if len(name) > 4}
    mobiles = {row["mobile"] for row in day.rows.values() if row["mobile"]}
    texts = [day.workers.log.read_text(encoding="utf-8")]
    for exchanges in day.exchanges.values():
        texts += [f"{each['request']} {each['response']}" for each in exchanges]
    words = set(json.dumps(texts, ensure_ascii=False).replace("\\", " ").replace('"', " ").split())
    assert (names | mobiles) & words == set()
