"""Which waiting operations go into the next batch, and how many of them fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from enrollkit.store.database import Tx
from enrollkit.store.operations import OPERATION_COLUMNS, read_operation
from sync.errors import TooLarge
from sync.protocol import LIMITS, Operation, SealedBatch

__all__ = ["Run", "Trial", "fit", "next_run"]

Trial: TypeAlias = SealedBatch | None
"""A sealed batch, or ``None`` when it was too large even before sealing."""

_SMALL_PAYLOAD_BYTES_MAX: Final = 4 * 1024
"""A sealed key or number travels with the text; more is a piece of a photo."""
_TRIALS_MAX: Final = 6
_FULL_ENOUGH: Final = 0.85
_AIM: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Operations whose seqs follow each other, all text or all pieces of photos."""

    operations: tuple[Operation, ...]
    bytes_max: int


def next_run(tx: Tx, *, bulky: bool) -> Run | None:
    """Give the oldest waiting operations that may share a batch; ``None`` when none waits.

    ``bulky`` chooses pieces of photos, otherwise everything else.
    """
    rows = tx.execute(
        f"SELECT {OPERATION_COLUMNS} FROM operations WHERE batch IS NULL "  # noqa: S608 - the columns are ours
        "AND (coalesce(length(payload), 0) > ?) = ? ORDER BY seq LIMIT ?",
        (_SMALL_PAYLOAD_BYTES_MAX, bulky, LIMITS.operations_per_batch_max),
    )
    taken: list[Operation] = []
    size = 0
    for row in rows:
        operation = read_operation(row)
        size += len(operation.payload or b"")
        if taken and not (
            operation.seq == taken[-1].seq + 1 and size <= LIMITS.plain_batch_bytes_max
        ):
            break
        taken.append(operation)
    rows.close()
    if not taken:
        return None
    bytes_max = LIMITS.blob_batch_bytes_max if bulky else LIMITS.text_batch_bytes_max
    return Run(operations=tuple(taken), bytes_max=bytes_max)


def fit(run: Run, attempt: Callable[[Sequence[Operation]], Trial], *, guess: int) -> SealedBatch:
    """Seal as many of the run's first operations as fit, by a few trials guided by size.

    ``guess`` is how many may fit; how many did in the batch before is a good one.

    A single operation that is larger than a text batch may be travels alone, as large as a batch
    of photos may be; ``TooLarge`` past that, which :func:`append_operation` has made impossible.
    """
    fits: SealedBatch | None = None
    least, most = 0, len(run.operations)
    count = min(most, max(1, guess))
    for _ in range(_TRIALS_MAX):
        batch = attempt(run.operations[:count])
        size = len(batch.data) if batch is not None else LIMITS.plain_batch_bytes_max
        if batch is not None and size <= run.bytes_max:
            fits, least = batch, count
            if count == most or size >= run.bytes_max * _FULL_ENOUGH:
                break
        else:
            most = count - 1
        count = max(least + 1, min(most, int(count * run.bytes_max * _AIM / size)))
        if count > most:
            break
    return fits or _alone(run.operations[0], attempt)


def _alone(operation: Operation, attempt: Callable[[Sequence[Operation]], Trial]) -> SealedBatch:
    batch = attempt((operation,))
    if batch is None or len(batch.data) > LIMITS.blob_batch_bytes_max:
        raise TooLarge(f"operation {operation.seq}")
    return batch
