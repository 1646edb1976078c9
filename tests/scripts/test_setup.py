"""The set-up that every newcomer meets first: from nothing, twice, cut short, without a network."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tiny_project import make_tiny_project, run_set_up, write_lock


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_tiny_project(tmp_path)


def _python(project: Path) -> Path:
    names = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return project.joinpath(".venv", *names)


def _imports(project: Path, names: str) -> bool:
    command = [_python(project), "-I", "-c", f"import {names}"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.mark.slow
def test_a_bare_folder_becomes_an_environment_and_a_second_run_does_nothing(project: Path) -> None:
    first = run_set_up(project)
    assert first.returncode == 0, first.stderr
    assert "ready after" in first.stdout
    assert _imports(project, "tiny_backend, tiny_product")

    second = run_set_up(project)
    assert second.returncode == 0
    assert second.stdout == ""


@pytest.mark.slow
def test_an_install_that_was_cut_is_begun_again_from_nothing(project: Path) -> None:
    assert run_set_up(project).returncode == 0
    (module,) = (project / ".venv").rglob("tiny_backend.py")
    module.unlink()  # its metadata stays, so pip alone would call it installed
    (project / "build" / "setup" / "under-way").touch()

    again = run_set_up(project)
    assert again.returncode == 0, again.stderr
    assert _imports(project, "tiny_backend, tiny_product")


@pytest.mark.slow
def test_a_lost_network_says_so_kindly_and_leaves_what_worked(project: Path) -> None:
    assert run_set_up(project).returncode == 0
    write_lock(project, "0" * 64)

    offline = run_set_up(project, index="http://127.0.0.1:9/simple")
    assert offline.returncode == 1
    assert "Connect this computer to the internet" in offline.stderr
    assert "Traceback" not in offline.stderr
    assert _imports(project, "tiny_backend, tiny_product")


@pytest.mark.slow
def test_a_package_with_another_hash_is_not_installed(project: Path) -> None:
    write_lock(project, "0" * 64)
    refused = run_set_up(project)
    assert refused.returncode == 1
    assert "different from the one this project was tested with" in refused.stderr
    assert not _imports(project, "tiny_backend")


def test_a_folder_that_is_no_environment_is_left_alone(project: Path) -> None:
    precious = project / ".venv" / "notes.txt"
    precious.parent.mkdir()
    precious.write_text("mine", encoding="utf-8")
    refused = run_set_up(project)
    assert refused.returncode == 1
    assert "Move it away" in refused.stderr
    assert precious.read_text(encoding="utf-8") == "mine"
