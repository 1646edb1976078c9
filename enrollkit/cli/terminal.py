"""The app, when ``enrollkit`` is typed without a command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["run"]


@contextmanager
def _unseen_typing() -> Iterator[None]:
    """Echo nothing from the first moment on: quick hands type the passphrase before the lock
    screen is drawn, and it must not stand on the shell.
    """
    try:
        import termios  # noqa: PLC0415 - not on Windows, where the console is drawn over
    except ImportError:
        yield
        return
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    silent = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(sys.stdin, termios.TCSANOW, silent)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def run() -> int:
    """Open the terminal app on this laptop's data folder; give the exit code."""
    with _unseen_typing():
        return _open()


def _open() -> int:
    from enrollkit.app.home import Home  # noqa: PLC0415 - `--help` must not wait for the store
    from enrollkit.app.kit import Kit  # noqa: PLC0415
    from enrollkit.errors import NotInitialised  # noqa: PLC0415
    from enrollkit.tui.app import make_app  # noqa: PLC0415

    home = Home.chosen()
    if not home.is_initialised:
        raise NotInitialised
    kit = Kit.at(home.folder)
    try:
        app = make_app(kit)
        app.run()
        return app.return_code or 0
    finally:
        kit.close()
