"""Why has somebody no number yet? Every request about them is shown, and nothing of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from link_office import LinkCamp
from schemas.numbers import provisional_number
from server_laptops import Office
from sync.server import cli
from sync.server.abdm.exchange_view import read_exchanges
from sync.server.errors import PersonUnknown

Run = Callable[..., str]


@pytest.fixture
def camp(office: Office) -> LinkCamp:
    return LinkCamp(office)


@pytest.fixture
def run(office: Office) -> Run:
    def run_command(*arguments: str) -> str:
        home = ["--home", str(office.settings.home)]
        result = CliRunner().invoke(
            cli.cli, ["exchanges", *arguments, *home], catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        return result.stdout

    return run_command


def asked(camp: LinkCamp) -> str:
    """Let a link token be asked for and come, and the link be refused by callback."""
    record, _ = camp.linked_person()
    camp.advance()
    camp.wait(2)
    camp.call_back(camp.client.said[0])
    camp.client.script = ["unknown"]
    camp.advance()
    camp.wait(2)
    camp.call_back(camp.client.said[-1], "ABDM-1043")
    camp.linked_person()
    camp.advance()
    return record


def test_every_request_is_shown_in_order_with_its_ending_and_callback(
    camp: LinkCamp, run: Run
) -> None:
    record = asked(camp)
    [person] = json.loads(run(record, "--json"))
    assert (person["id"], person["provisional"]) == (record, provisional_number(record))
    token, link = person["exchanges"]
    assert (token["step"], token["ending"], token["status"]) == ("link-token", "done", 202)
    assert (token["code"], token["callback_code"]) == ("", "")
    assert token["called_back_at"] - token["begun_at"] == 2000
    assert (link["step"], link["ending"], link["status"]) == ("link-contexts", "unknown", None)
    assert link["callback_code"] == "ABDM-1043"
    assert link["request_id"] == camp.client.said[1].request_id
    lines = run(record).splitlines()
    assert lines[0] == f"{provisional_number(record)}  {record}"
    assert [line.split()[-1] for line in lines[1:]] == ["202", "ok", "unknown", "ABDM-1043"]


@pytest.mark.parametrize("spell", [str, str.lower, lambda text: text.replace("-", " ")])
def test_a_person_is_found_by_the_number_on_the_card(
    camp: LinkCamp, run: Run, spell: Callable[[str], str]
) -> None:
    record = asked(camp)
    assert run(spell(provisional_number(record))) == run(record) == run(record.upper())


def test_a_request_without_an_ending_is_open(camp: LinkCamp, run: Run) -> None:
    record, _ = camp.linked_person()

    def crash(_said: Any) -> None:
        raise KeyboardInterrupt

    camp.client.script = [crash]
    with pytest.raises(KeyboardInterrupt):
        camp.advance()
    [person] = json.loads(run(record, "--json"))
    assert [one["ending"] for one in person["exchanges"]] == ["open"]
    assert run(record).splitlines()[1].endswith("open")


def test_nothing_of_the_person_is_shown(camp: LinkCamp, run: Run) -> None:
    record = asked(camp)
    for text in (run(record), run(record, "--json")):
        for value in ("Zebra", "9123456780", "9012", "practice.zebra", "Visit", "OPD-"):
            assert value not in text


def test_who_was_never_asked_for_is_said_so(camp: LinkCamp, run: Run) -> None:
    record = camp.person()
    assert run(record).splitlines()[1] == "  Nothing was asked of ABDM about this person."
    assert json.loads(run(record, "--json"))[0]["exchanges"] == []


@pytest.mark.parametrize(
    "typed", ["", "x", "f" * 32, "0" * 31, "٣" * 32, "%", provisional_number("e" * 32)]
)
def test_nobody_is_found_by_another_number(camp: LinkCamp, typed: str) -> None:
    camp.person()
    with camp.store.read() as connection, pytest.raises(PersonUnknown):
        read_exchanges(connection, typed)


def test_two_people_who_share_a_number_are_both_shown(camp: LinkCamp, run: Run) -> None:
    people = [camp.laptop.person(f"{'7' * 15}{last:017x}") for last in (1, 2)]
    camp.bring(*people)
    first, second = (each.record for each in people)
    found = json.loads(run(provisional_number(first), "--json"))
    assert [one["id"] for one in found] == [first, second]
