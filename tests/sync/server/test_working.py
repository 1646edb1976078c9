from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sync.server import working
from sync.server.abdm.settings import AbdmSettings
from sync.server.logs import Log
from sync.server.settings import Settings

GOOD = AbdmSettings(
    gateway_url="http://127.0.0.1:1",
    abha_url="http://127.0.0.1:1/abha",
    client_id="c",
    client_secret="s",
    benefit="CAMP",
)


def reading(tmp_path: Path, abdm: AbdmSettings) -> Callable[[], Settings]:
    return lambda: replace(Settings(home=tmp_path, db=""), abdm=abdm)


def test_settings_that_no_client_takes_are_logged_and_not_taken_up(tmp_path: Path) -> None:
    stream = io.StringIO()
    half = replace(GOOD, client_id="other", client_secret="")
    assert not working._is_other(reading(tmp_path, half), GOOD, Log(stream))
    assert json.loads(stream.getvalue())["name"] == "abdm.client_secret"


def test_other_settings_that_a_client_takes_are_taken_up(tmp_path: Path) -> None:
    log = Log(io.StringIO())
    assert working._is_other(reading(tmp_path, replace(GOOD, benefit="OTHER")), GOOD, log)
    assert not working._is_other(reading(tmp_path, GOOD), GOOD, log)


def test_a_worker_that_crashes_leaves_no_core_file(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    told: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda *limit: told.append(limit))
    working._leave_no_core()
    assert told == [(resource.RLIMIT_CORE, (0, 0))]
