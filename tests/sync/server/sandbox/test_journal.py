"""The journal proves what it must, and names nobody."""

from __future__ import annotations

import json
from pathlib import Path

from practice_calls import SHANTI, PracticeClient, practice_client
from sync.server.sandbox.journal import Journal, Outcome
from sync.server.sandbox.rules import Rule, number_for


def test_an_ask_after_a_grant_is_counted(client: PracticeClient) -> None:
    for count in range(3):
        client.enrol()
        assert client.abdm.person(SHANTI)["asks_after_grant"] == count


def test_an_ask_after_a_refusal_is_none_after_a_grant(client: PracticeClient) -> None:
    number = number_for(Rule.MISMATCH)
    client.enrol(number)
    client.enrol(number)
    assert client.abdm.person(number) == {
        "asks": 2,
        "creations": 0,
        "grants": 0,
        "asks_after_grant": 0,
    }


def test_a_second_account_of_one_person_would_show() -> None:
    journal = Journal(lambda: 0.0)
    for _ in range(2):
        call = journal.begin("enrol", "")
        journal.note_ask(call, "somebody")
        journal.note_outcome(call, Outcome.CREATED)
    assert journal.people()["somebody"]["creations"] == 2


def test_the_page_gives_accounts_people_calls_and_callbacks(client: PracticeClient) -> None:
    number = client.enrol(mobile="9205373585").json()["healthIdNumber"]
    page = client.get("/practice/journal").json()
    assert page["practice"] is True
    (account,) = page["accounts"]
    assert account["abha_number"] == number
    assert page["people"][account["person"]]["creations"] == 1
    call = page["calls"][-1]
    assert (call["route"], call["status"], call["outcome"]) == ("enrol", 200, "created")
    after = client.get(f"/practice/journal?after={call['n']}").json()
    assert after["calls"] == []


def test_the_file_has_a_line_for_each_call_and_nobodys_name(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with practice_client(journal_file=path) as client:
        client.enrol(mobile="9205373585", address="H.No 6, Main Road")
        digest = client.abdm.sandbox.journal.digest(SHANTI)
        page = client.get("/practice/journal").text
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["route"] for line in lines] == ["session", "certificate", "enrol"]
    assert lines[-1]["person"] == digest
    for text in (path.read_text(), page):
        for secret in (SHANTI, "Shanti", "9205373585", "Main Road", "practice-profile-"):
            assert secret not in text


def test_the_digest_differs_from_process_to_process() -> None:
    one, other = Journal(lambda: 0.0), Journal(lambda: 0.0)
    assert one.digest(SHANTI) == one.digest(SHANTI) != other.digest(SHANTI)


def test_types_that_hold_a_person_print_nothing_of_them(client: PracticeClient) -> None:
    client.enrol()
    account = client.abdm.sandbox.accounts.by_number(
        client.abdm.accounts[0]["abha_number"].replace("-", "")
    )
    assert account is not None
    assert "Shanti" not in f"{account!r} {account.person!r} {client.abdm.sandbox!r}"
