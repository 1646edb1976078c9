"""A camp's day, command by command: files in, every fault met, everybody at the server once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

import schemas
from journey_camp import Laptop, Office, Outcome, open_office
from journey_people import Intake, corpus, invented
from sync.protocol import Outcome as Verdict
from sync.sealing import open_receipt

pytestmark = pytest.mark.xdist_group("journey-camp-day")

EXPECTATIONS = ("refuse", "review", "normalise", "accept")


@dataclass(slots=True, kw_only=True)
class Day:
    """What was typed, in this order, and what each command answered."""

    intake: Intake
    office: Office
    laptop: Laptop
    answers: dict[str, Outcome] = field(default_factory=dict)

    def spend(self) -> None:
        told, intake = self.answers, self.intake
        for name, file in (("clean", intake.people), ("dirty", intake.dirty)):
            told[name] = self.laptop.run("enroll", file, "--json")
        for name, file in (("clean again", intake.people), ("dirty again", intake.dirty)):
            told[name] = self.laptop.run("enroll", file, "--json")
        told["status before"] = self.laptop.run("status", "--json")
        told["sync people"] = self.laptop.run("sync", "--json")
        for name in ("links", "links again"):
            told[name] = self.laptop.run("link", "--from", intake.links, "--json")
        told["sync links"] = self.laptop.run("sync", "--json")
        told["sync nothing"] = self.laptop.run("sync", "--json")
        told["status"] = self.laptop.run("status", "--json")

    def ids(self, name: str) -> dict[int, str]:
        """Row number -> record id of those that were saved."""
        return {row["row"]: row["id"] for row in self.answers[name].rows if row["ok"]}

    def saved(self) -> dict[str, dict[str, Any]]:
        """Record id -> the row as it should be stored."""
        rows = dict(enumerate(self.intake.rows, start=1))
        people = {ident: rows[number] for number, ident in self.ids("clean").items()}
        values = {one["row"]: one for one in self.intake.faults if one["expect"] == "normalise"}
        for number, ident in self.ids("dirty").items():
            row = self.intake.dirty_rows[number - 1]
            assert row is not None
            if number in values:
                row = {**row, values[number]["pointer"][1:]: values[number]["value"]}
            people[ident] = row
        return people


@pytest.fixture(scope="module", params=["corpus", "invented"])
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp(request.param)
    intake = corpus() if request.param == "corpus" else invented(folder)
    if intake is None:
        pytest.skip("the shared camp corpus is not on this machine")
    with open_office(folder / "office") as office:
        spent = Day(intake=intake, office=office, laptop=office.laptop(folder / "laptop"))
        spent.spend()
        yield spent


def test_every_correct_row_is_saved(day: Day) -> None:
    answer = day.answers["clean"]
    assert (answer.code, answer.err) == (0, "")
    assert [row["row"] for row in answer.rows if row["ok"]] == list(
        range(1, len(day.intake.rows) + 1)
    )
    assert len({row["id"] for row in answer.rows}) == len(day.intake.rows)
    assert len({row["provisional"] for row in answer.rows}) == len(day.intake.rows)


def test_every_line_of_the_dirty_file_is_answered(day: Day) -> None:
    answer = day.answers["dirty"]
    assert answer.code == 1
    assert [row["row"] for row in answer.rows] == list(range(1, len(day.intake.dirty_rows) + 1))
    assert {fault["expect"] for fault in day.intake.faults} == set(EXPECTATIONS)


def test_every_row_without_a_fault_is_saved(day: Day) -> None:
    listed = {fault["row"] for fault in day.intake.faults}
    unlisted = [row for row in day.answers["dirty"].rows if row["row"] not in listed]
    assert unlisted
    assert [row for row in unlisted if not row["ok"]] == []


def test_every_fault_is_blamed_on_its_field(day: Day) -> None:
    answers = {row["row"]: row for row in day.answers["dirty"].rows}
    for fault in day.intake.faults:
        if fault["expect"] not in {"refuse", "review"}:
            continue
        answer = answers[fault["row"]]
        assert not answer["ok"], fault
        assert fault["pointer"] in {problem["pointer"] for problem in answer["problems"]}, fault
        assert all(problem["text"] and problem["code"] for problem in answer["problems"])


def test_what_needs_a_look_waits_as_a_draft_and_what_is_wrong_does_not(day: Day) -> None:
    answers = {row["row"]: row for row in day.answers["dirty"].rows}
    wanted = {one["row"] for one in day.intake.faults if one["expect"] == "review"}
    assert {number for number, row in answers.items() if row.get("draft")} == wanted
    with day.laptop.unlocked() as kit:
        drafts = {draft.id: draft for draft in kit.drafts.list()}
    assert set(drafts) == {answers[number]["draft"] for number in wanted}
    for number in wanted:
        row, draft = day.intake.dirty_rows[number - 1], drafts[answers[number]["draft"]]
        assert row is not None
        assert draft.row["name"] == row["name"]
        assert "aadhaar" not in draft.row


def test_what_was_tidied_is_stored_as_it_should_be(day: Day) -> None:
    tidied = [fault for fault in day.intake.faults if fault["expect"] == "normalise"]
    assert tidied
    for fault in tidied:
        shown = day.laptop.run("show", day.ids("dirty")[fault["row"]], "--json").object
        assert shown["enrollment"][fault["pointer"][1:]] == fault["value"]


def test_a_partial_birth_date_is_taken_as_it_is(day: Day) -> None:
    (fault,) = [one for one in day.intake.faults if one["expect"] == "accept"]
    row = day.intake.dirty_rows[fault["row"] - 1]
    assert row is not None
    shown = day.laptop.run("show", day.ids("dirty")[fault["row"]], "--json").object
    assert shown["enrollment"]["birth"] == row["birth"]


@pytest.mark.parametrize("name", ["clean", "dirty", "links"])
def test_the_same_file_again_gives_the_same_ids(day: Day, name: str) -> None:
    first, again = day.answers[name], day.answers[f"{name} again"]
    assert first.code == again.code
    assert day.ids(name) == day.ids(f"{name} again")
    assert all(row["already"] for row in again.rows if row["ok"])
    drafts = [[row.get("draft") for row in answer.rows] for answer in (first, again)]
    assert drafts[0] == drafts[1]


def test_the_same_file_again_saves_nobody_twice(day: Day) -> None:
    counted = day.answers["status before"].object
    assert counted["total"] == len(day.saved())
    assert counted["drafts"] == sum(one["expect"] == "review" for one in day.intake.faults)
    assert counted["signed_for"] == 0
    assert counted["waiting"] == len(day.saved())


def test_the_server_holds_exactly_those_who_were_saved_field_by_field(day: Day) -> None:
    exported = {row["id"]: row for row in day.office.export()}
    saved = day.saved()
    assert exported.keys() == saved.keys()
    names = [name for name in schemas.load("intake-1")["properties"] if name != "aadhaar"]
    for ident, row in saved.items():
        there = exported[ident]
        assert {name: there[name] for name in names} == {name: row.get(name) for name in names}
        assert "aadhaar" not in there
        assert there["aadhaar_last4"] == (row["aadhaar"][-4:] if row["aadhaar"] else None)


def test_everybody_has_an_accepting_receipt_that_the_server_signed(day: Day) -> None:
    with day.laptop.unlocked() as kit:
        key = kit.programme.signing
        batches, records = kit._open().database.read(
            lambda tx: (
                tx.execute("SELECT number, digest, count, receipt FROM batches").fetchall(),
                tx.execute("SELECT batch, record, kind FROM operations ORDER BY seq").fetchall(),
            )
        )
    signed: Counter[str] = Counter()
    for number, digest, count, raw in batches:
        receipt = open_receipt(bytes(raw), key)
        run = [(record, kind) for batch, record, kind in records if batch == number]
        assert (receipt.batch, receipt.digest, len(receipt.verdicts)) == (
            number, bytes(digest), count,
        )  # fmt: skip
        for (record, kind), verdict in zip(run, receipt.verdicts, strict=True):
            assert verdict.outcome is Verdict.ACCEPTED
            signed[record] += kind == "enrollment.submit"
    assert {record: times for record, times in signed.items() if times} == dict.fromkeys(
        day.saved(), 1
    )


def test_the_first_sync_sends_everybody_and_a_further_one_nothing(day: Day) -> None:
    people, links, nothing = (
        day.answers[name].object for name in ("sync people", "sync links", "sync nothing")
    )
    assert (people["sent"], people["accepted"]) == (len(day.saved()),) * 2
    assert (links["sent"], links["accepted"]) == (len(day.ids("links")),) * 2
    for summary in (people, links, nothing):
        assert (summary["held"], summary["rejected"], summary["duplicate"]) == (0, 0, 0)
        assert summary["waiting"] == 0
    assert (nothing["sent"], nothing["accepted"]) == (0, 0)


def test_both_ends_count_the_same(day: Day) -> None:
    here, there = day.answers["status"].object, day.office.status()
    assert here["total"] == here["signed_for"] == there["enrollments"] == len(day.saved())
    states = {state: count for state, count in here["by_state"].items() if count}
    assert states == there["by_state"] == {"ACCEPTED": len(day.saved())}
    assert (here["waiting"], here["links_waiting"]) == (0, 0)
    assert here["links"] == there["links"] == len(day.ids("links"))


def test_the_links_at_the_server_are_those_of_the_file(day: Day) -> None:
    people, exported = day.ids("clean"), day.office.export("--links")
    rows = day.intake.link_rows
    assert len(day.ids("links")) == len(rows)
    keys = [key for key in rows[0] if key != "person_row"]

    def told(row: dict[str, Any], person: str) -> str:
        return repr([person, *(row[key] for key in keys if key != "observations")]) + repr(
            sorted((row["observations"] or {}).items())
        )

    wanted = sorted(told(row, people[row["person_row"]]) for row in rows)
    assert sorted(told(row, row["enrollment"]) for row in exported) == wanted
