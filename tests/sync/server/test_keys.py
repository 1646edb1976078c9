from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path

import pytest

from server_laptops import CHEAP
from sync.server.errors import FileUnusable, KeysDamaged, KeysLocked, ServerNotInitialised
from sync.server.keys import create_keys, keys_exist, open_keys, open_vault


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_keys_come_back_as_they_were_made(tmp_path: Path, passphrase: str | None) -> None:
    made = create_keys(tmp_path, passphrase, CHEAP)
    found = open_keys(tmp_path, passphrase)
    assert found.signing.to_bytes() == made.signing.to_bytes()
    assert found.ingest.to_bytes() == made.ingest.to_bytes()
    assert found.recovery.to_bytes() == made.recovery.to_bytes()
    assert open_vault(tmp_path, passphrase).public.raw == made.vault.raw


def test_the_files_are_the_owners_alone(tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("Windows has no mode bits")
    create_keys(tmp_path, None, CHEAP)
    for name in ("keys.json", "vault.json"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys.json", "vault.json"]


def test_the_servers_file_does_not_hold_the_vault_key(tmp_path: Path) -> None:
    create_keys(tmp_path, None, CHEAP)
    private = open_vault(tmp_path, None).to_bytes().hex()
    assert private in (tmp_path / "vault.json").read_text()
    assert private not in (tmp_path / "keys.json").read_text()
    (tmp_path / "vault.json").unlink()
    assert open_keys(tmp_path, None)


def test_a_passphrase_leaves_no_key_readable(tmp_path: Path) -> None:
    made = create_keys(tmp_path, "correct horse", CHEAP)
    text = (tmp_path / "keys.json").read_text()
    for secret in (made.signing, made.ingest, made.recovery):
        assert secret.to_bytes().hex() not in text
    for wrong in ("incorrect horse", None):
        with pytest.raises(KeysLocked):
            open_keys(tmp_path, wrong)


def test_existing_keys_are_never_written_over(tmp_path: Path) -> None:
    create_keys(tmp_path, None, CHEAP)
    before = (tmp_path / "keys.json").read_bytes()
    with pytest.raises(FileUnusable):
        create_keys(tmp_path, None, CHEAP)
    assert (tmp_path / "keys.json").read_bytes() == before


def test_two_that_make_keys_at_once_leave_one_whole_set(tmp_path: Path) -> None:
    for turn in range(20):
        home = tmp_path / str(turn)
        home.mkdir()
        start = threading.Barrier(2)

        def make(home: Path = home, start: threading.Barrier = start) -> None:
            start.wait()
            with contextlib.suppress(FileUnusable):
                create_keys(home, None, CHEAP)

        threads = [threading.Thread(target=make) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert open_keys(home, None).vault.raw == open_vault(home, None).public.raw


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_a_file_cut_anywhere_is_damaged(tmp_path: Path, passphrase: str | None) -> None:
    create_keys(tmp_path, passphrase, CHEAP)
    path = tmp_path / "keys.json"
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(KeysDamaged):
            open_keys(tmp_path, passphrase)


def test_an_exchanged_public_key_is_noticed(tmp_path: Path) -> None:
    create_keys(tmp_path, "correct horse", CHEAP)
    path = tmp_path / "keys.json"
    content = json.loads(path.read_text())
    content["public"]["vault"] = "00" * 1216
    path.write_text(json.dumps(content))
    with pytest.raises(KeysLocked):
        open_keys(tmp_path, "correct horse")


def test_a_cost_that_would_take_all_memory_is_refused(tmp_path: Path) -> None:
    create_keys(tmp_path, "correct horse", CHEAP)
    path = tmp_path / "keys.json"
    content = json.loads(path.read_text())
    content["sealed"]["memory_kib"] = 2**40
    path.write_text(json.dumps(content))
    with pytest.raises(KeysDamaged):
        open_keys(tmp_path, "correct horse")


def test_half_a_home_is_damaged_and_an_empty_one_is_new(tmp_path: Path) -> None:
    assert not keys_exist(tmp_path)
    with pytest.raises(ServerNotInitialised):
        open_keys(tmp_path, None)
    create_keys(tmp_path, None, CHEAP)
    (tmp_path / "keys.json").unlink()
    with pytest.raises(KeysDamaged):
        keys_exist(tmp_path)


def test_keys_print_as_ids_only(tmp_path: Path) -> None:
    keys = create_keys(tmp_path, None, CHEAP)
    assert repr(keys) == f"ServerKeys({keys.signing.public.id}, <withheld>)"
