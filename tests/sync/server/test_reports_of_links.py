from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from typer.testing import CliRunner

from link_office import LinkCamp
from server_laptops import Office
from sync.server import cli
from sync.server.abdm.jobs import settle
from sync.server.abdm.outcomes import ask_for_person
from sync.server.calling import people_to_call
from sync.server.errors import FacilitiesInvalid, FileUnusable, SettingsInvalid
from sync.server.incentive import (
    Facility,
    Standing,
    count_linked,
    load_rules,
    read_facilities,
    report,
)
from sync.server.store.tables import links

HOSPITAL = "IN0123456789"
LABORATORY = "IN1123456789"
MAY = 1_746_037_800_000
"""The first moment of May 2025 in India, which is still April in London."""

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


def linked(camp: LinkCamp, count: int, *, at: int = MAY, facility: str = HOSPITAL) -> list[str]:
    _, ids = camp.linked_person(count, facility=facility)
    with camp.store.write() as connection:
        mine = update(links).where(links.c.link.in_(ids))
        connection.execute(mine.values(state="LINKED", linked_at=at))
    return ids


def write_register(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["facility,kind,beds", *lines]) + "\n", encoding="utf-8")
    return path


def test_every_rule_has_a_date_and_a_source() -> None:
    path = Path(cli.__file__).parent / "data/incentive_rules.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    for rule in raw["rules"]:
        assert date.fromisoformat(rule["from"]) >= date(2023, 1, 1)
        assert rule["sources"]
    assert any("not found" in note for note in raw["notes"])


def test_a_month_is_indias(camp: LinkCamp) -> None:
    linked(camp, 2)
    linked(camp, 1, at=MAY - 1)
    with camp.store.read() as connection:
        assert count_linked(connection) == {("2025-05", HOSPITAL): 2, ("2025-04", HOSPITAL): 1}
        assert count_linked(connection, month="2025-04") == {("2025-04", HOSPITAL): 1}


def test_what_is_not_linked_or_was_taken_away_does_not_count(camp: LinkCamp) -> None:
    record, [taken, _] = camp.linked_person(2)
    kept = linked(camp, 1)
    camp.remove(record, taken)
    with camp.store.write() as connection:
        connection.execute(update(links).where(links.c.link == taken).values(linked_at=MAY))
    with camp.store.read() as connection:
        assert count_linked(connection).total() == len(kept)


@pytest.mark.parametrize(
    ("facility", "linked_records", "base", "rupees"),
    [
        (Facility(kind="hospital", beds=10), 499, 500, 0),
        (Facility(kind="hospital", beds=10), 500, 500, 0),
        (Facility(kind="hospital", beds=10), 501, 500, 20),
        (Facility(kind="hospital", beds=40), 2100, 2000, 2000),
        (Facility(kind="laboratory", beds=0), 600, 500, 1500),
        (Facility(kind="clinic", beds=0), 150, 100, 1000),
    ],
)
def test_only_what_is_above_the_base_level_earns(
    facility: Facility, linked_records: int, base: int, rupees: int
) -> None:
    counts = {("2025-05", HOSPITAL): linked_records}
    [row] = report(counts, {HOSPITAL: facility}, load_rules())
    assert (row.base, row.rupees, row.standing) == (base, rupees, Standing.KNOWN)
    assert row.company_rupees == rupees / 4


@pytest.mark.parametrize(
    ("month", "facility", "standing"),
    [
        ("2025-06", Facility(kind="hospital", beds=10), Standing.KNOWN),
        ("2025-07", Facility(kind="hospital", beds=10), Standing.UNSURE),
        ("2022-12", Facility(kind="hospital", beds=10), Standing.NO_RULE),
        ("2025-05", Facility(kind="hospital", beds=9), Standing.NO_RULE),
        ("2023-03", Facility(kind="clinic", beds=0), Standing.NO_RULE),
        ("2023-04", Facility(kind="clinic", beds=0), Standing.KNOWN),
        ("2025-05", Facility(kind="pharmacy", beds=0), Standing.NO_RULE),
        ("2025-05", None, Standing.UNKNOWN_KIND),
    ],
)
def test_the_report_says_how_sure_it_is(
    month: str, facility: Facility | None, standing: Standing
) -> None:
    register = {} if facility is None else {HOSPITAL: facility}
    [row] = report({(month, HOSPITAL): 7}, register, load_rules())
    assert row.standing is standing
    assert (row.rupees is None) == (standing in {Standing.NO_RULE, Standing.UNKNOWN_KIND})


@given(st.integers(0, 100_000), st.integers(10, 2000))
def test_nobody_earns_below_the_base_and_never_less_for_more(count: int, beds: int) -> None:
    register = {HOSPITAL: Facility(kind="hospital", beds=beds)}
    rules = load_rules()
    [row] = report({("2025-05", HOSPITAL): count}, register, rules)
    [more] = report({("2025-05", HOSPITAL): count + 1}, register, rules)
    assert row.rupees is not None
    assert more.rupees is not None
    assert 0 <= row.rupees <= more.rupees <= row.rupees + 20
    assert (row.rupees == 0) == (count <= 50 * beds)


@pytest.mark.parametrize(
    "line",
    [
        "IN012345678,hospital,10", "IN0123456789,temple,10", "IN0123456789,hospital,-1",
        "IN0123456789,hospital,ten", "IN0123456789,hospital,99999", "IN0123456789,hospital,²",
        "IN0123456789", '"IN0123456789', "IN0123456789,hospital,1\nIN0123456789,hospital,1",
    ],
)  # fmt: skip
def test_a_list_of_facilities_that_is_not_right_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(FacilitiesInvalid):
        read_facilities(write_register(tmp_path / "f.csv", line))


def test_a_list_of_facilities_may_lack_beds_but_no_column(tmp_path: Path) -> None:
    found = read_facilities(write_register(tmp_path / "f.csv", f"{LABORATORY},laboratory,"))
    assert found == {LABORATORY: Facility(kind="laboratory", beds=0)}
    (tmp_path / "g.csv").write_bytes(b"facility;kind\n")
    (tmp_path / "h.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("g.csv", "h.csv"):
        with pytest.raises(FacilitiesInvalid):
            read_facilities(tmp_path / name)
    with pytest.raises(FileUnusable):
        read_facilities(tmp_path / "none.csv")


def test_the_command_prints_table_csv_and_json(camp: LinkCamp, run: Run) -> None:
    linked(camp, 3)
    linked(camp, 2, facility=LABORATORY, at=MAY + 90 * 86_400_000)
    register = camp.office.settings.home / "facilities.csv"
    assert "facilities.csv" in run("report", "incentive")
    write_register(register, f"{HOSPITAL},clinic,0", f"{LABORATORY},laboratory,0")
    table = run("report", "incentive")
    assert "2025-05" in table
    assert "rules of this month not known" in table
    assert "was not found" in table
    rows = list(csv.DictReader(io.StringIO(run("report", "incentive", "--csv"))))
    assert [row["linked"] for row in rows] == ["3", "2"]
    found = json.loads(run("report", "incentive", "--json", "--month", "2025-05"))
    assert found["rules_known_until"] == "2025-06-30"
    assert [(row["facility"], row["linked"], row["rupees"]) for row in found["rows"]] == [
        (HOSPITAL, 3, 0)
    ]


def test_the_notes_of_the_report_fit_a_terminal(camp: LinkCamp, run: Run) -> None:
    linked(camp, 1)
    lines = run("report", "incentive").splitlines()
    assert max(len(line) for line in lines if line.startswith(("* ", "  "))) <= 80
    told = " ".join(line.strip() for line in lines)
    assert all(f"* {note}" in told for note in load_rules().notes), "none is cut"


def test_a_report_without_links_says_so(office: Office, run: Run) -> None:
    assert "No record is linked yet." in run("report", "incentive")
    assert json.loads(run("report", "incentive", "--json"))["rows"] == []


@pytest.mark.parametrize("month", ["2025-13", "2025", "25-05", "x"])
def test_a_month_that_is_none_is_refused(office: Office, month: str) -> None:
    arguments = ["report", "incentive", "--month", month, "--home", str(office.settings.home)]
    with pytest.raises(SettingsInvalid):
        CliRunner().invoke(cli.cli, arguments, catch_exceptions=False)


def call(camp: LinkCamp, /, **changes: object) -> str:
    """Put somebody on the list as the worker does."""
    record = camp.person(**changes)
    [claim] = [one for one in camp.claim(50) if one.enrollment == record]
    with camp.store.write() as connection:
        ask_for_person(
            connection,
            record,
            code="person:otp",
            pointer="",
            now=camp.now,
            call_at=camp.now // 1000 + 3600,
        )
        settle(connection, claim, now=camp.now, version=1, code="person:otp")
    return record


def test_who_is_to_be_called_is_listed_with_why_and_since_when(camp: LinkCamp, run: Run) -> None:
    first = call(camp, camp="Okapipur-1", name="Abida Pangolin")
    camp.wait(60)
    call(camp, camp="Ajgar-2", mobile=None, mobile_owner="none")
    camp.person()
    with camp.store.read() as connection:
        people = list(people_to_call(connection))
    assert [one.camp for one in people] == ["Ajgar-2", "Okapipur-1"]
    found = people[1]
    assert (found.id, found.code, found.mobile) == (first, "person:otp", "9123456780")
    assert (found.since, found.call_at) == (camp.office.now - 60, camp.office.now - 60 + 3600)
    assert "Pangolin" not in repr(found)
    text = run("calls")
    assert "Abida Pangolin" in text
    assert "no mobile" in text
    assert "one-time code" in text
    rows = list(csv.DictReader(io.StringIO(run("calls", "--csv", "--camp", "Okapipur-1"))))
    assert [row["name"] for row in rows] == ["Abida Pangolin"]
    assert [one["id"] for one in json.loads(run("calls", "--json"))] == [
        one["id"] for one in map(dataclasses.asdict, people)
    ]


def test_nobody_to_call_is_said(office: Office, run: Run) -> None:
    assert run("calls") == "Nobody has to be called.\n"
    assert json.loads(run("calls", "--json")) == []


def test_no_cell_is_a_formula_to_a_spreadsheet(camp: LinkCamp, run: Run) -> None:
    call(camp, camp="=HYPERLINK(1)", address={**camp_address(), "village": "@SUM(1)"})
    [row] = list(csv.DictReader(io.StringIO(run("calls", "--csv"))))
    assert row["camp"] == "'=HYPERLINK(1)"
    assert row["village"] == "'@SUM(1)"


def camp_address() -> dict[str, object]:
    return {"line": "x", "village": "y", "pincode": "110001", "state": 7, "district": 77}
