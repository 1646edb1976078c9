"""The sending screen: honest words, progress in people, and every way in which it can fail."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

import sync.errors
from enrollkit.domain.enrollment import State
from enrollkit.tui.screens.cards import CardsScreen
from enrollkit.tui.screens.home import HomeScreen
from enrollkit.tui.screens.returned import ReturnedScreen
from fake_kit import FakeKit
from sync.errors import ClockWrong, DevicePending, SyncError
from tui_drive import Driver, adult_row, drive

FAILURES = sorted(
    (
        kind
        for _name, kind in inspect.getmembers(sync.errors, inspect.isclass)
        if issubclass(kind, SyncError)
    ),
    key=lambda kind: kind.__name__,
)


WITH = {
    DevicePending: {"approval_code": "7K2M-94QD"},
    ClockWrong: {"here": "22 Nov 2019, 09:00", "there": "22 Nov 2026, 09:00"},
}


def a_kit(people: int = 3) -> FakeKit:
    """Give a kit with some who wait."""
    kit = FakeKit()
    for number in range(people):
        kit.put_person(adult_row(f"Person {chr(65 + number)}"))
    return kit


def test_those_the_server_signed_for_are_counted_at_the_end() -> None:
    async def script(d: Driver) -> None:
        await d.press("s")
        await d.until(lambda: not d.app.delivery.running)
        await d.rest()
        assert "Done." in d.text()
        assert "✔ 3 signed for" in d.text()
        assert "3 of 3 people signed for" in d.text()
        assert "180 bytes up, 90 bytes down" in d.text()
        await d.press("escape")
        assert "Nothing waits to be sent" in d.text()

    kit = drive(script, kit=a_kit())
    assert set(kit.states.values()) == {State.ACCEPTED}


def test_while_it_runs_nothing_is_green_and_leaving_does_not_stop_it() -> None:
    async def script(d: Driver) -> None:
        d.kit.sending.clear()
        await d.press("s")
        await d.until(lambda: d.app.delivery.progress is not None)
        await d.rest()
        assert "Esc leaves it running" in d.text()
        assert "0 of 3 people signed for" in d.text()
        assert "✔" not in d.text()
        await d.press("escape")
        assert isinstance(d.app.screen, HomeScreen)
        assert "sending 0 of 3" in d.lines()[0]
        d.kit.sending.set()
        await d.until(lambda: not d.app.delivery.running)
        await d.rest()
        assert "✔ 3 signed for" in d.text()

    drive(script, kit=a_kit())


def test_coming_back_to_a_running_session_starts_no_second_one() -> None:
    async def script(d: Driver) -> None:
        d.kit.sending.clear()
        await d.press("s")
        await d.until(lambda: d.app.delivery.progress is not None)
        await d.press("escape", "s", "s")
        assert len([work for work in d.app.workers if work.group == "delivery"]) == 1
        d.kit.sending.set()
        await d.until(lambda: not d.app.delivery.running)

    drive(script, kit=a_kit())


def test_nothing_to_send_is_said_so() -> None:
    async def script(d: Driver) -> None:
        await d.press("s")
        await d.until(lambda: not d.app.delivery.running)
        await d.rest()
        assert "There was nothing to send." in d.text()

    drive(script, kit=a_kit(0))


def test_every_failure_is_told_in_its_own_words_and_marks_nobody() -> None:
    async def script(d: Driver) -> None:
        await d.press("s")
        await d.until(lambda: not d.app.delivery.running)
        for kind in FAILURES:
            error = kind(**WITH.get(kind, {}))
            d.kit.fail_send = error
            await d.press("s")
            await d.until(lambda: not d.app.delivery.running)
            await d.rest()
            assert " ".join(error.text.split()) in d.words(), kind
            assert "3 still wait on this laptop" in d.text()
            assert "✔" not in d.text()
            assert ("S tries again." in d.text()) is error.retryable
            assert f"code {error.code}" in d.text()

    kit = a_kit()
    kit.fail_send = sync.errors.Offline()
    drive(script, kit=kit)
    assert len(FAILURES) > 12
    assert set(kit.states.values()) == {State.SUBMITTED}


def test_s_tries_again() -> None:
    async def script(d: Driver) -> None:
        d.kit.fail_send = sync.errors.Offline()
        await d.press("s")
        await d.until(lambda: not d.app.delivery.running)
        await d.rest()
        d.kit.fail_send = None
        await d.press("s")
        await d.until(lambda: not d.app.delivery.running)
        await d.rest()
        assert "✔ 3 signed for" in d.text()

    drive(script, kit=a_kit())


def test_stopping_ends_after_the_batch_and_says_what_stays() -> None:
    async def script(d: Driver) -> None:
        d.kit.sending.clear()
        await d.press("s")
        await d.until(lambda: d.app.delivery.progress is not None)
        await d.rest()
        assert "Sending over 2G." in d.text()
        assert "X stop after this batch" in d.footer()
        await d.press("x")
        assert "Stopping after this batch" in d.text()
        d.kit.sending.set()
        await d.until(lambda: not d.app.delivery.running)
        await d.rest()
        assert "Stopped, as you asked." in d.text()
        assert "3 still wait on this laptop" in d.text()

    kit = drive(script, kit=a_kit())
    assert kit.stopped_by_hand


def test_what_is_left_is_told_in_minutes_or_bytes() -> None:
    async def script(d: Driver) -> None:
        d.kit.sending.clear()
        await d.press("s")
        await d.until(lambda: d.app.delivery.progress is not None)
        progress = d.app.delivery.progress
        assert progress is not None
        d.app.delivery._note(replace(progress, seconds_left=125, bytes_left=5000))
        await d.rest()
        assert "about 2 min left" in d.words()
        d.app.delivery._note(replace(progress, bytes_left=5000))
        await d.rest()
        assert "about 4.9 KB left" in d.words()
        d.kit.sending.set()
        await d.until(lambda: not d.app.delivery.running)

    drive(script, kit=a_kit())


def test_the_allowance_of_the_day_bounds_the_session_and_is_shown() -> None:
    async def script(d: Driver) -> None:
        await d.press("s")
        await d.until(lambda: not d.app.delivery.running)
        await d.rest()
        assert "Today       2.3 KB of 5 MB allowed" in d.text()

    kit = a_kit()
    kit.used_today = 2048
    drive(script, kit=kit, allowed_mb=5)
    assert kit.asked_limit == 5 * 1024**2 - 2048


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("limited", "The data allowed for today is used up."),
        ("rolled_back", "The server was set back to an earlier day."),
        ("forked", "The server knows a copy of this laptop. Both are kept"),
    ],
)
def test_what_the_office_should_know_is_said_in_words(note: str, words: str) -> None:
    async def script(d: Driver) -> None:
        await d.press("s")
        await d.until(lambda: not d.app.delivery.running)
        await d.rest()
        assert words in d.words()

    kit = a_kit()
    kit.notes_of_session = {note: True}
    drive(script, kit=kit)


def test_numbers_that_came_are_told_with_the_key_that_prints_them() -> None:
    async def script(d: Driver) -> None:
        await d.press("s")
        await d.until(lambda: not d.app.delivery.running)
        await d.rest()
        assert "★ 2 ABHA numbers came. Press C to print." in d.text()
        assert "C print cards" in d.footer()
        assert all(len(line) <= 80 for line in d.lines())
        await d.press("c")
        assert isinstance(d.app.screen, CardsScreen)
        await d.press("escape", "s")
        await d.until(lambda: not d.app.delivery.running)
        await d.rest()
        assert "ABHA numbers came" not in d.text()
        await d.press("escape")
        assert "✔ 3 signed for   ★ 2 ABHA numbers" in d.text()

    kit = a_kit()
    kit.issuing = set(list(kit.states)[:2])
    drive(script, kit=kit)


def test_records_that_came_back_are_counted_apart_from_people() -> None:
    async def script(d: Driver) -> None:
        assert "R  To correct (1 person, 2 records)" in d.text()
        assert "! 1 person, 2 records to correct" in d.text()
        await d.press("s")
        await d.until(lambda: not d.app.delivery.running)
        await d.rest()
        assert "! Needs correction: 1 person, 2 records. Press R." in d.text()
        await d.press("r")
        assert "to put right: 1 person" in d.text()

    kit = a_kit(1)
    kit.put_person(adult_row("Kamla Devi"), State.RETURNED)
    kit.links_back = 2
    drive(script, kit=kit)


def test_records_alone_open_the_list_too() -> None:
    async def script(d: Driver) -> None:
        assert "R  Needs correction (1 record)" in d.text()
        await d.press("r")
        assert isinstance(d.app.screen, ReturnedScreen)

    kit = a_kit(1)
    kit.links_back = 1
    drive(script, kit=kit)
