from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import schemas
from enrollkit.errors import StoreDamaged
from enrollkit.store.clocks import note_server_time, offset_now
from enrollkit.store.database import Database
from enrollkit.store.lives import begin_life
from enrollkit.store.meta import Fact, keep_text
from enrollkit.store.standing import standing
from store_samples import INCARNATION, KEY, NOON, Ends, new_database, person, save_person
from sync.errors import TooLarge

YEARS = 365 * 24 * 3600


@dataclass
class Machine:
    """A laptop whose wall clock is set by whoever likes to, and that is started anew."""

    wall: int = NOON
    up: float = 300.4
    run: bytes = b"first on"

    def now(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.up

    def boot(self) -> bytes:
        return self.run

    def wait(self, seconds: float) -> None:
        self.wall += round(seconds)
        self.up += seconds

    def restart(self, *, wall: int | None = None) -> None:
        self.run = bytes(byte ^ 1 for byte in self.run)
        self.up = 20.0
        self.wall = self.wall + 60 if wall is None else wall


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def database(tmp_path: Path, machine: Machine) -> Iterator[Database]:
    new_database(tmp_path).close()
    with Database.open(tmp_path / "home" / "enrollkit.db", KEY, clock=machine) as opened:
        yield opened


def save(database: Database, machine: Machine, *numbers: int) -> None:
    for number in numbers:
        database.write(lambda tx, n=number: save_person(tx, person(n), at=machine.now()))


def kinds(database: Database) -> list[str]:
    return database.read(
        lambda tx: [row[0] for row in tx.execute("SELECT kind FROM operations ORDER BY seq")]
    )


def readings(database: Database) -> list[dict[str, Any]]:
    sql = "SELECT body FROM operations WHERE kind = 'clock.reading' ORDER BY seq"
    return database.read(lambda tx: [json.loads(row[0]) for row in tx.execute(sql)])


def test_a_reading_stands_before_the_first_operation_and_not_before_the_next(
    database: Database, machine: Machine
) -> None:
    save(database, machine, 1)
    machine.wait(4000)
    save(database, machine, 2, 3)
    assert kinds(database) == ["clock.reading"] + ["enrollment.submit"] * 3
    (reading,) = readings(database)
    assert reading == {"boot": b"first on".hex(), "monotonic": 300, "wall": NOON}
    assert schemas.validator("clock-reading-1").is_valid(reading)


@pytest.mark.parametrize(
    "set_to",
    [0, 1_546_300_800, NOON + 10 * YEARS, NOON - 3, NOON + 3, -5],
    ids=["1970", "2019", "ten years on", "3 s back", "3 s on", "before 1970"],
)
def test_a_clock_that_was_set_is_read_again_once(
    database: Database, machine: Machine, set_to: int
) -> None:
    save(database, machine, 1)
    machine.wall = set_to
    save(database, machine, 2, 3)
    assert [reading["wall"] for reading in readings(database)] == [NOON, set_to]
    assert kinds(database)[2:] == ["clock.reading", "enrollment.submit", "enrollment.submit"]


def test_two_seconds_apart_are_rounding_but_small_steps_add_up(
    database: Database, machine: Machine
) -> None:
    save(database, machine, 1)
    for number in range(2, 5):
        machine.wall += 1
        save(database, machine, number)
    assert [reading["wall"] for reading in readings(database)] == [NOON, NOON + 3]


def test_every_start_of_the_machine_is_read_even_when_the_clock_went_on(
    database: Database, machine: Machine
) -> None:
    save(database, machine, 1)
    machine.restart()
    save(database, machine, 2)
    machine.restart(wall=0)
    save(database, machine, 3)
    told = readings(database)
    assert [reading["wall"] for reading in told] == [NOON, NOON + 60, 0]
    assert told[0]["boot"] != told[1]["boot"] != told[2]["boot"]
    assert told[1]["monotonic"] == 20


def test_the_offset_is_told_only_in_the_run_in_which_the_server_was_heard(
    database: Database, machine: Machine
) -> None:
    machine.wall = 1_546_300_800
    database.write(lambda tx: note_server_time(tx, machine, NOON))
    save(database, machine, 1)
    machine.restart()
    save(database, machine, 2)
    heard, unheard = readings(database)
    assert heard["offset"] == NOON - 1_546_300_800
    assert "offset" not in unheard


def test_a_clock_that_is_put_right_after_the_contact_is_not_called_wrong(
    database: Database, machine: Machine
) -> None:
    machine.wall = NOON - 3 * 24 * 3600
    database.write(lambda tx: note_server_time(tx, machine, NOON))
    assert database.read(lambda tx: offset_now(tx, machine)) == 3 * 24 * 3600
    machine.wait(100)
    machine.wall += 3 * 24 * 3600
    save(database, machine, 1)
    assert database.read(lambda tx: offset_now(tx, machine)) == 0
    assert readings(database)[-1]["offset"] == 0


def test_a_reading_goes_with_its_operation_or_not_at_all(
    database: Database, machine: Machine
) -> None:
    too_much = person(1, name="x" * 40_000)
    with pytest.raises((TooLarge, ValueError)):
        database.write(lambda tx: save_person(tx, too_much))
    assert kinds(database) == []
    save(database, machine, 2)
    assert kinds(database) == ["clock.reading", "enrollment.submit"]


def test_a_new_life_is_told_the_clocks_anew(database: Database, machine: Machine) -> None:
    save(database, machine, 1)
    database.write(lambda tx: begin_life(tx, "2e" * 8, at=machine.now()))
    save(database, machine, 2)
    assert kinds(database) == ["clock.reading", "enrollment.submit"] * 2


def test_readings_travel_in_the_same_batch_and_are_not_counted_as_people(
    database: Database, machine: Machine
) -> None:
    ends = Ends(database)
    save(database, machine, 1, 2)
    machine.restart()
    save(database, machine, 3)
    assert ends.outbox.waiting() == 3
    assert ends.outbox.freeze() == 1
    (batch,) = ends.outbox.batches_after(INCARNATION, 0, bytes_max=1)
    assert ends.outbox.note_offered(batch) == 3
    _header, operations = ends.opened(batch)
    assert [operation.kind for operation in operations].count("clock.reading") == 2
    assert ends.outbox.apply_receipt(*ends.receipt(batch)).accepted == 3
    counted = database.read(lambda tx: standing(tx, today_since=0))
    assert (counted.total, counted.signed_for, counted.waiting) == (3, 3, 0)


def test_a_remembered_reading_that_is_no_reading_is_called_damage(
    database: Database, machine: Machine
) -> None:
    database.write(lambda tx: keep_text(tx, Fact.CLOCK, "[1"))
    with pytest.raises(StoreDamaged):
        save(database, machine, 1)
