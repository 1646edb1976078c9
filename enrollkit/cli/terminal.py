"""The app, when ``enrollkit`` is typed without a command."""

from __future__ import annotations

__all__ = ["run"]


def run() -> int:
    """Open the terminal app on this laptop's data folder; give the exit code."""
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
