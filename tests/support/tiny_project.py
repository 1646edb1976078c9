"""A project of three files and an index of one package, so that the set-up scripts can be run for
real, without a network, in a second or two.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

_PYPROJECT = """\
[build-system]
requires = ["tiny-backend"]
build-backend = "tiny_backend"

[project]
name = "tiny"
version = "1.0"
"""

_BACKEND = """\
import pathlib
import zipfile

INFO = "tiny-1.0.dist-info/"
METADATA = "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n"
WHEEL = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w") as archive:
        archive.writestr("tiny.pth", str(pathlib.Path.cwd()))
        archive.writestr(INFO + "METADATA", METADATA)
        archive.writestr(INFO + "WHEEL", WHEEL)
        archive.writestr(INFO + "RECORD", "")
    return name
"""

_METADATA = "Metadata-Version: 2.1\nName: tiny-backend\nVersion: 1.0\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def make_tiny_project(root: Path) -> Path:
    """Write the project, its index and its lock; give the project's folder."""
    project = root / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(_PYPROJECT, encoding="utf-8")
    (project / "tiny_product.py").write_text("FOUND = True\n", encoding="utf-8")
    page = root / "index" / "tiny-backend"
    page.mkdir(parents=True)
    wheel = page / "tiny_backend-1.0-py3-none-any.whl"
    _write_wheel(wheel)
    (page / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>', encoding="utf-8")
    write_lock(project, hashlib.sha256(wheel.read_bytes()).hexdigest())
    return project


def write_lock(project: Path, digest: str) -> None:
    """Pin the one package to a file of this SHA-256."""
    text = f"tiny-backend==1.0 \\\n    --hash=sha256:{digest}\n"
    (project / "requirements.lock").write_text(text, encoding="utf-8")


def run_set_up(project: Path, *, index: str | None = None) -> subprocess.CompletedProcess[str]:
    """Set the project up with pip, as scripts/demo.py would, with nobody at the keyboard."""
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from _setup import run_in_environment;"
        "sys.exit(run_in_environment(lambda environment: 0, Path(sys.argv[2])))"
    )
    settings = {
        "PATH": "",  # no uv
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_CONSTRAINT": "",
        "PIP_RETRIES": "1",
        "PIP_INDEX_URL": index or (project.parent / "index").as_uri(),
    }
    return subprocess.run(
        [sys.executable, "-c", code, str(SCRIPTS), str(project)],
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
    )


def _write_wheel(path: Path) -> None:
    info = "tiny_backend-1.0.dist-info"
    members = {
        "tiny_backend.py": _BACKEND,
        f"{info}/METADATA": _METADATA,
        f"{info}/WHEEL": _WHEEL,
    }
    record = [f"{name},{_record_hash(text)},{len(text)}" for name, text in members.items()]
    members[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)


def _record_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
