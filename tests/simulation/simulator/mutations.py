"""Deliberate bugs, each one that somebody published: the simulator must find them all again.

``KNOWN`` names for each the seeds that were seen to catch it; ``scripts/soak.py --mutations``
looks for them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from simulator import bugs

__all__ = ["KNOWN", "MUTATIONS", "Bug"]

Bug: TypeAlias = Callable[[], AbstractContextManager[Any]]
"""Patches the program while its context lasts."""

MUTATIONS: Final[Mapping[str, Bug]] = MappingProxyType({
    bug.__name__.replace("_", "-"): bug
    for bug in (
        bugs.acknowledge_by_status,
        bugs.checkpoint_before_documents,
        bugs.cursor_before_page,
        bugs.check_then_insert,
        bugs.last_writer_wins,
        bugs.purge_before_durable,
        bugs.one_bad_operation_fails_all,
        bugs.stop_at_the_first_refusal,
        bugs.no_new_life_after_restore,
        bugs.server_restore_unseen,
        bugs.feed_without_rewind,
        bugs.receipt_by_number,
        bugs.receipt_without_nonce,
        bugs.receipt_without_signature,
        bugs.marked_by_status_not_id,
        bugs.frozen_anew,
        bugs.sessions_side_by_side,
    )
})  # fmt: skip

KNOWN: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {
        "acknowledge-by-status": (0, 11),
        "checkpoint-before-documents": (0, 1),
        "cursor-before-page": (39, 99),
        "check-then-insert": (23, 61),
        "last-writer-wins": (13, 22),
        "purge-before-durable": (6, 27),
        "one-bad-operation-fails-all": (1, 9),
        "stop-at-the-first-refusal": (64, 68),
        "no-new-life-after-restore": (18, 34),
        "server-restore-unseen": (6, 27),
        "feed-without-rewind": (6, 236),
        "receipt-by-number": (18, 20),
        "receipt-without-nonce": (22, 24),
        "receipt-without-signature": (90, 170),
        "marked-by-status-not-id": (52, 53),
        "frozen-anew": (0, 6),
        "sessions-side-by-side": (12, 34),
    }
)
