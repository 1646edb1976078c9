"""ABDM workers as processes of an office: started, killed in the midst of a call, started again."""

from __future__ import annotations

import json
import os
import queue
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from practice_abdm import PracticeAbdm
from server_process import environment_without_settings

__all__ = ["Killer", "Nursery", "Worker", "Workers", "configure", "moments", "rows_of"]

_ROOT = Path(__file__).resolve().parents[2]
_ROUNDS_MAX = 60


def configure(home: Path, abdm: PracticeAbdm, **changes: Any) -> None:
    """Write the office's table ``[abdm]``, in the place of an earlier one."""
    known = abdm.settings
    values: dict[str, Any] = {
        "gateway_url": known.gateway_url,
        "abha_url": known.abha_url,
        "cm_id": known.cm_id,
        "client_id": known.client_id,
        "client_secret": known.client_secret,
        "benefit": known.benefit,
        "timeout_seconds": 5,
        **changes,
    }
    path = home / "server.toml"
    before = path.read_text(encoding="utf-8").partition("\n[abdm]")[0]
    lines = [f"{name} = {_toml(value)}" for name, value in values.items()]
    path.write_text("\n".join([before, "[abdm]", *lines, ""]), encoding="utf-8")


class Worker:
    """A worker process; its exit code is negative when a signal ended it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.code: int | None = None
        self.is_over = threading.Event()

    def wait(self) -> int | None:
        """Wait for its end and give the exit code."""
        assert self.is_over.wait(timeout=120), "it does not end"
        return self.code

    def send(self, number: signal.Signals) -> bool:
        """Send a signal, unless it has ended; tell which."""
        if not self.is_over.is_set():
            os.kill(self.pid, number)  # its number stays its own until it has been waited for
        return not self.is_over.is_set()

    def kill(self) -> bool:
        """Take its power away; tell whether it had any."""
        return self.send(signal.SIGKILL) and self.wait() == -signal.SIGKILL


class Nursery:
    """A process that has read all modules, and gives birth to workers that need not read them.

    What such a worker does is what the command does; tests of the command start the command.
    """

    def __init__(self, home: Path, temporary: Path) -> None:
        self._born: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._workers: dict[int, Worker] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _NURSERY, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=_ROOT,
            env={**environment_without_settings(), "TMPDIR": str(temporary)},
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def bear(self, *options: str) -> Worker:
        """Start a worker."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(options) + "\n")
        return self._born.get(timeout=60)

    def close(self) -> None:
        """End it; its workers have ended before."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._reader.join(timeout=60)
        self._process.stdout.close()
        self._process.wait(timeout=60)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, pid, code = json.loads(line)
            if word == "born":
                self._workers[pid] = Worker(pid)
                self._born.put(self._workers[pid])
            else:
                self._workers[pid].code = code
                self._workers[pid].is_over.set()


_NURSERY = """
import json, os, signal, sys
import sync.server.working
from sync.server.cli import main

def say(*words):
    os.write(1, (json.dumps(words) + chr(10)).encode())

def reap(*_):
    while living:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        living.discard(pid)
        say("gone", pid, os.waitstatus_to_exitcode(status))

def work(home, options):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    log = os.open(os.path.join(home, "worker.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    quiet = os.open(os.devnull, os.O_RDWR)
    for old, new in ((quiet, 0), (quiet, 1), (log, 2)):
        os.dup2(old, new)
    sys.argv = ["enrollkit-server", "worker", "--home", home, *options]
    main()

living = set()
signal.signal(signal.SIGCHLD, reap)
for line in sys.stdin:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    pid = os.fork()
    if pid == 0:
        work(sys.argv[1], json.loads(line))
        sys.exit(0)
    living.add(pid)
    say("born", pid, None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
"""


@dataclass(slots=True, kw_only=True)
class Workers:
    """The workers of an office; ``temporary`` is where they would put what they put aside."""

    home: Path
    temporary: Path
    nursery: Nursery
    live: list[Worker] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.home / "worker.log"

    def start(self, *options: str) -> Worker:
        worker = self.nursery.bear(*options)
        self.live.append(worker)
        return worker

    def kill_one(self) -> bool:
        """Take the power from one that works; tell whether there was one."""
        return any(worker.kill() for worker in list(self.live))

    def run_until(self, is_done: Callable[[], bool], *, beside: int = 2) -> int:
        """Let workers run once, side by side, and time pass, until it is done; give the rounds."""
        for number in range(1, _ROUNDS_MAX + 1):
            for worker in [self.start("--once") for _ in range(beside)]:
                assert worker.wait() in {0, -signal.SIGKILL}, self.log.read_text()[-4000:]
            self.live.clear()
            if is_done():
                return number
            self.let_time_pass()
        raise AssertionError(f"not done after {_ROUNDS_MAX} rounds")

    def let_time_pass(self) -> None:
        """Nobody works: leases end, and what waits for later is due."""
        with closing(sqlite3.connect(self.home / "enrollkit-server.db")) as database:
            database.execute("UPDATE abdm_jobs SET due_at = 0, claimed_until = 0")
            database.commit()

    def end(self) -> None:
        for worker in self.live:
            worker.kill()
        self.nursery.close()


class Killer:
    """Takes the power from a worker at moments of the practice ABDM's own journal.

    ``moments`` are numbers of events: a request came (nothing is done), something was done for it
    (no reply has left), its reply leaves, its reply has left.
    """

    STEPS = ("begin", "note_outcome", "note_sent", "end")

    def __init__(self, workers: Workers, moments: Sequence[int]) -> None:
        self._workers = workers
        self._moments = set(moments)
        self._count = 0
        self._lock = threading.Lock()
        self.killed: Counter[str] = Counter()

    @contextmanager
    def listening(self, abdm: PracticeAbdm) -> Iterator[None]:
        """Hear of every event while this lasts."""
        journal = abdm.sandbox.journal
        for step in self.STEPS:
            setattr(journal, step, self._heard(step, getattr(journal, step)))
        try:
            yield
        finally:
            for step in self.STEPS:
                delattr(journal, step)

    def _heard(self, step: str, tell: Callable[..., Any]) -> Callable[..., Any]:
        def told(*arguments: Any) -> Any:
            answer = tell(*arguments)
            with self._lock:
                self._count += 1
                is_the_moment = self._count in self._moments
                if is_the_moment and self._workers.kill_one():
                    self.killed[step] += 1
            return answer

        return told


def moments(seed: int, count: int, upto: int) -> list[int]:
    """Give so many moments out of a seed, with something between them."""
    dice = random.Random(seed)
    width = upto // count
    return [place * width + dice.randrange(1, width) for place in range(count)]


def rows_of(home: Path, sql: str) -> list[Mapping[str, Any]]:
    """Ask the office's database."""
    path = home / "enrollkit-server.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(sql).fetchall()]


def _toml(value: Any) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'
