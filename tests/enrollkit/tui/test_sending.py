"""The sending screen: honest words, progress in people, and every way in which it can fail."""

from __future__ import annotations

import inspect

import sync.errors
from enrollkit.domain.enrollment import State
from enrollkit.tui.screens.home import HomeScreen
from fake_kit import FakeKit
from sync.errors import DevicePending, SyncError
from tui_drive import Driver, adult_row, drive

FAILURES = sorted(
    (
        kind
        for _name, kind in inspect.getmembers(sync.errors, inspect.isclass)
        if issubclass(kind, SyncError)
    ),
    key=lambda kind: kind.__name__,
)


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
        assert "Used: 180 bytes up" in d.text()
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
            error = kind(approval_code="7K2M-94QD") if kind is DevicePending else kind()
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
