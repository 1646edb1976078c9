from __future__ import annotations

from datetime import UTC, datetime

import pytest

from enrollkit.app.results import Summary
from enrollkit.app.vigil import Round
from enrollkit.cli.diary import Diary, news_of
from enrollkit.errors import OperatorError
from sync.errors import Offline, ServerUnavailable, SyncBusy


def summary(**changes: object) -> Summary:
    values: dict[str, object] = dict.fromkeys(Summary.__slots__[:11], 0)
    return Summary(**{**values, **changes})  # type: ignore[arg-type]


def well(waiting: int = 0, **changes: object) -> Round:
    return Round(summary=summary(**changes), error=None, rest_seconds=900.0, waiting=waiting)


def failed(error: OperatorError, waiting: int = 3, rest: float = 10.0) -> Round:
    return Round(summary=None, error=error, rest_seconds=rest, waiting=waiting)


def written(capsys: pytest.CaptureFixture[str], *rounds: Round) -> list[str]:
    diary = Diary(lambda: datetime(2026, 11, 22, 18, 31, tzinfo=UTC))
    for done in rounds:
        diary.note(done)
    return capsys.readouterr().out.splitlines()


def test_the_same_trouble_again_and_again_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = written(capsys, *[failed(Offline())] * 9)
    assert lines == [f"18:31  {Offline().text} Waiting to be sent: 3."]


def test_every_change_is_a_line_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    lines = written(
        capsys, failed(Offline()), well(sent=3, accepted=3), well(), well(), failed(Offline(), 0),
        failed(Offline(), 0), well(),
    )  # fmt: skip
    assert [line.split()[1] for line in lines] == [
        "There",
        "3",
        "Connected.",
        "There",
        "Connected.",
    ]


def test_a_server_that_pushes_away_says_for_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = written(capsys, failed(ServerUnavailable(retry_after_seconds=7200), rest=7200.0))
    assert "in 120 min" in line


def test_what_came_home_is_said_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    lines = written(capsys, well(sent=2, accepted=1, rejected=1, feed=4, rolled_back=True))
    text = "\n".join(lines)
    for words in ("1 person or record signed", "older copy", "1 came back", "4 pieces of news"):
        assert words in text


def test_a_spent_day_and_another_window_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    spent = Round(summary=None, error=None, rest_seconds=9000.0, waiting=2, spent=True)
    lines = written(capsys, spent, spent, failed(SyncBusy()))
    assert len(lines) == 2
    assert "allowance is used up" in lines[0]
    assert "Another window" in lines[1]


def test_numbers_that_came_are_told_with_the_command_for_their_cards() -> None:
    assert list(news_of(summary(), 1)) == [
        "1 ABHA number came. The cards: enrollkit card --all -o cards.pdf"
    ]
    assert list(news_of(summary(), 0)) == []
