"""Forty records of fifteen people at two facilities, from the laptop to ABDM and back, over real
sockets and bad roads: every one ends linked, once, and the laptop hears of each.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from sqlalchemy import select

from abdm_office import Camp, aadhaar
from practice_abdm import PracticeAbdm, practice_abdm
from server_laptops import Office
from sync.sealing import OpeningKey
from sync.server.abdm.bridge import Bridge
from sync.server.abdm.client import AbdmClient, open_client
from sync.server.abdm.enrolling import advance_enrollment
from sync.server.abdm.jobs import JobKind
from sync.server.abdm.linking import advance_link
from sync.server.abdm.settings import AbdmSettings
from sync.server.app import create_app
from sync.server.incentive import count_linked
from sync.server.keys import open_vault
from sync.server.sandbox.callbacks import Callback
from sync.server.store.tables import links

FACILITIES = ("IN0812966769", "IN0819510270")
KINDS = ("OPConsultation", "WellnessRecord", "ImmunizationRecord")
PEOPLE, RECORDS = 15, 40
ROUNDS_MAX = 60


@contextmanager
def front_door(office: Office, settings: AbdmSettings) -> Iterator[str]:
    """Serve an office on a real socket, for callbacks; give its address."""
    bridge = Bridge(
        store=office.store,
        vault=office.keys.vault,
        settings=settings,
        tempo=office.services.tempo,
        log=office.services.log,
        clock=lambda: office.now * 1000,
    )
    app = create_app(replace(office.services, bridge=bridge))
    config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=30)


def all_called_back(practice: PracticeAbdm) -> None:
    """Wait until whatever ABDM had to say so far has been said: it speaks in order."""
    last = Callback(path="/v1/health", hip="none", request_id="last", body={})
    practice.sandbox.callbacks.add(last)
    moment = threading.Event()
    for _ in range(3000):
        if last.status is not None:
            return
        moment.wait(0.01)
    raise AssertionError("the practice ABDM does not call back")


class LinkingDay:
    """An office, its worker and a practice ABDM, in one thread whose clock the test sets."""

    def __init__(self, office: Office, practice: PracticeAbdm, settings: AbdmSettings) -> None:
        self.office, self.practice, self.settings = office, practice, settings
        self.camp = Camp(office)
        self.camp.bring_key()
        self.vault: OpeningKey = open_vault(office.settings.home, None)

    def bring_all(self) -> list[str]:
        """Let people and records arrive; give the people."""
        people = [
            self.camp.person(
                aadhaar(number),
                name=f"Practice Person {chr(65 + number)}",
                mobile=f"98765432{number:02d}",
            )
            for number in range(PEOPLE)
        ]
        for number in range(RECORDS):
            operation = self.camp.laptop.link(
                people[number % PEOPLE],
                facility=FACILITIES[number % 2],
                hi_type=KINDS[number % 3],
                reference=f"OPD-{number}",
            )
            self.camp.bring(operation)
        return people

    def work(self, client: AbdmClient) -> None:
        """Do what is due, and let ten minutes pass."""
        for claim in self.camp.claim(100):
            advance = advance_enrollment if claim.kind is JobKind.ENROLL else advance_link
            advance(
                self.office.store, client, self.vault, self.settings, claim,
                clock=lambda: self.camp.now,
            )  # fmt: skip
        all_called_back(self.practice)
        self.office.now += 601

    def states(self) -> Counter[str]:
        with self.office.store.read() as connection:
            return Counter(connection.execute(select(links.c.state)).scalars())


@pytest.mark.parametrize(("faults", "seed"), [("none", 0), ("some", 1), ("many", 2)])
def test_every_record_is_linked_and_told_on_any_road(
    office: Office, faults: str, seed: int
) -> None:
    with practice_abdm(faults=faults, seed=seed, clock=lambda: float(office.now)) as practice:
        settings = replace(practice.settings, timeout_seconds=1)
        with (
            front_door(office, settings) as url,
            open_client(settings, clock=lambda: float(office.now)) as client,
        ):
            practice.call_at(url)
            day = LinkingDay(office, practice, settings)
            if faults == "none":
                practice.script(
                    link_token=["callback-lost", "lost-reply", "callback-twice"],
                    link=["callback-lost", "callback-twice", "lost-reply", "cut-reply", "busy"],
                )
            people = day.bring_all()
            rounds = 0
            while day.states() != {"LINKED": RECORDS} and rounds < ROUNDS_MAX:
                day.work(client)
                rounds += 1
            assert day.states() == {"LINKED": RECORDS}, rounds
            day.work(client)
    told = Counter(kind for kind, _, _ in day.camp.news())
    assert told["link.linked"] == RECORDS
    assert told["link.returned"] == 0
    assert {day.camp.job(record, "link")["state"] for record in people} == {"settled"}
    assert_journal(practice)
    with office.store.read() as connection:
        assert count_linked(connection).total() == RECORDS
    assert_nothing_readable(office.settings.home)


def assert_journal(practice: PracticeAbdm) -> None:
    """ABDM's own book: every record once, and no request for a token that was a duplicate."""
    linked = [pair for account in practice.accounts for pair in account["linked"]]
    assert len(linked) == RECORDS
    assert {hip for hip, _ in linked} == set(FACILITIES)
    codes = Counter(call["code"] for call in practice.calls("link-token"))
    assert codes["ABDM-1092"] == 0
    assert {call["code"] for call in practice.calls("link")}.isdisjoint({"ABDM-1037", "ABDM-1059"})


def assert_nothing_readable(home: Path) -> None:
    """No link token lies in the office's files."""
    for path in home.rglob("*"):
        if path.is_file():
            assert b"practice-link-" not in path.read_bytes(), path.name
