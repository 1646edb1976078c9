"""What commands print cannot steer the terminal that it is printed on."""

from __future__ import annotations

import json

import pytest

from enrollkit.cli.console import say, say_json

STEERING = "\x1b[2J\x9b2J\x7f\u202eolleh\u2066\u2028\ud800"


def test_json_keeps_every_value_and_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"pointer": f"/{STEERING}", "name": "आशा देवी"}
    say_json(value)
    printed = capsys.readouterr().out
    assert json.loads(printed) == value
    assert "आशा देवी" in printed
    assert not set(STEERING) - set("[2Jolleh") & set(printed)


def test_a_line_for_people_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say(STEERING)
    assert not set(STEERING) - set("[2Jolleh") & set(capsys.readouterr().out)
