from __future__ import annotations

import copy
import dataclasses
import io
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server_laptops import NOW, Laptop, Office
from sync.server import backup as backup_module
from sync.server import cli
from sync.server.backup import DATABASE_NAME, BackedUp, backup, checked_files, newest_backup
from sync.server.errors import (
    BackupDamaged,
    BackupForeign,
    DatabaseForeign,
    FileUnusable,
    HomeOccupied,
    ServerNotInitialised,
)
from sync.server.occupancy import alone_in, at_work_in
from sync.server.restoring import restore
from sync.server.settings import load_settings
from sync.server.site import open_store


def durable(office: Office, laptop: Laptop, receipted_upto: int = 0) -> int:
    signed = office.contact.greet(laptop.hello(receipted_upto=receipted_upto)).signed
    return laptop.open_reply(signed[0]).durable_upto


def backed_up(office: Office, dest: Path, *, later: int = 0) -> BackedUp:
    return backup(office.settings, dest, now=NOW + later)


def send(office: Office, laptop: Laptop, count: int = 1) -> None:
    for _ in range(count):
        office.take(laptop, laptop.batch([laptop.person()]))


@pytest.fixture
def reopened(office: Office, office_log: io.StringIO) -> Iterator[list[Office]]:
    """Close the office; the test opens others in its place, which are closed at the end."""
    opened: list[Office] = []
    yield opened
    for one in opened:
        one.close()


def test_a_backup_makes_durable_what_it_holds_and_nothing_after_it(
    office: Office, tmp_path: Path
) -> None:
    laptop = office.laptop()
    send(office, laptop, 3)
    assert durable(office, laptop) == 0
    done = backed_up(office, tmp_path / "monday")
    assert (done.enrollments, done.durable, done.is_same_disk) == (3, 3, True)
    assert durable(office, laptop) == 3
    receipt = office.take(laptop, laptop.batch([laptop.person()]))
    assert receipt.durable_upto == 3
    assert backed_up(office, tmp_path / "tuesday").durable == 1
    assert durable(office, laptop) == 4


def test_a_backup_is_whole_and_for_its_owner_alone(office: Office, tmp_path: Path) -> None:
    laptop = office.laptop()
    send(office, laptop)
    done = backed_up(office, tmp_path / "deep" / "monday")
    assert set(done.files) == {DATABASE_NAME, "keys.json", "vault.json", "server.toml"}
    for path in [done.folder, *done.folder.iterdir()]:
        assert path.stat().st_mode & 0o077 == 0
    assert list(done.folder.parent.iterdir()) == [done.folder]
    for name in ("keys.json", "vault.json"):
        assert (done.folder / name).read_bytes() == (office.settings.home / name).read_bytes()


def test_a_backup_with_a_gap_makes_durable_only_what_lies_before_it(
    office: Office, tmp_path: Path
) -> None:
    laptop = office.laptop()
    batches = [laptop.batch([laptop.person()]) for _ in range(3)]
    office.take(laptop, batches[0])
    office.take(laptop, batches[2])
    backed_up(office, tmp_path / "monday")
    assert office.take(laptop, batches[1]).durable_upto == 1


def test_both_lives_of_a_fork_are_durable_and_a_life_without_its_beginning_is_not(
    office: Office, tmp_path: Path
) -> None:
    one = office.laptop()
    send(office, one, 2)
    other = copy.copy(one)
    send(office, one, 2)
    first, second = (other.batch([other.person()]) for _ in range(2))
    office.take(other, second)
    backed_up(office, tmp_path / "monday")
    assert durable(office, one) == 4
    office.take(other, first)
    assert office.take(other, second).durable_upto == 2
    backed_up(office, tmp_path / "tuesday")
    assert durable(office, other) == 4


def test_nothing_is_durable_when_the_copy_is_not_what_was_written(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = office.laptop()
    send(office, laptop)
    check = backup_module.checked_files

    def rotten(folder: Path) -> dict[str, Path]:
        with (folder / DATABASE_NAME).open("r+b") as file:
            file.seek(5000)
            file.write(b"!")
        return check(folder)

    monkeypatch.setattr(backup_module, "checked_files", rotten)
    with pytest.raises(BackupDamaged):
        backed_up(office, tmp_path / "monday")
    assert durable(office, laptop) == 0


def test_every_night_has_its_own_backup_and_none_is_written_over(
    office: Office, tmp_path: Path
) -> None:
    first = backed_up(office, tmp_path / "nights").folder
    before = (first / "backup.json").read_bytes()
    with pytest.raises(FileUnusable):
        backed_up(office, tmp_path / "nights")
    second = backed_up(office, tmp_path / "nights", later=86_400).folder
    assert sorted((tmp_path / "nights").iterdir()) == [first, second]
    assert (first / "backup.json").read_bytes() == before
    assert newest_backup(tmp_path / "nights") == second
    assert newest_backup(first) == first


def test_a_full_disk_leaves_no_half_backup_and_nothing_durable(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = office.laptop()
    send(office, laptop)

    def full(*_: object) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(backup_module, "_write_list", full)
    with pytest.raises(FileUnusable):
        backed_up(office, tmp_path / "disk" / "monday")
    assert list((tmp_path / "disk" / "monday").iterdir()) == []
    assert durable(office, laptop) == 0


def test_laptops_are_served_while_a_backup_is_made(office: Office, tmp_path: Path) -> None:
    laptop = office.laptop()
    send(office, laptop, 2)
    done = threading.Thread(target=lambda: backed_up(office, tmp_path / "monday"))
    done.start()
    send(office, laptop, 8)
    done.join()
    assert 2 <= durable(office, laptop) <= 10
    checked_files(newest_backup(tmp_path / "monday"))


def test_a_restored_server_has_a_new_epoch_and_what_the_backup_held(
    office: Office, tmp_path: Path, reopened: list[Office]
) -> None:
    laptop = office.laptop()
    send(office, laptop, 2)
    backed_up(office, tmp_path / "monday")
    later = [laptop.batch([laptop.person()]) for _ in range(2)]
    for batch in later:
        epoch = office.take(laptop, batch).epoch
    office.close()
    done = restore(office.settings, tmp_path / "monday", now=7)
    assert done.enrollments == 2
    reopened.append(again := Office(office.settings.home, io.StringIO()))
    greeting = again.contact.greet(laptop.hello(receipted_upto=4))
    assert (greeting.reply.held_upto, greeting.is_rolled_back) == (2, True)
    assert greeting.reply.epoch == done.epoch != epoch
    for batch in later:
        again.take(laptop, batch)
    assert again.count("SELECT count(*) FROM enrollments") == 4


def test_what_a_restore_replaces_is_kept_aside_with_its_last_commits(
    office: Office, tmp_path: Path
) -> None:
    laptop = office.laptop()
    backed_up(office, tmp_path / "monday")
    send(office, laptop, 2)
    office.close()
    done = restore(office.settings, tmp_path / "monday", now=7)
    assert done.replaced is not None
    aside = dataclasses.replace(office.settings, db=f"sqlite:///{done.replaced}")
    with open_store(aside) as store, store.read() as connection:
        held = connection.exec_driver_sql("SELECT count(*) FROM enrollments").scalar_one()
    assert held == 2


def test_a_dead_server_is_brought_back_in_an_empty_folder(
    office: Office, tmp_path: Path, reopened: list[Office]
) -> None:
    laptop = office.laptop()
    send(office, laptop)
    backed_up(office, tmp_path / "monday")
    home = tmp_path / "new machine"
    done = restore(load_settings(home, {}), tmp_path / "monday", now=7)
    assert done.replaced is None
    assert (home / "keys.json").stat().st_mode & 0o077 == 0
    reopened.append(again := Office(home, io.StringIO()))
    assert again.contact.greet(laptop.hello()).reply.held_upto == 1


def test_nothing_is_restored_while_a_server_runs(office: Office, tmp_path: Path) -> None:
    backed_up(office, tmp_path / "monday")
    before = office.count("SELECT count(*) FROM devices")
    with open_store(office.settings), pytest.raises(HomeOccupied):
        restore(office.settings, tmp_path / "monday", now=7)
    assert office.count("SELECT count(*) FROM devices") == before
    with alone_in(office.settings.home):
        with pytest.raises(HomeOccupied), open_store(office.settings):
            pass
        with pytest.raises(HomeOccupied), alone_in(office.settings.home):
            pass


def test_many_may_work_in_a_home_at_once(tmp_path: Path) -> None:
    with (
        at_work_in(tmp_path),
        at_work_in(tmp_path),
        pytest.raises(HomeOccupied),
        alone_in(tmp_path),
    ):
        pass
    with alone_in(tmp_path):
        pass


@pytest.mark.parametrize("name", [DATABASE_NAME, "keys.json", "backup.json"])
@pytest.mark.parametrize("fault", ["flipped", "short", "gone"])
def test_a_damaged_backup_is_refused_and_changes_nothing(
    office: Office, tmp_path: Path, name: str, fault: str
) -> None:
    laptop = office.laptop()
    send(office, laptop)
    path = backed_up(office, tmp_path / "monday").folder / name
    data = path.read_bytes()
    if fault == "gone":
        path.unlink()
    else:
        middle = len(data) // 2
        path.write_bytes(
            data[:middle] + bytes([data[middle] ^ 0x10]) + data[middle + 1 :]
            if fault == "flipped"
            else data[:middle]
        )
    office.close()
    before = (office.settings.home / DATABASE_NAME).read_bytes()
    with pytest.raises(BackupDamaged):
        restore(office.settings, tmp_path / "monday", now=7)
    assert (office.settings.home / DATABASE_NAME).read_bytes() == before


def test_the_backup_of_another_programme_is_refused(
    office: Office, tmp_path: Path, reopened: list[Office]
) -> None:
    reopened.append(other := Office(tmp_path / "other", io.StringIO()))
    backed_up(other, tmp_path / "monday")
    with pytest.raises(BackupForeign):
        restore(office.settings, tmp_path / "monday", now=7)


def test_a_list_that_names_a_file_elsewhere_is_refused(office: Office, tmp_path: Path) -> None:
    done = backed_up(office, tmp_path / "monday")
    listed = json.loads((done.folder / "backup.json").read_text())
    listed["files"]["../secret"] = "0" * 64
    (done.folder / "backup.json").write_text(json.dumps(listed))
    with pytest.raises(BackupDamaged):
        checked_files(done.folder)


def test_postgresql_is_left_to_its_own_tools(office: Office, tmp_path: Path) -> None:
    foreign = dataclasses.replace(office.settings, db="postgresql+psycopg://nobody@nowhere/x")
    with pytest.raises(DatabaseForeign) as caught:
        backup(foreign, tmp_path / "monday", now=NOW)
    assert "pg_dump" in caught.value.text
    with pytest.raises(DatabaseForeign):
        restore(foreign, tmp_path / "monday", now=7)


def test_a_folder_without_a_programme_has_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(ServerNotInitialised):
        backup(load_settings(tmp_path / "empty", {}), tmp_path / "monday", now=NOW)


def test_the_commands_say_what_they_did(office: Office, tmp_path: Path) -> None:
    laptop = office.laptop()
    send(office, laptop)
    office.close()
    place, home = str(tmp_path / "monday"), ["--home", str(office.settings.home)]
    said = CliRunner().invoke(cli.cli, ["backup", place, *home])
    assert said.exit_code == 0, said.output
    assert "1 people" in said.output
    assert "same disk" in said.output
    said = CliRunner().invoke(cli.cli, ["restore", place, *home, "--json"])
    told = json.loads(said.output)
    assert (told["enrollments"], len(told["epoch"])) == (1, 16)
    assert Path(told["replaced"]).exists()


class PowerCutError(Exception):
    """The machine goes off."""


@pytest.mark.parametrize("moves", range(4))
def test_a_crash_between_any_two_steps_of_a_restore_loses_no_database(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    laptop = office.laptop()
    send(office, laptop, 2)
    backed_up(office, tmp_path / "monday")
    send(office, laptop)
    office.close()
    with monkeypatch.context() as patch:
        left = iter(range(moves))

        def cut(original: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
            def move(path: Path, to: Path) -> Path:
                if next(left, None) is None:
                    raise PowerCutError
                return original(path, to)

            return move

        patch.setattr(Path, "rename", cut(Path.rename))
        patch.setattr(Path, "replace", cut(Path.replace))
        with suppress(PowerCutError):
            restore(office.settings, tmp_path / "monday", now=7)
    kept = [path for path in office.settings.home.iterdir() if path.name.startswith(DATABASE_NAME)]
    assert max(people_in(path) for path in kept) == 3
    assert restore(office.settings, tmp_path / "monday", now=8).enrollments == 2


def people_in(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM enrollments").fetchone()[0])
        except sqlite3.Error:
            return 0  # a log, which is no database by itself
