"""Fills ``.venv`` with exactly the locked packages: with uv where it is installed, else with venv
and pip from ``requirements.lock``, whose hashes are checked, and nothing built from source.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from _environment import Environment
from _watched import PackageCounter, SetupFailed, run_watched, say

_IN_VENV = {"bin", "include", "lib", "lib64", "Scripts", "Include", "Lib"}
_FOREIGN_SETTINGS = (
    # These would send the packages elsewhere than into .venv, or the tools to another one.
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)


def install_with_uv(environment: Environment) -> bool:
    """Give True when uv is there and did it; the mark stays until the caller has its stamp."""
    uv = shutil.which("uv")
    if uv is None:
        return False
    say("      with uv, from uv.lock")
    command = [uv, "sync", "--frozen", "--all-groups", "--extra", "server", "--inexact"]
    command += ["--reinstall"] if environment.mark.exists() else []
    command += [] if environment.works() else ["--python", _base_python()]
    settings = _clean_settings() | {
        "UV_PROJECT_ENVIRONMENT": str(environment.folder),
        "UV_PYTHON_DOWNLOADS": "never",
    }
    environment.mark.touch()
    done = subprocess.run(
        command, check=False, cwd=environment.root, env=settings, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        say("      uv could not; going on with pip")
    return done.returncode == 0


def install_with_pip(environment: Environment, wanted: dict[str, str]) -> None:
    """Fetch first, then install without a network, so that a lost line changes nothing."""
    if not environment.works():
        _create(environment)
    elif not environment.has_pip():
        _run(environment, [environment.python, "-I", "-m", "ensurepip", "--upgrade"])
    if environment.found().get("packages") != wanted["packages"]:
        _download(environment)
        if environment.mark.exists():  # a cut install is begun again from nothing
            _create(environment)
        environment.mark.touch()
        _install_packages(environment)
    _install_project(environment)
    shutil.rmtree(environment.work / "wheels", ignore_errors=True)


def _create(environment: Environment) -> None:
    folder = environment.folder
    inside = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if "pyvenv.cfg" not in inside and inside - _IN_VENV:
        raise SetupFailed(f"{folder} holds something that is no Python environment. Move it away.")
    say("      making .venv")
    _run(environment, [_base_python(), "-I", "-m", "venv", "--clear", folder])


def _download(environment: Environment) -> None:
    text = environment.requirements.read_text(encoding="utf-8")
    total = sum("==" in line for line in text.splitlines())
    say(f"      fetching about {total} packages with pip; each one's hash is checked")
    counter = PackageCounter(total)
    wheels = environment.work / "wheels"
    options: list[str | Path] = [
        "--require-hashes",
        "--only-binary=:all:",
        "--find-links",
        wheels,
        "--dest",
        wheels,
    ]
    wheels.mkdir(exist_ok=True)
    try:
        _pip(environment, "download", *options, "-r", environment.requirements, on_line=counter)
    finally:
        counter.finish()


def _install_packages(environment: Environment) -> None:
    say("      installing them")
    options: list[str | Path] = [
        "--no-index",
        "--find-links",
        environment.work / "wheels",
        "--require-hashes",
    ]
    options += ["--no-deps", "--no-compile"]  # the lock names all; Python compiles what it uses
    _pip(environment, "install", *options, "-r", environment.requirements)


def _install_project(environment: Environment) -> None:
    say("      installing the project itself, where it lies")
    options: list[str | Path] = ["--no-index", "--no-deps", "--no-build-isolation", "--editable"]
    _pip(environment, "install", *options, environment.root)


def _pip(
    environment: Environment,
    verb: str,
    *arguments: str | Path,
    on_line: Callable[[str], None] = lambda _line: None,
) -> None:
    command = [environment.python, "-I", "-m", "pip", verb, *arguments]
    _run(environment, command, on_line)


def _run(
    environment: Environment,
    command: list[str | Path],
    on_line: Callable[[str], None] = lambda _line: None,
) -> None:
    run_watched(command, environ=_clean_settings(), log=environment.log, on_line=on_line)


def _base_python() -> str:
    # Started from inside a virtual environment, venv would otherwise build on that one.
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def _clean_settings() -> dict[str, str]:
    """This process's environment variables without those that would lead an install astray."""
    environ = {name: value for name, value in os.environ.items() if name not in _FOREIGN_SETTINGS}
    return environ | {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_USER": "0",
        "PIP_REQUIRE_HASHES": "0",
        "PYTHONUTF8": "1",
    }
