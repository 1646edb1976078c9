from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enrollkit.app.kit import Kit
from enrollkit.app.results import Finding, Level
from enrollkit.store.clocks import note_server_time
from enrollkit.store.lives import begin_life
from kit_office import Office
from kit_samples import NOW, PASSPHRASE, StoppedSystem, intake_row, unlocked

DAY = 24 * 3600


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with unlocked(tmp_path) as opened:
        yield opened


def system_of(kit: Kit) -> StoppedSystem:
    system = kit._open().system
    assert isinstance(system, StoppedSystem)
    return system


def hear_server(kit: Kit, server_time: int) -> None:
    """Do what a contact does with the server's time."""
    desk = kit._open()
    desk.database.write(lambda tx: note_server_time(tx, desk.system, server_time))


def found(kit: Kit, code: str) -> Finding:
    (finding,) = [one for one in kit.doctor() if one.code == code]
    return finding


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (3 * DAY, "3 days behind"),
        (-3650 * DAY, "3650 days ahead"),
        (DAY + 60, "1 day behind"),
        (-5 * 3600, "5 hours ahead"),
        (45 * 60, "45 minutes behind"),
    ],
)
def test_a_clock_that_is_off_is_said_with_by_how_much(kit: Kit, offset: int, words: str) -> None:
    hear_server(kit, NOW + offset)
    clock = found(kit, "clock")
    assert clock.level is Level.WARN
    assert f"The clock of this laptop is {words}. Records keep their order" in clock.text


def test_a_clock_that_was_put_right_is_well_at_once(kit: Kit) -> None:
    hear_server(kit, NOW + 3 * DAY)
    system_of(kit).time += 3 * DAY
    assert found(kit, "clock").level is Level.OK


def test_after_a_restart_the_last_contact_is_what_is_known(kit: Kit) -> None:
    hear_server(kit, NOW + 3 * DAY)
    system_of(kit).run = b"run no 2"
    clock = found(kit, "clock")
    assert clock.level is Level.WARN
    assert clock.text.startswith("At the last contact the clock of this laptop was 3 days behind")


def test_a_clock_that_is_some_minutes_off_troubles_nobody(kit: Kit) -> None:
    hear_server(kit, NOW + 300)
    assert found(kit, "clock").level is Level.OK


def test_what_waits_is_said_with_what_must_not_be_done(kit: Kit) -> None:
    assert found(kit, "queue").text == "The server has signed for everybody on this laptop."
    kit.enrolling.submit_row(intake_row())
    queue = found(kit, "queue")
    assert queue.level is Level.OK
    assert "1 person and 0 records on this laptop are not signed for" in queue.text
    assert "Do not delete its data folder" in queue.text


def test_a_queue_of_more_than_a_week_is_a_warning_until_it_is_signed_for(kit: Kit) -> None:
    kit.enrolling.submit_row(intake_row())
    system_of(kit).sleep(9 * DAY)
    queue = found(kit, "queue")
    assert queue.level is Level.WARN
    assert "9 days" in queue.text
    Office(kit).answer()
    assert found(kit, "queue").level is Level.OK


def test_a_copied_disk_is_told_for_a_while(kit: Kit) -> None:
    assert "copied" not in {finding.code for finding in kit.doctor()}
    desk = kit._open()
    desk.database.write(lambda tx: begin_life(tx, "3d" * 8, at=desk.system.now()))
    copied = found(kit, "copied")
    assert copied.level is Level.WARN
    assert "22 Nov 2026" in copied.text
    system_of(kit).sleep(20 * DAY)
    assert "copied" not in {finding.code for finding in kit.doctor()}


def test_what_another_window_saved_is_no_damage(kit: Kit, tmp_path: Path) -> None:
    assert kit.enrolling.submit_row(intake_row()).ok
    assert found(kit, "database").level is Level.OK
    other = Kit.at(tmp_path, system=system_of(kit))
    try:
        other.unlock(PASSPHRASE)
        for year in range(1940, 1960):
            row = intake_row(name="Ram Lal", gender="M", birth={"year": year}, aadhaar=None)
            row |= {"mobile": None, "mobile_owner": "none", "name_native": None}
            done = other.enrolling.submit_row(row)
            assert done.ok, done.problems
    finally:
        other.close()
    assert found(kit, "database").level is Level.OK
