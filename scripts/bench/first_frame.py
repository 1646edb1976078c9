"""How long until the first frame: the app beside a trivial Textual app, in one run.

Usage: first_frame.py [RUNS]. Prints the median seconds of both and their ratio (budget: 1.5).
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TRIVIAL = """
from textual.app import App
from textual.widgets import Static
class Trivial(App):
    def compose(self):
        yield Static("hello")
app = Trivial()
"""
KIT = """
from pathlib import Path
from enrollkit.app.kit import Kit
from enrollkit.tui.app import make_app
app = make_app(Kit.at(Path({folder!r})))
"""
SHOW = """
import asyncio
async def show():
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
asyncio.run(show())
"""


def main(arguments: list[str]) -> int:
    """Measure both in turns, so that a busy machine disturbs both alike."""
    runs = int(arguments[0]) if arguments else 7
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "keyring.json").write_text("{}")
        (Path(folder) / "enrollkit.db").write_text("")
        scripts = {"trivial": TRIVIAL + SHOW, "enrollkit": KIT.format(folder=folder) + SHOW}
        seconds: dict[str, list[float]] = {name: [] for name in scripts}
        for _run in range(runs):
            for name, script in scripts.items():
                seconds[name].append(_seconds(script))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, median in medians.items():
        print(f"{name:<10} {median * 1000:7.0f} ms")
    print(f"ratio      {medians['enrollkit'] / medians['trivial']:7.2f}")
    return 0


def _seconds(script: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
