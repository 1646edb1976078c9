"""What ``enrollkit sync`` prints of a session, for people and for programs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enrollkit.app.errands import CarriedRefused
from enrollkit.app.results import Summary
from enrollkit.cli import sync

QUIET = Summary(
    sent=0, accepted=0, duplicate=0, held=0, rejected=0, feed=0, bytes_up=800, bytes_down=400,
    requests=1, seconds=2.0, waiting=0,
)  # fmt: skip


def test_a_carried_file_that_was_refused_is_told_beside_a_good_session(
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused = replace(QUIET, carried_error=CarriedRefused("bad-request"))
    sync._print(refused, 1200)
    said = capsys.readouterr().out
    assert CarriedRefused("bad-request").text in said
    assert sync._object(refused)["carried_error"] == "carried-refused"


def test_nothing_is_said_of_carrying_where_nothing_went_wrong() -> None:
    assert "carried_error" not in sync._object(QUIET)
    assert "error" not in sync._object(QUIET)
