"""How many people a minute one ABDM worker finishes, with ABDM answering in 300 ms.

Usage: worker.py [PEOPLE [CONCURRENCY…]]. Budget: 600 a minute with the default of 16 calls at a
time. Real processes throughout: a laptop enrolls and syncs, the practice ABDM answers, the worker
runs once on a copy of the office for each concurrency. Each person costs three calls.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

if __name__ == "__main__":
    # Beside this file lies sync.py, which is not the package of that name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from schemas.formats import is_aadhaar

_ROOT: Final = Path(__file__).resolve().parents[2]
_SERVER: Final = (sys.executable, "-m", "sync.server")
_KIT: Final = (sys.executable, "-m", "enrollkit")
_PRACTICE: Final = """
import sync.server.sandbox.app as app
from sync.server.cli import main
draw, drawn = app.card_png, []
app.card_png = lambda account: drawn[0] if drawn else (drawn.append(draw(account)) or drawn[0])
main()
"""
"""A practice ABDM that draws one card for all: drawing costs more than all the rest, and ABDM does
it elsewhere."""
_LATENCY_MS: Final = 300
_DISTRICTS: Final = ((8, 88, "327023"), (27, 488, "422001"), (10, 203, "803101"))


def main(arguments: list[str]) -> int:
    """Enroll, then work once for each concurrency, and print people a minute."""
    numbers = [int(each) for each in arguments] or [600]
    count, widths = numbers[0], numbers[1:] or [4, 16, 32]
    with tempfile.TemporaryDirectory() as folder:
        office = _office(Path(folder), count)
        for width in widths:
            home = Path(shutil.copytree(office, Path(folder) / f"office{width}"))
            with _practice(width) as settings:
                (home / "server.toml").write_text(settings, encoding="utf-8")
                seconds, cpu, told = _work(home)
            issued = _status(home)["by_state"].get("ISSUED", 0)
            print(
                f"{width:>3} calls at a time: {issued} of {count} people in {seconds:6.1f} s, "
                f"{issued / seconds * 60:6.0f} a minute; {cpu / max(issued, 1) * 1000:4.0f} ms of "
                f"processor each   {told}"
            )
    return 0


def _office(folder: Path, count: int) -> Path:
    """Make an office that holds so many people, brought by a laptop."""
    office, laptop, programme = folder / "office", folder / "laptop", folder / "programme.ekp"
    rows = folder / "people.jsonl"
    rows.write_text("".join(json.dumps(_person(n)) + "\n" for n in range(count)), encoding="utf-8")
    at_office = ("--home", str(office))
    address = "http://127.0.0.1:8765"
    _run(*_SERVER, "init", "--name", "Bench", "--url", address, *at_office)
    _run(*_SERVER, "programme", "export", "-o", str(programme), *at_office)
    at_laptop = {"ENROLLKIT_HOME": str(laptop), "ENROLLKIT_PASSPHRASE": "marigold tractor seven"}
    made = _run(
        *_KIT, "init", "--programme", str(programme), "--operator", "Asha", "--json", **at_laptop
    )
    _run(*_SERVER, "device", "approve", json.loads(made)["approval_code"], *at_office)
    _run(*_KIT, "enroll", str(rows), "--json", **at_laptop)
    with _listening(*_SERVER, "run", "--port", "8765", *at_office):
        _run(*_KIT, "sync", "--json", **at_laptop)
    return office


@contextmanager
def _practice(width: int) -> Iterator[str]:
    """Run a practice ABDM; give the settings with which a worker reaches it."""
    options = ("--port", "0", "--latency-ms", str(_LATENCY_MS))
    command = (sys.executable, "-c", _PRACTICE, "sandbox", *options)
    with _listening(*command) as said:
        table = said[said.index("[abdm]") :]
        lines = [line for line in table.splitlines() if re.match(r"\[abdm\]|\w+ = ", line)]
        yield "\n".join([*lines, f"concurrency = {width}", ""])


def _work(home: Path) -> tuple[float, float, str]:
    """Run the worker once; give the seconds between its first and its last line, those of the
    processor (its start included), and its words.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*_SERVER, "worker", "--once", "--home", str(home)],
        capture_output=True, check=True, text=True, cwd=_ROOT,
    )  # fmt: skip
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    moments = {
        each["event"]: _seconds(each["timestamp"])
        for each in events
        if each["event"] in {"worker-began", "worker-ended"}
    }
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return moments["worker-ended"] - moments["worker-began"], cpu, done.stdout.strip()


def _status(home: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(_run(*_SERVER, "status", "--json", "--home", str(home)))
    return told


def _person(number: int) -> dict[str, Any]:
    stem = f"9999{number:07d}"
    state, district, pincode = _DISTRICTS[number % len(_DISTRICTS)]
    return {
        "name": f"Bench {chr(65 + number % 26)}{chr(97 + number // 26 % 26)} Devi",
        "gender": "F",
        "birth": {"year": 1940 + number % 60, "month": 1 + number % 12, "day": 1 + number % 28},
        "mobile_owner": "none",
        "address": {
            "line": f"House {number}",
            "village": "Garhi",
            "pincode": pincode,
            "state": state,
            "district": district,
        },
        "aadhaar": next(stem + last for last in "0123456789" if is_aadhaar(stem + last)),
        "consent": {
            "version": "1.4",
            "language": "hi",
            "method": "signature",
            "given_at": "2026-11-11T10:00:00+05:30",
        },
        "language": "hi",
        "household": f"HH-{number:05d}",
        "camp": "BENCH",
    }


@contextmanager
def _listening(*command: str) -> Iterator[str]:
    """Run a command that listens; give what it said until it did."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=_ROOT
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        said = ""
        while "listening" not in said:
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"{command[3]} ended: {said}")
            said += line
        try:
            yield said
        finally:
            process.terminate()


def _run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=_ROOT,
        check=False,
        env={**os.environ, **environment},
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[2:])}: {done.stdout[-500:]} {done.stderr[-500:]}")
    return done.stdout


def _seconds(stamp: str) -> float:
    whole, _, rest = stamp.rstrip("Z").partition(".")
    moment = time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
    return moment + float(f"0.{rest or 0}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
