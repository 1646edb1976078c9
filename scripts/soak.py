"""Runs the simulator over many seeds and says which of them a promise does not survive.

    python scripts/soak.py --seeds 10000
    python scripts/soak.py --seed 1234 --trace
    python scripts/soak.py --seed 1234 --reduce
    python scripts/soak.py --mutations

A seed decides everything that happens in its run; docs/SIMULATION.md says what that can be and
what must hold. The exit code is 0 when every run held, 1 when one did not.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_SEEDS_PER_MUTATION_MAX = 400


def main() -> int:
    """Read the arguments and do what they ask for."""
    _enter_environment()
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds to run")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, help="run this one alone")
    parser.add_argument("--trace", action="store_true", help="with --seed: print what happened")
    parser.add_argument("--reduce", action="store_true", help="with --seed: leave out what can be")
    parser.add_argument("--mutations", action="store_true", help="find every deliberate bug again")
    asked = parser.parse_args()
    if asked.mutations:
        return _find_mutations(asked.workers, asked.first)
    if asked.seed is not None:
        return _run_one(asked.seed, is_traced=asked.trace, is_reduced=asked.reduce)
    return _soak(range(asked.first, asked.first + asked.seeds), asked.workers)


def _run_one(seed: int, *, is_traced: bool, is_reduced: bool) -> int:
    from simulator.script import draw, play, reduce  # noqa: PLC0415 - after the environment

    script = draw(seed)
    if is_reduced:
        script = reduce(script)
    outcome = play(script)
    if is_traced or is_reduced:
        print("\n".join(outcome.trace))
        print(outcome.where, end="")
    print(f"seed {seed}: {outcome.failure or 'everything held'}")
    return 1 if outcome.failure else 0


def _soak(seeds: range, workers: int) -> int:
    began, failed = time.monotonic(), 0
    for done, (seed, failure) in enumerate(_results(_play, list(seeds), workers), start=1):
        if failure:
            failed += 1
            print(f"seed {seed}: {failure}")
            print(f"  python scripts/soak.py --seed {seed} --trace", flush=True)
        if done % 100 == 0 or done == len(seeds):
            each = (time.monotonic() - began) / done
            print(f"{done} of {len(seeds)} seeds, {failed} failed, {each:.3f} s each", flush=True)
    print(f"seeds {seeds.start} to {seeds.stop - 1}: {failed} failed")
    return 1 if failed else 0


def _find_mutations(workers: int, first: int) -> int:
    from simulator.mutations import MUTATIONS  # noqa: PLC0415 - after the environment

    jobs = [(name, first) for name in MUTATIONS]
    missed = 0
    for name, seed, failure in _results(_find, jobs, workers):
        missed += not failure
        print(f"{name}: {f'seed {seed}, {failure}' if failure else 'NOT FOUND'}", flush=True)
    print(f"{len(jobs) - missed} of {len(jobs)} deliberate bugs found")
    return 1 if missed else 0


def _play(seed: int) -> tuple[int, str]:
    from simulator.script import draw, play  # noqa: PLC0415 - after the environment

    return seed, play(draw(seed)).failure


def _find(job: tuple[str, int]) -> tuple[str, int, str]:
    from simulator.mutations import MUTATIONS  # noqa: PLC0415 - after the environment
    from simulator.script import draw, play  # noqa: PLC0415 - after the environment

    name, first = job
    for seed in range(first, first + _SEEDS_PER_MUTATION_MAX):
        with MUTATIONS[name]():
            failure = play(draw(seed)).failure
        if failure:
            return name, seed, failure
    return name, -1, ""


def _results(work: Any, jobs: Sequence[Any], workers: int) -> Iterator[Any]:
    """Give each job's result as it comes, from as many processes as asked for."""
    if workers <= 1:
        yield from map(work, jobs)
        return
    # Fresh processes: the simulator's threads and templates are each one's own.
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, initializer=_enter_environment) as pool:
        yield from pool.imap_unordered(work, jobs, chunksize=1)


def _enter_environment() -> None:
    """Go on inside the project's own environment, and find the simulator."""
    python = ROOT / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    if Path(sys.prefix) != ROOT / ".venv" and python.exists():
        os.execv(python, [str(python), *sys.argv])  # noqa: S606 - the same script, another Python
    sys.path[:0] = [str(ROOT / part) for part in ("tests/simulation", "tests/support", "")]


if __name__ == "__main__":
    sys.exit(main())
