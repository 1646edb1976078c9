"""From the queue to an ABHA number with the person there: kit, server, worker, practice ABDM."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from enrollkit.domain.identifiers import provisional_number
from enrollkit.errors import RecordNotFound
from journey_camp import Laptop, Office, open_office, write_rows
from journey_people import person
from practice_abdm import PracticeAbdm, practice_abdm
from sync.errors import DevicePending
from sync.protocol import FinishStage

ROOT = Path(__file__).resolve().parents[2]
ABDM = """
[abdm]
gateway_url = "{0.gateway_url}"
abha_url = "{0.abha_url}"
client_id = "{0.client_id}"
client_secret = "{0.client_secret}"
"""
"""Without a benefit's name: then everybody needs a one-time code."""


@contextmanager
def working(office: Office) -> Iterator[None]:
    """Run the worker as a process of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ENROLLKIT_")}
    command = [sys.executable, "-m", "sync.server", "worker", "--home", str(office.home)]
    with (office.home / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stderr=log, env={**kept, "PYTHONPATH": str(ROOT)}
        )
        try:
            yield
        finally:
            process.terminate()
            assert process.wait(timeout=60) == 0


@pytest.fixture
def practice() -> Iterator[PracticeAbdm]:
    with practice_abdm() as found:
        yield found


@pytest.fixture
def office(tmp_path: Path, practice: PracticeAbdm) -> Iterator[Office]:
    with open_office(tmp_path / "office", running=False) as found:
        with (found.home / "server.toml").open("a") as file:
            file.write(ABDM.format(practice.settings))
        found.start()
        yield found


def enrolled(office: Office, folder: Path, count: int) -> tuple[Laptop, list[str]]:
    """Give a laptop that sent so many people, and their record ids."""
    laptop = office.laptop(folder / "a")
    # An even last digit is a mobile that the practice ABDM takes for Aadhaar's own.
    rows = [person(2 * number) for number in range(1, count + 1)]
    done = laptop.run("enroll", write_rows(folder / "rows.jsonl", rows))
    assert done.code == 0, done.err
    assert laptop.run("sync").code == 0
    return laptop, laptop.ids()


def test_two_people_are_finished_on_two_laptops(
    office: Office, practice: PracticeAbdm, tmp_path: Path
) -> None:
    first, (one, two) = enrolled(office, tmp_path, 2)
    second = office.laptop(tmp_path / "b")
    assert second.run("sync").code == 0
    with working(office), first.unlocked() as here, second.unlocked() as there:
        state = here.finishing.send(one)
        assert (state.stage, state.name) == (
            FinishStage.CODE_SENT,
            here.people.page(one).enrollment.person.name,
        )
        assert 55 <= state.again_in <= 61
        state = here.finishing.code(one, practice.code)
        assert (state.stage, len(state.handles), state.reason) == (FinishStage.ADDRESS, 3, None)
        page = here.people.page(one)
        assert (page.abha_number, page.state) == (state.abha_number, "ISSUED")
        state = here.finishing.choose_address(one, state.handles[0])
        assert state.stage == FinishStage.DONE
        assert here.people.page(one).abha_address == state.abha_address is not None

        card = provisional_number(two)
        with pytest.raises(RecordNotFound):
            there.people.page(card)
        state = there.finishing.send(card)
        assert (state.stage, state.name, state.record) == (FinishStage.CODE_SENT, "", "")
        state = there.finishing.code(card, "000000" if practice.code != "000000" else "111111")
        assert state.reason is not None
        assert (state.stage, state.reason.code) == (FinishStage.CODE_SENT, "otp:wrong")
        state = there.finishing.code(card, practice.code)
        assert (state.record, state.abha_number is None) == (two, False)
        assert there.finishing.skip_address(card).stage == FinishStage.DONE
        assert here.finishing.look(two).abha_number == state.abha_number
    assert first.run("sync").code == 0
    numbers = {row["id"]: row["abha_number"] for row in office.export()}
    with first.unlocked() as here:
        for record in (one, two):
            page = here.people.page(record)
            assert page.state == "ISSUED"
            assert page.abha_number == numbers[record]
    assert len(practice.accounts) == 2


def test_the_command_walks_from_the_code_to_the_address(
    office: Office, practice: PracticeAbdm, tmp_path: Path
) -> None:
    # An odd last digit is a mobile that the practice ABDM wants proven.
    laptop = office.laptop(tmp_path / "a")
    rows = [person(1, mobile="9800000001")]
    assert laptop.run("enroll", write_rows(tmp_path / "rows.jsonl", rows)).code == 0
    assert laptop.run("sync").code == 0
    (record,) = laptop.ids()
    with working(office), laptop.start("finish", record, "--json", stdin=subprocess.PIPE) as talk:
        assert talk.stdin is not None
        assert talk.stderr is not None
        for prompt, typed in (
            (b"Enter sends the code", ""),
            (b"The code (R sends", "code"),
            (b"Enter sends a code to it", ""),
            (b"The code (R sends", "code"),
            (b"The number of one", "1"),
        ):
            said = b""
            while prompt not in said:
                piece = talk.stderr.read(1)
                assert piece, said
                said += piece
            line = practice.code if typed == "code" else typed
            talk.stdin.write(line.encode() + b"\n")
            talk.stdin.flush()
        told, _rest = talk.communicate(timeout=60)
    answer = json.loads(told)
    assert talk.returncode == 0
    assert (answer["stage"], answer["abha_address"].partition(".")[0]) == ("done", "practice")
    with laptop.unlocked() as kit:
        assert kit.people.page(record).abha_number == answer["abha_number"]


def test_who_cannot_be_finished_yet_is_told_why(office: Office, tmp_path: Path) -> None:
    laptop = office.laptop(tmp_path / "a")
    assert laptop.run("enroll", write_rows(tmp_path / "rows.jsonl", [person(2)])).code == 0
    (sent,) = laptop.ids()
    with laptop.unlocked() as kit:
        assert laptop.run("sync").code == 0
        late = kit.enrolling.submit_row(person(4), source=None)
        state = kit.finishing.send(late.id or "")
    assert (state.stage, state.record) == (FinishStage.REFUSED, late.id)
    assert state.reason is not None
    assert state.reason.code == "finish:unknown"
    waiting = office.laptop(tmp_path / "w", approved=False)
    assert waiting.run("sync").code != 0
    with waiting.unlocked() as kit, pytest.raises(DevicePending) as caught:
        kit.finishing.look(provisional_number(sent))
    assert caught.value.approval_code == waiting.approval_code
