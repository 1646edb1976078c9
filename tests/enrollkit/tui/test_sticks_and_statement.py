"""The stick's screen and the end of the day: folders found, results in words, sums that add up."""

from __future__ import annotations

from pathlib import Path

import pytest

from enrollkit.app.letters import PassedOver
from enrollkit.app.returns import Received
from enrollkit.domain.enrollment import State
from enrollkit.tui.amounts import size_words, time_words
from enrollkit.tui.mounts import find_sticks
from enrollkit.tui.screens import stick
from enrollkit.tui.screens.statement import StatementScreen
from enrollkit.tui.screens.stick import StickScreen
from fake_kit import FakeKit
from sync.errors import StickFull
from tui_drive import Driver, adult_row, drive

STICK = Path("/media/asha/KINGSTON")


@pytest.fixture(autouse=True)
def _one_stick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one stick plugged in."""
    monkeypatch.setattr(stick.StickScreen.__init__, "__defaults__", (lambda: [STICK],))


def a_kit(people: int = 3) -> FakeKit:
    kit = FakeKit()
    for number in range(people):
        kit.put_person(adult_row(f"Person {chr(65 + number)}"))
    return kit


def test_a_stick_that_is_plugged_in_is_offered_and_written() -> None:
    async def script(d: Driver) -> None:
        await d.press("u")
        assert isinstance(d.app.screen, StickScreen)
        assert "3 people wait" in d.text()
        assert f"< {STICK} >" in d.text()
        assert "Folder" not in d.text()
        await d.press("f2")
        assert "✔ 3 people written and read back." in d.text()
        assert "Write on the stick: 1" in d.text()
        assert "camp-1.ekb" in d.text()
        await d.press("escape")
        assert "3 of them on sticks" in d.words()
        assert "✔" not in d.text()

    kit = drive(script, kit=a_kit())
    assert kit.sticks_written == [STICK]


def test_another_folder_is_typed_and_none_is_asked_for() -> None:
    async def script(d: Driver) -> None:
        await d.press("u", "right")
        assert "Folder" in d.text()
        await d.press("f2")
        assert "Which folder?" in d.text()
        await d.press("enter")
        await d.type("/srv/stick")
        await d.press("f2")
        assert "written and read back" in d.text()

    kit = drive(script, kit=a_kit())
    assert kit.sticks_written == [Path("/srv/stick")]


def test_a_stick_that_fails_is_told_in_its_own_words_and_nothing_is_claimed() -> None:
    async def script(d: Driver) -> None:
        await d.press("u", "f2")
        assert " ".join(StickFull().text.split()) in d.words()
        assert "✔" not in d.text()
        assert "Leave the stick in" not in d.text()
        d.kit.fail_stick = None
        await d.press("f2")
        assert "✔ 3 people written" in d.text()

    kit = a_kit()
    kit.fail_stick = StickFull()
    drive(script, kit=kit)


def test_what_came_home_on_a_stick_is_told_with_what_could_not_be_used() -> None:
    async def script(d: Driver) -> None:
        await d.press("u", "f3")
        text = d.text()
        assert "✔ 2 signed for" in text
        assert "! 1 came back for correction" in text
        assert "A file was cut short." in text
        assert "other.ekr: It was made for somebody else." in text

    kit = a_kit()
    kit.came_home = Received(
        files=[STICK / "a.ekr"], accepted=2, rejected=1, is_whole=False,
        passed_over=[
            PassedOver(file=STICK / "other.ekr", code="x", text="It was made for somebody else.")
        ],
    )  # fmt: skip
    drive(script, kit=kit)


def test_an_empty_stick_brings_nothing_and_says_so() -> None:
    async def script(d: Driver) -> None:
        await d.press("u", "f3")
        assert "Nothing for this laptop lies there yet." in d.text()

    drive(script, kit=a_kit())


def test_the_end_of_the_day_adds_up_to_the_last_one_and_is_printed() -> None:
    async def script(d: Driver) -> None:
        await d.press("e")
        assert isinstance(d.app.screen, StatementScreen)
        text = d.text()
        assert "    5  Enrolled" in text
        assert "    1  only on this laptop" in text
        assert "    2  on sticks" in text
        assert "stick 3, 22 Nov, 12:10: 2" in text
        assert "    1  signed for by the server" in text
        assert "    1  came back for correction" in text
        assert "✔ It adds up: 5 enrolled, nobody missing." in text
        await d.press("p")
        assert "Open it and print:" in d.words()
        await d.press("t")
        assert "enrolled today" in d.text()

    kit = a_kit()
    kit.put_person(adult_row("D Devi"), State.ACCEPTED)
    kit.put_person(adult_row("E Devi"), State.RETURNED)
    kit.on_sticks = 2
    drive(script, kit=kit)
    assert [path.name for path in kit.printed] == ["statement-20261122-1210.pdf"]


def test_figures_that_do_not_add_up_are_never_called_right() -> None:
    async def script(d: Driver) -> None:
        await d.press("e")
        assert "It does NOT add up." in d.text()
        assert "✔" not in d.text()

    kit = a_kit()
    kit.on_sticks = 1
    kit.states["f" * 32] = State.DRAFT
    drive(script, kit=kit)


def test_sticks_are_found_where_systems_mount_them(tmp_path: Path) -> None:
    for name in ("media/asha/KINGSTON", "media/old", "run/media/asha/SAN", "mnt/usb", "mnt/not"):
        (tmp_path / name).mkdir(parents=True)
    mounted = {tmp_path / name for name in ("media/asha/KINGSTON", "run/media/asha/SAN", "mnt/usb")}
    found = find_sticks(root=tmp_path, platform="linux", is_mounted=mounted.__contains__)
    assert found == [
        tmp_path / "media/asha/KINGSTON",
        tmp_path / "run/media/asha/SAN",
        tmp_path / "mnt/usb",
    ]


def test_windows_gives_its_drives_but_not_its_own_disk() -> None:
    found = find_sticks(platform="win32", is_mounted=lambda path: str(path)[0] in "CEF")
    assert [str(path)[:2] for path in found] == ["E:", "F:"]


def test_amounts_are_written_as_people_read_them() -> None:
    assert [size_words(n) for n in (0, 180, 6200, 5 * 1024**2)] == [
        "0 bytes",
        "180 bytes",
        "6.1 KB",
        "5 MB",
    ]
    assert [time_words(n) for n in (0, 9, 62, 900)] == ["1 s", "9 s", "1 min", "15 min"]
