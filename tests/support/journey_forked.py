"""Real processes of both commands without the wait for imports: forked from one that has them.

A process that runs ``enrollkit`` or ``enrollkit-server`` in a test spends most of its time on
importing. Here one helper process (:mod:`multiprocessing`'s fork server) imports everything once,
and each command is a fork of it: a process of its own, with its own memory, files and sockets, that
the kernel ends as it ends any other. It waits at a gate before it begins, so that somebody who
wants to watch every system call is there from the first.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Final

__all__ = ["Forked", "fork_kit", "fork_server"]

_ROOT: Final = Path(__file__).resolve().parents[2]
_IMPORTED: Final = (
    "enrollkit.cli.main", "enrollkit.app.kit", "enrollkit.app.delivery", "enrollkit.app.setup",
    "enrollkit.app.results", "enrollkit.store.search", "enrollkit.store.lock", "httpx", "httpcore",
    "truststore", "sync.server.cli", "sync.server.serving", "uvicorn.protocols.http.h11_impl",
    "uvicorn.loops.asyncio", "sqlalchemy.dialects.sqlite", "anyio._backends._asyncio",
    "journey_forked",
)  # fmt: skip
_END_SECONDS_MAX: Final = 60
_PR_SET_PTRACER: Final = 0x59616D61
"""prctl(2): who may trace this process where Yama asks (Ubuntu, Debian)."""
_PR_SET_PTRACER_ANY: Final = ctypes.c_ulong(-1)


@dataclass(slots=True, kw_only=True)
class Forked:
    """A command that waits at its gate, runs, or has ended. ``stderr`` is a file."""

    process: ForkServerProcess
    stderr: Path
    _gate: Connection = field(repr=False)
    _output: Connection = field(repr=False)

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def begin(self) -> None:
        """Open the gate."""
        self._gate.send_bytes(b"go")

    def listening(self) -> int | None:
        """Give the port that a server says it listens at; ``None`` when it ends instead."""
        said = b""
        while not said.endswith(b"\n"):
            piece = os.read(self._output.fileno(), 4096)
            if not piece:
                return None
            said += piece
        found = re.fullmatch(rb"listening on http://127\.0\.0\.1:(\d+)\n", said)
        assert found is not None, said
        return int(found[1])

    def end(self, how: signal.Signals | None = None) -> tuple[int, str]:
        """Wait for its end, after a signal if one is given; exit code and what it printed last.

        The code of a process that a signal ended is that signal's number, negative.
        """
        if how is not None and self.process.is_alive():
            os.kill(self.pid, how)
        said = bytearray()
        while piece := os.read(self._output.fileno(), 65536):
            said += piece
        self.process.join(_END_SECONDS_MAX)
        code = self.process.exitcode
        assert code is not None, "the process does not end"
        for end in (self._gate, self._output):
            end.close()
        self.process.close()
        return code, said.decode()


def fork_kit(home: Path, *arguments: str, passphrase: str) -> Forked:
    """Give an ``enrollkit`` command at its gate."""
    variables = {"ENROLLKIT_HOME": str(home), "ENROLLKIT_PASSPHRASE": passphrase}
    return _fork(run_kit_command, arguments, variables, home / "stderr.log")


def fork_server(home: Path, *arguments: str) -> Forked:
    """Give an ``enrollkit-server`` command at its gate: ``run`` at any free port, or another."""
    words = (*(arguments or ("run", "--port", "0")), "--home", str(home))
    return _fork(run_server_command, words, {}, home / "stderr.log")


def run_kit_command(arguments: Sequence[str]) -> int:
    """Run in the fork."""
    from enrollkit.cli.main import main  # noqa: PLC0415 - imported long ago by the parent

    return main(arguments)


def run_server_command(arguments: Sequence[str]) -> int:
    """Run in the fork."""
    from sync.server.cli import main  # noqa: PLC0415 - imported long ago by the parent

    sys.argv = ["enrollkit-server", *arguments]
    main()
    return 0


def _fork(
    command: object, arguments: Sequence[str], variables: Mapping[str, str], stderr: Path
) -> Forked:
    context = _context()
    gate_here, gate_there = context.Pipe()
    output, output_there = context.Pipe(duplex=False)
    process = context.Process(
        target=_run,
        args=(command, tuple(arguments), dict(variables)),
        kwargs={"stderr": str(stderr), "gate": gate_there, "output": output_there},
        daemon=True,
    )
    process.start()
    gate_there.close()
    output_there.close()
    gate_here.recv_bytes()  # it stands at the gate
    return Forked(process=process, stderr=stderr, _gate=gate_here, _output=output)


def _run(
    command: object,
    arguments: Sequence[str],
    variables: Mapping[str, str],
    *,
    stderr: str,
    gate: Connection,
    output: Connection,
) -> None:
    for name in [name for name in os.environ if name.startswith("ENROLLKIT_")]:
        del os.environ[name]
    os.environ.update(variables)
    log = os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output.fileno(), 1)
    os.dup2(log, 2)
    os.close(log)
    output.close()
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _PR_SET_PTRACER_ANY, 0, 0, 0)
    gate.send_bytes(b"here")
    gate.recv_bytes()
    assert callable(command)
    code = command(arguments)
    sys.stdout.flush()
    os._exit(code)  # what multiprocessing writes at its own end is none of the command's


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_IMPORTED))
    paths = os.pathsep.join((str(_ROOT), str(Path(__file__).parent)))
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = paths  # its own path is not yet ours when it imports
    try:
        context.Process(target=int, daemon=True).start()
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
    return context
