"""Reads the two lock files, so that tests can compare them and pick parts of them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "abha-enrollkit"

_PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,-]+\])?==([^ ;\\]+)")


def read_uv_lock() -> dict[str, dict[str, Any]]:
    """Every package of uv.lock by its name."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    return {package["name"]: package for package in lock["package"]}


def read_requirements() -> dict[str, str]:
    """The block of every package of requirements.lock (pin, marker, hashes) by its name."""
    blocks: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if pin := _PIN.match(line):
            current = blocks.setdefault(pin[1], [])
        if not line.lstrip().startswith("#"):
            current.append(line)
    return {name: "\n".join(lines) for name, lines in blocks.items()}


def pinned_version(block: str) -> str:
    """The version that a block of requirements.lock names."""
    pin = _PIN.match(block)
    assert pin is not None, block
    return pin[2]


def hashes(block: str) -> set[str]:
    """The hashes that a block of requirements.lock allows."""
    return set(re.findall(r"--hash=(sha256:[0-9a-f]{64})", block))


def needed(*, extras: tuple[str, ...], groups: tuple[str, ...]) -> set[str]:
    """The names of all packages that the project needs with these extras and groups."""
    packages = read_uv_lock()
    project = packages[PROJECT]
    waiting = list(project["dependencies"])
    for extra in extras:
        waiting += project["optional-dependencies"][extra]
    for group in groups:
        waiting += project["dev-dependencies"][group]
    found: set[tuple[str, str]] = set()
    while waiting:
        dependency = waiting.pop()
        package = packages[dependency["name"]]
        for part in ("", *dependency.get("extra", ())):
            if (package["name"], part) in found:
                continue
            found.add((package["name"], part))
            waiting += (
                package.get("optional-dependencies", {}).get(part, [])
                if part
                else package.get("dependencies", [])
            )
    return {name for name, _part in found} - {PROJECT}
