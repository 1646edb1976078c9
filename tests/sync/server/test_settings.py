from __future__ import annotations

from pathlib import Path

import pytest

from sync.server.errors import SettingsInvalid, SettingsUnreadable
from sync.server.settings import load_settings, write_settings


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {})
    assert settings.db == f"sqlite:///{tmp_path}/enrollkit-server.db"
    assert settings.passphrase is None


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text('db = "sqlite:///other.db"\nrequests_max = 3\n')
    assert load_settings(tmp_path, {}).db == f"sqlite:///{tmp_path}/other.db"
    settings = load_settings(tmp_path, {"ENROLLKIT_SERVER_DB": "postgresql+psycopg://x/y"})
    assert (settings.db, settings.requests_max) == ("postgresql+psycopg://x/y", 3)


def test_the_file_that_init_writes_changes_nothing(tmp_path: Path) -> None:
    before = load_settings(tmp_path, {})
    write_settings(tmp_path)
    assert load_settings(tmp_path, {}) == before


def test_every_line_of_that_file_can_be_switched_on(tmp_path: Path) -> None:
    write_settings(tmp_path)
    path = tmp_path / "server.toml"
    path.write_text("\n".join(line.removeprefix("#") for line in path.read_text().splitlines()
                              if "=" in line or "[" in line))  # fmt: skip
    assert load_settings(tmp_path, {}).log_file == tmp_path / "server.log"


def test_a_file_of_the_office_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text("requests_max = 3\n")
    write_settings(tmp_path)
    assert load_settings(tmp_path, {}).requests_max == 3


@pytest.mark.parametrize(
    ("text", "blamed"),
    [
        ("colour = 1", "colour"),
        ('requests_max = "many"', "requests_max"),
        ("requests_max = 0", "requests_max"),
        ("idle_seconds_max = true", "idle_seconds_max"),
        ("db = [", "server.toml"),
        ("abdm = 1", "abdm"),
        ("[abdm]\ncolour = 1", "abdm.colour"),
        ("[abdm]\nlease_seconds = 79", "abdm.lease_seconds"),
        ("[abdm]\ntimeout_seconds = 51", "abdm.lease_seconds"),
        ("[abdm]\nconcurrency = 0", "abdm.concurrency"),
        ("[abdm]\nbirth_format = 'yy'", "abdm.birth_format"),
        ("[abdm]\ncm_id = 'live'", "abdm.cm_id"),
        ("[abdm]\ncm_id = ''", "abdm.cm_id"),
        ("[abdm]\nhip_id = 'IN\u0966\u0967'", "abdm.hip_id"),
        ("[abdm]\nhip_id = 'IN 0123456789'", "abdm.hip_id"),
        ("[abdm]\nhip_id = '" + "I" * 41 + "'", "abdm.hip_id"),
        ("[abdm]\nbenefit = '\u0932\u093e\u092d'", "abdm.benefit"),
        ("[abdm]\nbenefit = 'PMJAY '", "abdm.benefit"),
        ("[abdm]\nbenefit_header = 'BENEFIT NAME'", "abdm.benefit_header"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, blamed: str) -> None:
    (tmp_path / "server.toml").write_text(text)
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(tmp_path, {})
    assert blamed in caught.value.text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"requests_max = 3\n[abdm]\nclient_secret = s3cr3t\n", "line 3"),
        (b"[abdm]\n[abdm]\n", "line 2"),
        (b"# \n\nname = '\xff'\n", "line 3"),
        (b"PRACTICE ABDM, for training\n", "line 1"),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_the_line(
    tmp_path: Path, text: bytes, line: str
) -> None:
    (tmp_path / "server.toml").write_bytes(text)
    with pytest.raises(SettingsUnreadable) as caught:
        load_settings(tmp_path, {})
    assert line in caught.value.text
    assert "server.toml" in caught.value.text
    assert "s3cr3t" not in caught.value.text


def test_a_file_that_may_not_be_read_is_refused_with_the_cause(tmp_path: Path) -> None:
    (tmp_path / "server.toml").mkdir()
    with pytest.raises(SettingsUnreadable) as caught:
        load_settings(tmp_path, {})
    assert "directory" in caught.value.text.lower()


def test_the_passphrase_is_not_printed(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {"ENROLLKIT_SERVER_PASSPHRASE": "correct horse"})
    assert settings.passphrase == "correct horse"
    assert "horse" not in repr(settings)
