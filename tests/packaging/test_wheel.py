"""The wheel holds everything, and works without what only developers have."""

from __future__ import annotations

import fnmatch
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import locked_packages
from locked_packages import ROOT

PACKAGES = ("enrollkit", "sync", "schemas")
UNREACHABLE = (
    "Failed to establish a new connection",
    "Connection refused",
    "name resolution",
    "Read timed out",
    "ProxyError",
    "dns error",
    "error sending request",
)


# The fixtures below cost half a minute: let one process run all of this file.
pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def sources() -> set[str]:
    """The files of the three packages, listed before the wheel is built from them."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "ls-files", "--", *PACKAGES]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        return {path for path in done.stdout.splitlines() if (ROOT / path).is_file()}
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*")]
    return {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def wheel(sources: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def held(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_file_of_the_three_packages(
    held: set[str], sources: set[str]
) -> None:
    assert len(sources) > len(PACKAGES)
    assert not sources - held


@pytest.mark.parametrize(
    "pattern",
    [
        "schemas/json/*.json",
        "sync/dictionaries/*.zdict",
        "enrollkit/reference/data/lgd.json",
        "enrollkit/tui/*.tcss",
        "abha_enrollkit-*.dist-info/entry_points.txt",
        "abha_enrollkit-*.dist-info/licenses/LICENSE",
    ],
)
def test_the_wheel_holds_the_data_that_the_programs_read(held: set[str], pattern: str) -> None:
    assert fnmatch.filter(held, pattern)


def test_the_wheel_holds_nothing_but_the_three_packages(held: set[str]) -> None:
    first_parts = {name.split("/", 1)[0] for name in held}
    strangers = {part for part in first_parts if not part.endswith(".dist-info")} - set(PACKAGES)
    assert not strangers


def test_the_wheel_holds_no_leftovers_of_a_developers_folder(held: set[str]) -> None:
    leftovers = ("*.pyc", "*/__pycache__/*", "*.db", "*.db-wal", "*.ekb", "*.log", "*/.*")
    assert not [name for name in held for mark in leftovers if fnmatch.fnmatch(name, mark)]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh environment with the wheel and its locked requirements, and no developer's tool."""
    folder = tmp_path_factory.mktemp("installed")
    requirements = locked_packages.read_requirements()
    names = sorted(locked_packages.needed(extras=("server",), groups=()))
    chosen = folder / "requirements.txt"
    chosen.write_text("\n".join(requirements[name] for name in names) + "\n", encoding="utf-8")
    uv = shutil.which("uv")
    _install(uv, folder / "venv", ["--require-hashes", "-r", str(chosen)])
    _install(uv, folder / "venv", [str(wheel)])
    yield folder / "venv"
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("program", ["enrollkit", "enrollkit-server"])
def test_an_installed_program_gives_its_help_without_developers_packages(
    installed: Path, tmp_path: Path, program: str
) -> None:
    done = _run_installed([_script(installed, program), "--help"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


@pytest.mark.slow
def test_installed_packages_find_their_data_from_any_folder(
    installed: Path, tmp_path: Path
) -> None:
    code = (
        "import importlib.util, schemas, sync.dictionaries, enrollkit.reference.places;"
        "[schemas.validator(name) for name in schemas.shape_names()];"
        "assert importlib.util.find_spec('pytest') is None"
    )
    done = _run_installed([_script(installed, "python"), "-I", "-c", code], tmp_path)
    assert done.returncode == 0, done.stderr


def _install(uv: str | None, venv: Path, what: list[str]) -> None:
    if not venv.exists():
        make = [uv, "venv", "--quiet"] if uv else [sys.executable, "-m", "venv"]
        subprocess.run([*make, str(venv)], check=True, capture_output=True)
    python = str(_script(venv, "python"))
    if uv:
        command = [uv, "pip", "install", "--quiet", "--python", python, "--no-deps", *what]
    else:
        command = [python, "-m", "pip", "install", "--no-deps", "--no-compile", *what]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode and any(mark in done.stdout + done.stderr for mark in UNREACHABLE):
        pytest.skip("no package index can be reached, so nothing can be installed afresh")
    assert done.returncode == 0, done.stderr


def _script(venv: Path, name: str) -> Path:
    return venv / ("Scripts" if os.name == "nt" else "bin") / name


def _run_installed(command: list[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    inherited = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    environ = inherited | {"ENROLLKIT_HOME": str(cwd / "home"), "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=cwd, env=environ, check=False, capture_output=True, text=True
    )
