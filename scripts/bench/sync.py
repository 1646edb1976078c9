"""How long people take to reach the server on a bad link, in seconds and bytes, beside others.

Usage: sync.py --rows FILE [--case slow|idle|cuts|plain]… [--people N] [--seed N] [--json]

Real processes on both sides of :mod:`bench.link`, TLS between them. Budgets hold for 1,000 people
that the dictionary was not trained on: FILE holds intake rows, one a line.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    # This very file must not be taken for the package sync.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.camp import Camp, Sent, SetupBroken, make_camp
from bench.link import open_link, reason_against
from bench.shape import Shape

__all__ = ["Case", "Result", "main", "table"]

_PLAIN_PEOPLE: Final = 50
_CUTS_UP: Final = 20.0
_CUTS_SILENT: Final = 40.0
_BATCH_BYTES_MAX: Final = 16 * 1024
"""A batch of people, sealed: what one cut may cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the table; ``faults`` are the budgets that were missed."""

    case: str
    seconds: float
    """As the session counts them."""
    wall_seconds: float
    signed: int
    wire_up: int
    wire_down: int
    program_up: int
    """As ``enrollkit sync`` counts: HTTP heads and bodies."""
    after_handshake: int
    requests: int
    lines: int
    """Connections that reached the server's TLS."""
    again_bytes: int = 0
    again_whole: int = 0
    partial_bytes_max: int = 0
    faults: tuple[str, ...] = ()
    is_ours: bool = True
    """Whether it has a budget, or stands there for comparison."""


Case = Callable[[Camp, int], Iterator[Result]]


def main(arguments: list[str]) -> int:
    """Measure, print, and give 1 when a budget was missed."""
    options = _options(arguments)
    if not options.rows.is_file():
        print(f"No such file of intake rows: {options.rows}")
        return 2
    if why := reason_against():
        print(f"No real link here ({why}): figures of the relay are a guide only.", file=sys.stderr)
    results = list(_measure(options))
    if options.as_json:
        print(json.dumps([asdict(result) for result in results]))
    else:
        print(table(results))
    return 1 if any(result.faults for result in results) else 0


def table(results: list[Result]) -> str:
    """Give the results as lines of a Markdown table."""
    heads = ["case", "seconds", "command", "signed", "up", "down", "after handshake", "requests"]
    heads += ["connections", "sent again", "budget"]
    lines: list[Sequence[str]] = [heads, ["---"] * len(heads)]
    for each in results:
        again = f"{each.again_bytes} B, {each.again_whole} whole"
        kept = ("; ".join(each.faults) or "kept") if each.is_ours else "for comparison"
        lines.append(
            (
                each.case,
                f"{each.seconds:.1f}",
                f"{each.wall_seconds:.1f}",
                str(each.signed),
                f"{each.wire_up:,}",
                f"{each.wire_down:,}",
                f"{each.after_handshake:,}",
                str(each.requests),
                str(each.lines),
                again,
                kept,
            )
        )
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _measure(options: argparse.Namespace) -> Iterator[Result]:
    steady = Shape(seed=options.seed)
    with tempfile.TemporaryDirectory(prefix="enrollkit-bench-") as name:
        folder = Path(name)
        rows = folder / "rows.jsonl"
        people = options.rows.read_text(encoding="utf-8").splitlines(keepends=True)[
            : options.people
        ]
        rows.write_text("".join(people), encoding="utf-8")
        few = folder / "few.jsonl"
        few.write_text("".join(people[:_PLAIN_PEOPLE]), encoding="utf-8")
        with open_link(steady, shaper=options.shaper, congestion=options.congestion) as link:
            camp = make_camp(folder / "camp", link, rows)
            if {"slow", "idle"} & options.cases:
                yield from _slow(camp.copy("slow"), options)
            if "plain" in options.cases:
                yield _plain(camp, few, options.people)
            if "cuts" in options.cases:
                for channel in link.channels.values():
                    channel.shape = replace(
                        steady, up=_CUTS_UP, silent=_CUTS_SILENT, start=options.start
                    )
                yield _cuts(camp.copy("cuts"), options)


def _slow(camp: Camp, options: argparse.Namespace) -> Iterator[Result]:
    sent = camp.sync()
    if "slow" in options.cases:
        yield _judged("slow", camp, sent, people=options.people, seconds=40, up=220_000)
    if "idle" in options.cases:
        sent = camp.sync()
        yield _judged("idle", camp, sent, people=0, seconds=3.5, after=3_000)


def _cuts(camp: Camp, options: argparse.Namespace) -> Result:
    return _judged("cuts", camp, camp.sync(), people=options.people, seconds=240)


def _plain(camp: Camp, few: Path, people: int) -> Result:
    seconds, count = camp.plain(few)
    up, down = camp.link.traffic("up"), camp.link.traffic("down")
    scale = people / count
    return Result(
        case=f"plain POSTs ({count}, scaled to {people})",
        seconds=seconds * scale,
        wall_seconds=seconds,
        signed=0,
        wire_up=int(up.bytes * scale),
        wire_down=int(down.bytes * scale),
        program_up=0,
        after_handshake=0,
        requests=people,
        lines=1,
        is_ours=False,
    )


def _judged(
    case: str,
    camp: Camp,
    sent: Sent,
    *,
    people: int,
    seconds: float,
    up: int | None = None,
    after: int | None = None,
) -> Result:
    """Compare what one sync did with its budget and with the server's own count."""
    summary, again = sent.summary, sent.again
    signed = summary["accepted"] + summary["duplicate"]
    held = camp.server_status()["enrollments"]
    cuts = len(sent.lines) - 1
    faults = {
        f"signed for {signed} of {people}": signed != people,
        f"the server holds {held}": held < people,
        f"more than {seconds} s": summary["seconds"] > seconds,
        f"more than {up} B up": up is not None and sent.wire_up > up,
        f"more than {after} B": after is not None and sent.after_handshakes > after,
        "a whole batch came twice": again.again_whole > 0,
        f"{again.again_bytes} B came twice": again.again_bytes > _BATCH_BYTES_MAX * cuts,
        f"exit code {sent.exit_code}": sent.exit_code != 0,
    }
    return Result(
        case=case,
        seconds=summary["seconds"],
        wall_seconds=round(sent.wall_seconds, 3),
        signed=signed,
        wire_up=sent.wire_up,
        wire_down=sent.wire_down,
        program_up=summary["bytes_up"],
        after_handshake=sent.after_handshakes,
        requests=summary["requests"],
        lines=len(sent.lines),
        again_bytes=again.again_bytes,
        again_whole=again.again_whole,
        partial_bytes_max=again.partial_bytes_max,
        faults=tuple(text for text, is_so in faults.items() if is_so),
    )


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Sync on a bad link, measured.")
    cases = ("slow", "idle", "cuts", "plain")
    parser.add_argument("--rows", type=Path, required=True, help="intake rows, one a line")
    parser.add_argument("--case", action="append", choices=cases, help="all unless given")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=float, default=0.0, help="where the cuts' circle begins")
    parser.add_argument("--congestion", default="reno", help="TCP's algorithm at both ends")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--shaper", action="store_true", help="the relay, whatever there is")
    options = parser.parse_args(arguments)
    options.cases = set(options.case or cases)
    return options


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupBroken as broken:
        sys.exit(f"Not measured: {broken}")
