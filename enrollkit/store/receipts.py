"""What a verified receipt changes: the only door to *signed for*."""

from __future__ import annotations

from collections import Counter

from enrollkit.store.audit import append_audit
from enrollkit.store.batches import mark_durable
from enrollkit.store.database import Tx
from enrollkit.store.events import NOBODY
from enrollkit.store.operations import ENROLLMENT_KINDS, LINK_KINDS
from enrollkit.store.verdicts import settle_operation
from sync.errors import ReceiptInvalid
from sync.ports import Tally
from sync.protocol import Receipt

__all__ = ["settle_receipt"]


def settle_receipt(tx: Tx, receipt: Receipt, raw: bytes, *, at: int) -> Tally:
    """Check a receipt against its batch and apply it once; ``ReceiptInvalid`` if it does not fit.

    A second receipt for the same batch moves the durable mark and nothing else.
    """
    where = (receipt.incarnation, receipt.batch)
    row = tx.execute(
        "SELECT digest, count, receipted_at FROM batches WHERE incarnation = ? AND number = ?",
        where,
    ).fetchone()
    if row is None:
        raise ReceiptInvalid("receipt for a batch that was never made here")
    digest, count, receipted_at = row
    if bytes(digest) != receipt.digest:
        raise ReceiptInvalid("receipt for other bytes")
    if len(receipt.verdicts) != count:
        raise ReceiptInvalid(f"{len(receipt.verdicts)} verdicts for {count} operations")
    tally = Tally()
    if receipted_at is None:
        tx.execute(
            "UPDATE batches SET receipt = ?, receipted_at = ?, epoch = ? "
            "WHERE incarnation = ? AND number = ?",
            (raw, at, receipt.epoch, *where),
        )
        tally = _apply_verdicts(tx, receipt, at=at)
        # The batch's id has the shape of a record id without being one.
        batch = f"{receipt.incarnation}{receipt.batch:016x}"
        append_audit(tx, at=at, operator=NOBODY, action="receipt.applied", record=batch)
    mark_durable(tx, receipt.incarnation, receipt.durable_upto)
    return tally


def _apply_verdicts(tx: Tx, receipt: Receipt, *, at: int) -> Tally:
    told: Counter[str] = Counter()
    rows = tx.execute(
        "SELECT seq, record, kind, verdict FROM operations WHERE incarnation = ? AND batch = ? "
        "ORDER BY seq",
        (receipt.incarnation, receipt.batch),
    ).fetchall()
    for (seq, record, kind, told_before), verdict in zip(rows, receipt.verdicts, strict=True):
        if told_before is not None:
            # The news of a later verdict overtook the receipt; the receipt's is the older one.
            continue
        settle_operation(tx, seq, record, kind, verdict, at=at)
        if kind in ENROLLMENT_KINDS | LINK_KINDS:
            told[verdict.outcome.value] += 1
    return Tally(**told)
