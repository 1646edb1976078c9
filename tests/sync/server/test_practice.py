"""A programme whose ABHA numbers come from a sandbox says so, from its first file on."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from sync.programme import open_programme
from sync.server.errors import AbdmNotSetUp, SettingsInvalid
from sync.server.keys import open_keys
from sync.server.programme import newest_programme, publish_practice
from sync.server.settings import Settings, load_settings
from sync.server.site import initialise, open_store
from sync.server.working import work

NOW = 1_780_000_000


def settings_of(home: Path, *, gateway: str = "", cm_id: str = "sbx") -> Settings:
    settings = load_settings(home, {})
    abdm = replace(settings.abdm, gateway_url=gateway, cm_id=cm_id)
    return replace(settings, abdm=abdm, log_file=home / "server.log")


def made(settings: Settings) -> bool:
    return initialise(settings, name="A programme", url="http://127.0.0.1:9", now=NOW).practice


def issued(settings: Settings) -> tuple[int, bool]:
    """Give serial and practice of the newest programme, after what a server does at its start."""
    keys = open_keys(settings.home, None)
    with open_store(settings) as store, store.write() as connection:
        publish_practice(connection, keys, now=NOW + 10)
        serial, signed = newest_programme(connection)
    return serial, open_programme(signed, keys.signing.public).practice


def test_a_programme_that_begins_with_a_sandbox_is_one_for_practice(tmp_path: Path) -> None:
    assert made(settings_of(tmp_path, gateway="http://127.0.0.1:8100"))


def test_a_programme_that_begins_without_any_abdm_enrolls_real_people(tmp_path: Path) -> None:
    assert not made(settings_of(tmp_path))


def test_a_programme_that_begins_with_the_real_abdm_is_a_real_one(tmp_path: Path) -> None:
    assert not made(settings_of(tmp_path, gateway="https://live.example", cm_id="abdm"))


def test_going_live_is_told_to_laptops_with_the_next_programme(tmp_path: Path) -> None:
    made(settings_of(tmp_path, gateway="http://127.0.0.1:8100"))
    live = settings_of(tmp_path, gateway="https://live.example", cm_id="abdm")
    first = issued(live)
    assert first == (NOW + 10, False)
    assert issued(live) == first, "told once"


def test_a_process_that_knows_no_abdm_changes_nothing(tmp_path: Path) -> None:
    made(settings_of(tmp_path, gateway="http://127.0.0.1:8100"))
    assert issued(settings_of(tmp_path)) == (1, True)


def worker_says(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let a worker start that finds nothing to do, and give what it says."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    abdm = replace(settings.abdm, abha_url="http://127.0.0.1:9", client_id="x", client_secret="x")
    ready, said = replace(settings, abdm=abdm), list[str]()
    work(ready, reload=lambda: ready, once=True, say=said.append)
    return "\n".join(said)


def programmes(settings: Settings) -> list[tuple[int, bool]]:
    with open_store(settings) as store, store.read() as connection:
        serial, signed = newest_programme(connection)
    return [(serial, open_programme(signed, None).practice)]


def test_a_worker_that_begins_to_practise_tells_the_laptops_beside_a_server_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(settings_of(tmp_path))
    practising = settings_of(tmp_path, gateway="http://127.0.0.1:8100")
    assert "for PRACTICE. The laptops hear of it" in worker_says(practising, monkeypatch)
    [(serial, is_practice)] = programmes(practising)
    assert (serial > 1, is_practice) == (True, True)
    assert "PRACTICE" not in worker_says(practising, monkeypatch), "told once"
    assert programmes(practising) == [(serial, True)]


def test_a_worker_that_goes_live_tells_the_laptops_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(settings_of(tmp_path, gateway="http://127.0.0.1:8100"))
    live = settings_of(tmp_path, gateway="http://127.0.0.1:8101", cm_id="abdm")
    assert "real from now on" in worker_says(live, monkeypatch)
    assert [is_practice for _, is_practice in programmes(live)] == [False]


def test_a_worker_without_the_signing_key_says_who_can_tell_the_laptops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(settings_of(tmp_path))
    (tmp_path / "keys.json").write_text("{}")
    practising = settings_of(tmp_path, gateway="http://127.0.0.1:8100")
    assert "Start run again" in worker_says(practising, monkeypatch)
    assert programmes(practising) == [(1, False)]


def test_a_worker_before_any_setting_says_where_to_begin(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    made(settings)
    with pytest.raises(AbdmNotSetUp) as caught:
        work(settings, reload=lambda: settings, once=True, say=print)
    assert "[abdm] in server.toml" in caught.value.text
    assert "enrollkit-server sandbox" in caught.value.text


def test_a_worker_without_one_of_the_settings_names_it(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, gateway="http://127.0.0.1:8100")
    made(settings)
    with pytest.raises(SettingsInvalid, match=r"abdm\.abha_url"):
        work(settings, reload=lambda: settings, once=True, say=print)
