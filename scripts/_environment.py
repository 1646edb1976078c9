"""Where one checkout's Python environment lies, what it must be made from, and what it was."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

MINIMUM = (3, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where everything of one checkout's environment lies."""

    root: Path

    @property
    def folder(self) -> Path:
        """The virtual environment itself."""
        return self.root / ".venv"

    @property
    def scripts(self) -> Path:
        """The folder of the environment's commands."""
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.scripts / ("python.exe" if os.name == "nt" else "python")

    @property
    def requirements(self) -> Path:
        """Every package with version and hashes, exported from uv.lock."""
        return self.root / "requirements.lock"

    @property
    def stamp(self) -> Path:
        """Digests of what the environment was made from."""
        return self.folder / "enrollkit-setup.json"

    @property
    def work(self) -> Path:
        """Downloads, the log and the mark of an install under way; not under version control."""
        return self.root / "build" / "setup"

    @property
    def mark(self) -> Path:
        """Exists while an install is under way, and after one that was cut."""
        return self.work / "under-way"

    @property
    def log(self) -> Path:
        """The output of the last command that failed."""
        return self.work / "setup.log"

    def wanted(self) -> dict[str, str]:
        """The digests the stamp must hold: of the packages, and of the project's own metadata."""
        project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        tables = [project.get("project"), project.get("build-system"), str(self.root)]
        return {
            "packages": hashlib.sha256(self.requirements.read_bytes()).hexdigest(),
            "project": hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest(),
        }

    def found(self) -> dict[str, str]:
        """The digests in the stamp; none when nothing was finished, or an install was cut."""
        if self.mark.exists():
            return {}
        try:
            stamp = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def works(self) -> bool:
        """Whether its interpreter starts and is new enough."""
        probe = f"import sys; sys.exit(sys.version_info < {MINIMUM})"
        return self._succeeds("-c", probe)

    def has_pip(self) -> bool:
        """Whether pip is inside; uv leaves it out."""
        return self._succeeds("-m", "pip", "--version")

    def _succeeds(self, *arguments: str) -> bool:
        try:
            done = subprocess.run(
                [self.python, "-I", *arguments],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            return False
        return done.returncode == 0
