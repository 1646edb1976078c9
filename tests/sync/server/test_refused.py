"""What ABDM refused and no laptop can mend is counted and listed at the office."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete
from typer.testing import CliRunner

from link_office import LinkCamp
from server_laptops import Office
from sync.server import cli
from sync.server.abdm.calls import Effect
from sync.server.abdm.jobs import settle
from sync.server.abdm.outcomes import ask_for_person, give_back
from sync.server.abdm.standing import read_abdm_standing, standing_lines
from sync.server.refused import REFUSED_WORDS, is_for_the_office
from sync.server.store.tables import feed

Run = Callable[..., str]


@pytest.fixture
def camp(office: Office) -> LinkCamp:
    return LinkCamp(office)


@pytest.fixture
def run(office: Office) -> Run:
    def run_command(*arguments: str) -> str:
        home = ["--home", str(office.settings.home)]
        result = CliRunner().invoke(cli.cli, [*arguments, *home], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run_command


def came_back(camp: LinkCamp, code: str, /, **changes: object) -> str:
    """Let ABDM refuse somebody as the worker writes it down."""
    record = camp.person(**changes)
    [claim] = [one for one in camp.claim(50) if one.enrollment == record]
    with camp.store.write() as connection:
        give_back(connection, record, code=code, pointer="", now=camp.now)
        settle(connection, claim, now=camp.now, version=1, code=code)
    return record


def not_linked(camp: LinkCamp, code: str, **changes: object) -> str:
    """Let ABDM refuse one record of a person, and give the record's id."""
    _, [link] = camp.linked_person(**changes)
    camp.advance()
    camp.call_back(camp.client.said[-1])
    camp.advance()
    camp.call_back(camp.client.said[-1], code)
    assert camp.states()[link] == "RETURNED"
    return link


def listed(run: Run, *arguments: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run("calls", "--refused", "--json", *arguments))
    return found


def test_what_a_correction_answers_is_with_the_laptops_and_all_else_with_the_office(
    camp: LinkCamp, run: Run
) -> None:
    for code in ("abdm:mismatch", "abdm:mobile-full", "aadhaar:missing", "abdm:name"):
        came_back(camp, code)
    unforeseen = came_back(camp, "abdm:unknown ABDM-4711", camp="Okapipur-1")
    child = came_back(camp, "abdm:child", camp="Ajgar-2")
    found = listed(run)
    assert [(one["id"], one["camp"], one["code"]) for one in found] == [
        (child, "Ajgar-2", "abdm:child"),
        (unforeseen, "Okapipur-1", "abdm:unknown ABDM-4711"),
    ]
    assert {(one["what"], one["since"]) for one in found} == {("person", camp.office.now)}
    assert [one["id"] for one in listed(run, "--camp", "Ajgar-2")] == [child]


def test_a_record_that_could_not_be_linked_is_listed_with_its_facility(
    camp: LinkCamp, run: Run
) -> None:
    link = not_linked(camp, "ABDM-1043")
    [one] = listed(run)
    assert (one["what"], one["link"], one["code"]) == ("record", link, "link:kyc")
    assert one["why"] == REFUSED_WORDS["link:kyc"]
    assert one["since"] == camp.office.now
    text = run("calls", "--refused")
    assert f"record of {one['facility']}, since" in text
    assert str(one["provisional"]) in text
    [row] = csv.DictReader(io.StringIO(run("calls", "--refused", "--csv")))
    assert row["code"] == "link:kyc"


def test_a_record_of_which_no_laptop_was_told_is_listed_all_the_same(
    camp: LinkCamp, run: Run
) -> None:
    not_linked(camp, "ABDM-1043")
    with camp.store.write() as connection:
        connection.execute(delete(feed))
    [one] = listed(run)
    assert (one["code"], one["since"]) == ("", None)
    assert "not known" in str(one["why"])
    assert "[?]" in run("calls", "--refused")


def test_records_of_who_withdrew_and_removed_ones_are_nobodys_work(
    camp: LinkCamp, run: Run
) -> None:
    record, [link] = camp.linked_person()
    camp.client.script = ["ABDM-1043"]
    camp.advance()
    assert camp.states()[link] == "RETURNED"
    assert len(listed(run)) == 1
    camp.withdraw(record)
    assert listed(run) == []
    assert json.loads(run("status", "--json"))["abdm"]["refused"] == {"people": 0, "records": 0}


def test_status_counts_both_and_says_where_they_are(camp: LinkCamp, run: Run) -> None:
    assert "refused" not in run("status")
    came_back(camp, "abdm:unknown ABDM-4711")
    came_back(camp, "abdm:mismatch")
    not_linked(camp, "ABDM-1043")
    assert json.loads(run("status", "--json"))["abdm"]["refused"] == {"people": 1, "records": 1}
    told = "ABDM refused, to be looked at: 1 person, 1 record (see: calls --refused)\n"
    assert told in run("status")


def test_nothing_refused_is_said(office: Office, run: Run) -> None:
    assert "nothing" in run("calls", "--refused")
    assert listed(run) == []


def test_the_list_names_nobody(camp: LinkCamp, run: Run) -> None:
    came_back(camp, "abdm:unknown ABDM-4711", name="Abida Pangolin", mobile="9123456780")
    for form in ((), ("--csv",), ("--json",)):
        told = run("calls", "--refused", *form)
        assert "Pangolin" not in told
        assert "9123456780" not in told


def test_every_reason_of_a_refusal_that_is_left_to_the_office_has_words() -> None:
    path = Path(cli.__file__).parent / "data/abdm_refusals.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    kinds = {Effect.LOOK.value, Effect.DONE.value}
    of_people = {row["reason"] for row in rows if row["module"] != "M2" and row["effect"] in kinds}
    asked = {*kinds, Effect.RETURN.value}
    of_links = {row["reason"] for row in rows if row["module"] == "M2" and row["effect"] in asked}
    reasons = {each for each in of_people | of_links if not each.startswith("abdm:unknown")}
    assert reasons | {"link:token"} == set(REFUSED_WORDS)
    assert all(is_for_the_office(each) for each in of_people)
    assert all(words.endswith(".") for words in REFUSED_WORDS.values())


def test_export_says_why_somebody_came_back_or_is_to_be_called(
    camp: LinkCamp, run: Run, tmp_path: Path
) -> None:
    back, waiting = came_back(camp, "abdm:mismatch"), camp.person()
    called = camp.person()
    [claim] = [one for one in camp.claim(50) if one.enrollment == called]
    with camp.store.write() as connection:
        ask_for_person(connection, called, code="person:otp", pointer="", now=camp.now)
        settle(connection, claim, now=camp.now, version=1, code="person:otp")
    run("export", "-o", str(tmp_path / "people.jsonl"))
    rows = map(json.loads, (tmp_path / "people.jsonl").read_text().splitlines())
    assert {row["id"]: row["reason"] for row in rows} == {
        back: "abdm:mismatch",
        waiting: None,
        called: "person:otp",
    }


@pytest.mark.parametrize(
    ("retrying", "words"),
    [
        (0, "Waiting for an ABHA number: 4"),
        (1, "Waiting for an ABHA number: 4 (1 was tried and is tried again)"),
        (3, "Waiting for an ABHA number: 4 (3 were tried and are tried again)"),
    ],
)
def test_status_counts_in_good_grammar(camp: LinkCamp, retrying: int, words: str) -> None:
    with camp.store.read() as connection:
        standing = read_abdm_standing(connection, now=camp.now)
    refused = {"people": 0, "records": 2}
    standing |= {"waiting": 4, "retrying": retrying, "links_waiting": 2, "refused": refused}
    lines = standing_lines(standing)
    assert lines[0] == words
    assert "Records to be linked: 2" in lines
    assert "ABDM refused, to be looked at: 0 people, 2 records (see: calls --refused)" in lines
