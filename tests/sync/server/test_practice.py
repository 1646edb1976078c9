"""A programme whose ABHA numbers come from a sandbox says so, from its first file on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sync.programme import open_programme
from sync.server.keys import open_keys
from sync.server.programme import newest_programme, publish_practice
from sync.server.settings import Settings, load_settings
from sync.server.site import initialise, open_store

NOW = 1_780_000_000


def settings_of(home: Path, *, gateway: str = "", cm_id: str = "sbx") -> Settings:
    settings = load_settings(home, {})
    return replace(settings, abdm=replace(settings.abdm, gateway_url=gateway, cm_id=cm_id))


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
