"""The hashed export for pip, uv.lock and pyproject.toml say the same."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import locked_packages
from locked_packages import PROJECT, ROOT, hashes, needed, pinned_version

REMEDY = (
    "run: uv lock && uv export --frozen --all-groups --extra server --no-emit-project "
    "--format requirements-txt -o requirements.lock"
)


@pytest.fixture(scope="module")
def uv_lock() -> dict[str, dict[str, Any]]:
    return locked_packages.read_uv_lock()


@pytest.fixture(scope="module")
def requirements() -> dict[str, str]:
    return locked_packages.read_requirements()


def test_the_export_names_every_package_that_a_developer_needs_and_no_other(
    requirements: dict[str, str],
) -> None:
    assert set(requirements) == needed(extras=("server",), groups=("dev",)), REMEDY


def test_the_export_pins_the_versions_of_the_lock(
    requirements: dict[str, str], uv_lock: dict[str, dict[str, Any]]
) -> None:
    exported = {name: pinned_version(block) for name, block in requirements.items()}
    assert exported == {name: uv_lock[name]["version"] for name in exported}, REMEDY


def test_the_export_allows_exactly_the_files_of_the_lock(
    requirements: dict[str, str], uv_lock: dict[str, dict[str, Any]]
) -> None:
    for name, block in requirements.items():
        package = uv_lock[name]
        files = [*package["wheels"], *([package["sdist"]] if "sdist" in package else [])]
        assert hashes(block) == {file["hash"] for file in files}, f"{name}: {REMEDY}"


def test_every_locked_package_has_a_wheel_so_that_nothing_is_built_from_source(
    uv_lock: dict[str, dict[str, Any]],
) -> None:
    without = [name for name, package in uv_lock.items() if not package.get("wheels")]
    assert without == [PROJECT]


def test_the_lock_was_made_from_the_requirements_of_pyproject(
    uv_lock: dict[str, dict[str, Any]],
) -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = pyproject["project"]
    wanted = {_plain(Requirement(text)) for text in project["dependencies"]}
    for extra, texts in project["optional-dependencies"].items():
        wanted |= {_plain(Requirement(f'{text}; extra == "{extra}"')) for text in texts}
    metadata = uv_lock[PROJECT]["metadata"]
    assert wanted == {_locked(entry) for entry in metadata["requires-dist"]}, REMEDY

    groups = pyproject["dependency-groups"]
    for group, texts in groups.items():
        locked = {_locked(entry) for entry in metadata["requires-dev"][group]}
        assert locked == {_plain(Requirement(text)) for text in texts}, REMEDY


def test_uv_itself_finds_the_lock_and_its_export_up_to_date() -> None:
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not on PATH; the tests above compare the files without it")
    command = [uv, "export", "--frozen", "--all-groups", "--extra", "server", "--no-emit-project"]
    command += ["--format", "requirements-txt", "--no-header", "--offline"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    committed = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    body = [line for line in committed if not line.startswith("#")]
    assert done.stdout.splitlines() == body, REMEDY


def _plain(requirement: Requirement) -> tuple[str, str, str, str]:
    marker = str(requirement.marker or "").replace('"', "'")
    return (
        canonicalize_name(requirement.name),
        ",".join(sorted(requirement.extras)),
        str(requirement.specifier),
        marker.replace("python_version", "python_full_version"),
    )


def _locked(entry: dict[str, Any]) -> tuple[str, str, str, str]:
    specifier = str(Requirement(f"x{entry.get('specifier', '')}").specifier)
    marker = entry.get("marker", "").replace('"', "'")
    return entry["name"], ",".join(sorted(entry.get("extras", ()))), specifier, marker
