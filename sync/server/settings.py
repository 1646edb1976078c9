"""Where a server keeps things and how much it takes at once: ``server.toml``, then environment."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from sync.server.abdm.settings import ABDM_TEMPLATE, AbdmSettings, read_abdm
from sync.server.errors import SettingsInvalid, SettingsUnreadable

__all__ = ["FILE_NAME", "Settings", "load_settings", "write_settings"]

FILE_NAME: Final = "server.toml"
_CAUSE_LETTERS_MAX: Final = 200
_DATABASE_FILE: Final = "enrollkit-server.db"
_TEMPLATE: Final = """\
# Settings of this enrollkit server. Each line shows the default; remove the # to change it.
# The passphrase of the key files is never written here: ENROLLKIT_SERVER_PASSPHRASE.

# SQLAlchemy address of the database (or ENROLLKIT_SERVER_DB). No server has run on PostgreSQL yet.
#db = "sqlite:///enrollkit-server.db"

# The log, one JSON object a line; without it the log goes to standard error.
#log_file = "server.log"

# A request that sends nothing for so long is given up.
#idle_seconds_max = 120

# A request must bring so many bytes a second on average, once its first minute is over, and its
# first message that holds within five minutes.
#bytes_per_second_min = 50
#grace_seconds = 60
#first_item_seconds_max = 300

# The head of a request must arrive within so many seconds.
#head_seconds_max = 30

# Requests in work at the same time; more are asked to come again. Requests that no approved laptop
# has signed yet get half of them; when those are taken, the slowest goes after its fair seconds.
#requests_max = 64
#fair_seconds = 10

# Connections open at the same time; beyond it, those that ask for nothing are closed.
#connections_max = 512

# Laptops waiting for approval; when there are more, the one that called longest ago is forgotten
# (it introduces itself again when it calls), and so is one that did not call for so many days.
#pending_devices_max = 1000
#pending_days_max = 30
"""


_NUMBERS: Final = frozenset({
    "bytes_per_second_min",
    "connections_max",
    "fair_seconds",
    "first_item_seconds_max",
    "grace_seconds",
    "head_seconds_max",
    "idle_seconds_max",
    "pending_days_max",
    "pending_devices_max",
    "requests_max",
})  # fmt: skip
"""The settings that are whole numbers above zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. ``passphrase`` opens the key files and is never printed."""

    home: Path
    db: str
    log_file: Path | None = None
    idle_seconds_max: int = 120
    bytes_per_second_min: int = 50
    grace_seconds: int = 60
    first_item_seconds_max: int = 300
    head_seconds_max: int = 30
    requests_max: int = 64
    fair_seconds: int = 10
    connections_max: int = 512
    pending_devices_max: int = 1000
    pending_days_max: int = 30
    abdm: AbdmSettings = field(default_factory=AbdmSettings)
    passphrase: str | None = field(default=None, repr=False)


def load_settings(home: Path, environment: Mapping[str, str]) -> Settings:
    """Read ``server.toml`` of the home, then the environment; ``SettingsInvalid`` names a fault."""
    home = home.expanduser().absolute()
    settings = Settings(home=home, db=f"sqlite:///{home / _DATABASE_FILE}")
    table = _read(home / FILE_NAME)
    abdm = table.pop("abdm", {})
    if not isinstance(abdm, dict):
        raise SettingsInvalid("abdm")
    settings = replace(_with_file(settings, table), abdm=read_abdm(abdm, environment))
    if db := environment.get("ENROLLKIT_SERVER_DB"):
        settings = replace(settings, db=db)
    return replace(settings, passphrase=environment.get("ENROLLKIT_SERVER_PASSPHRASE") or None)


def write_settings(home: Path) -> None:
    """Write a ``server.toml`` that shows every setting; one that is there stays as it is."""
    try:
        with (home / FILE_NAME).open("x", encoding="utf-8") as file:
            file.write(_TEMPLATE + ABDM_TEMPLATE)
    except FileExistsError:
        return


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        # It tells line and column, and quotes names of settings and single letters, but no value.
        raise SettingsUnreadable(" ".join(str(error).split())[:_CAUSE_LETTERS_MAX]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsUnreadable(f"a letter that is not UTF-8 (at line {line})") from error
    except OSError as error:
        raise SettingsUnreadable(error.strerror or "the disk") from error


def _with_file(settings: Settings, table: Mapping[str, Any]) -> Settings:
    changes: dict[str, Any] = {}
    for name, value in table.items():
        match name:
            case "db" if isinstance(value, str):
                changes[name] = _anchored(value, settings.home)
            case "log_file" if isinstance(value, str):
                changes[name] = settings.home / value
            case _ if name in _NUMBERS and type(value) is int and value > 0:
                changes[name] = value
            case _:
                raise SettingsInvalid(name)
    return replace(settings, **changes)


def _anchored(db: str, home: Path) -> str:
    """Read a relative SQLite path as one in the home, wherever the command was typed."""
    scheme, _, path = db.partition(":///")
    if scheme != "sqlite" or not path or path.startswith("/"):
        return db
    return f"sqlite:///{home / path}"
