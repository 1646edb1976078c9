"""The tables. Each key begins with a device or an enrollment: what a cluster would shard by.

``anchors``, ``callback_keys``, ``consents``, ``programmes`` and ``meta`` are small and the same
everywhere.
Times are seconds since 1970 UTC by the server's clock unless they are called ``captured``.
Importing this module, and not one of its parts, makes ``METADATA`` complete.
"""

from __future__ import annotations

from sync.server.store.abdm_tables import (
    abdm_exchanges,
    abdm_jobs,
    abdm_papers,
    callback_keys,
    finish_steps,
    finishes,
    link_asks,
    link_tokens,
)
from sync.server.store.arrival_tables import (
    audit_heads,
    batches,
    blobs,
    boots,
    chains,
    chunks,
    clock_readings,
    held_operations,
    operations,
    refusals,
)
from sync.server.store.metadata import METADATA
from sync.server.store.office_tables import (
    anchors,
    approvals,
    consents,
    devices,
    feed,
    meta,
    programmes,
)
from sync.server.store.people_tables import (
    enrollment_versions,
    enrollments,
    links,
    sealed_ids,
    witnesses,
)

__all__ = [
    "METADATA",
    "abdm_exchanges",
    "abdm_jobs",
    "abdm_papers",
    "anchors",
    "approvals",
    "audit_heads",
    "batches",
    "blobs",
    "boots",
    "callback_keys",
    "chains",
    "chunks",
    "clock_readings",
    "consents",
    "devices",
    "enrollment_versions",
    "enrollments",
    "feed",
    "finish_steps",
    "finishes",
    "held_operations",
    "link_asks",
    "link_tokens",
    "links",
    "meta",
    "operations",
    "programmes",
    "refusals",
    "sealed_ids",
    "witnesses",
]
