"""Somebody whom ABDM needs: called, finished with codes by two laptops and a real worker, and home.

Server, worker and the commands that ask for codes are processes of their own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from journey_camp import Laptop, Office, open_office
from journey_people import aadhaar, person
from practice_abdm import PracticeAbdm, practice_abdm

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journey-finish")]

_PATIENCE = 60.0


@pytest.fixture
def abdm() -> Iterator[PracticeAbdm]:
    with practice_abdm() as practice:
        yield practice


@pytest.fixture
def office(abdm: PracticeAbdm, tmp_path: Path) -> Iterator[Office]:
    """An office whose programme has no benefit at ABDM, so that everybody is needed."""
    with open_office(tmp_path / "office", running=False) as office:
        settings, file = abdm.settings, office.home / "server.toml"
        table = {
            "gateway_url": settings.gateway_url,
            "abha_url": settings.abha_url,
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
        }
        lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())
        file.write_text(f"{file.read_text()}\n[abdm]\n{lines}")
        office.start()
        with _worker(office):
            yield office


def test_a_code_given_on_one_laptop_is_finished_on_another(
    abdm: PracticeAbdm, office: Office, tmp_path: Path
) -> None:
    first, second = office.laptop(tmp_path / "first"), office.laptop(tmp_path / "second")
    row = person(1) | {"aadhaar": aadhaar(1)}
    with first.unlocked() as kit:
        record = str(kit.enrolling.submit_row(row).id)
        number = kit.people.page(record).provisional
    assert second.run("sync").code == 0
    _until(lambda: _needs_person(first))
    assert "person:otp" in first.run("show", record).out

    with _finishing(second, number) as command:
        _say(command, "")
        _until(lambda: bool(abdm.sandbox.codes.shown()))
        _say(command, "000000" if abdm.code != "000000" else "111111", "q")
        said, told = _ended(command)
    assert "[otp:wrong]" in told
    assert (said["stage"], said["abha_number"]) == ("code-sent", None)

    with _finishing(first, record) as command:
        _say(command, abdm.code, "q")
        said, told = _ended(command)
    assert said["abha_number"] is not None
    assert "PRACTICE" in told

    with _finishing(first, number) as command:
        _say(command, "s", "s")
        said, told = _ended(command)
    assert said["stage"] == "done"
    assert said["practice"]
    shown = first.run("show", record, "--json").object
    assert (shown["state"], shown["abha_number"]) == ("ISSUED", said["abha_number"])
    assert len(abdm.accounts) == 1
    assert first.run("sync").code == 0
    assert first.run("show", record, "--json").object["abha_number"] == said["abha_number"]


@contextmanager
def _worker(office: Office) -> Iterator[None]:
    command = [sys.executable, "-m", "sync.server", "worker", "--home", str(office.home)]
    log = office.home / "worker.log"
    with log.open("w") as errors, subprocess.Popen(command, stderr=errors) as worker:
        try:
            yield
        finally:
            worker.terminate()


@contextmanager
def _finishing(laptop: Laptop, ident: str) -> Iterator[subprocess.Popen[bytes]]:
    with laptop.start("finish", ident, "--json", stdin=subprocess.PIPE) as command:
        try:
            yield command
        finally:
            command.kill()


def _say(command: subprocess.Popen[bytes], *lines: str) -> None:
    assert command.stdin is not None
    command.stdin.write("".join(f"{line}\n" for line in lines).encode())
    command.stdin.flush()


def _ended(command: subprocess.Popen[bytes]) -> tuple[dict[str, object], str]:
    out, err = command.communicate(timeout=_PATIENCE)
    assert command.returncode in {0, 1}, err.decode()
    return json.loads(out), err.decode()


def _needs_person(laptop: Laptop) -> bool:
    assert laptop.run("sync").code == 0
    return laptop.status()["by_state"].get("NEEDS_PERSON", 0) == 1


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never held"
        time.sleep(0.2)
