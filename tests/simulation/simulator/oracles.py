"""The oracles O1 to O10: what must hold after every event, and what must hold at the end.

O1 is :class:`simulator.ledger.Ledger`. Each function raises :class:`Lost` and says which oracle
spoke; none of them asks the program's own opinion where a table can be read instead.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

from enrollkit.store.audit import verify_audit
from simulator.laptop import PACING, Laptop
from simulator.ledger import Ledger, Lost, batches_in
from simulator.office import Office
from simulator.people import MARK
from simulator.replies import Records
from simulator.road import Road
from sync.errors import SyncError
from sync.protocol import NO_DIGEST, Receipt
from sync.sealing import VerifyKey, open_batch, open_receipt, read_batch_header

__all__ = [
    "check_bytes",
    "check_courier",
    "check_end",
    "check_feed",
    "check_idle",
    "check_marks",
    "check_office",
    "check_privacy",
]

_WAITING = (
    "SELECT count(*) FROM operations WHERE verdict IS NULL "
    "AND (kind LIKE 'enrollment.%' OR kind LIKE 'link.%')"
)
_IDLE_BYTES_MAX = 3000
"""A session with nothing to do (issue: at most 3 KB after the handshake)."""
_REQUEST_BYTES = 2200
"""What a request costs beside the batches in it, at most: a hello that introduces the laptop."""


IsAnswer: TypeAlias = Callable[[bytes, bytes], bool]


def check_office(office: Office, ledger: Ledger) -> None:
    """O2: nothing twice at the server, and every version kept."""
    twice = office.rows(
        "SELECT device, digest FROM batches GROUP BY device, digest HAVING count(*) > 1"
    )
    if twice:
        raise Lost(f"O2 a batch is stored {len(twice) + 1} times")
    for digest, many in office.rows(
        "SELECT digest, count(*) FROM operations WHERE outcome = 'accepted' "
        "AND kind NOT IN ('clock.reading', 'audit.head') "
        # Where nobody was ever taken in, a withdrawal has nothing to do, however often.
        "AND (kind <> 'enrollment.withdraw' OR record IN (SELECT enrollment FROM enrollments)) "
        "GROUP BY digest HAVING count(*) > 1"
    ):
        raise Lost(f"O2 {ledger.entries.get(bytes(digest))} was accepted {many} times")
    for digest, many in office.rows(
        "SELECT digest, count(*) FROM operations GROUP BY device, life, seq HAVING count(*) > 1"
    ):
        raise Lost(f"O2 {many} rows for {ledger.entries.get(bytes(digest))}")
    unversioned = office.rows(
        "SELECT o.kind FROM operations o LEFT JOIN enrollment_versions v ON v.device = o.device "
        "AND v.life = o.life AND v.seq = o.seq "
        "WHERE o.outcome = 'accepted' AND v.version IS NULL "
        "AND o.kind IN ('enrollment.submit', 'enrollment.amend')"
    )
    if unversioned:
        raise Lost(f"O2 an accepted {unversioned[0][0]} left no version")
    for enrollment, newest, many in office.rows(
        "SELECT e.enrollment, e.version, max(v.version) FROM enrollments e "
        "LEFT JOIN enrollment_versions v ON v.enrollment = e.enrollment GROUP BY e.enrollment"
    ):
        if newest != many:
            raise Lost(f"O2 {enrollment} is at version {newest} and has {many}")
    _check_merges(office)


def _check_merges(office: Office) -> None:
    """Nobody's name, birth or sex is overwritten by who came later: O2 for corrections."""
    kept: dict[str, dict[int, tuple[int | None, int | None, dict[str, Any]]]] = {}
    for record, version, base, merged_from, body in office.rows(
        "SELECT enrollment, version, base_version, merged_from, body FROM enrollment_versions "
        "WHERE enrollment IN (SELECT enrollment FROM enrollment_versions WHERE version > 2) "
        "ORDER BY enrollment, version"
    ):
        kept.setdefault(record, {})[version] = base, merged_from, json.loads(body)
    for record, versions in kept.items():
        current = 0
        for version, (base, merged_from, body) in versions.items():
            if merged_from is not None:
                _check_merge(record, versions[current][2], versions[merged_from], versions, body)
                current = version
            elif current in {0, base}:
                current = version
            elif not any(origin == version for _, origin, _ in versions.values()):
                raise Lost(f"O2 version {version} of {record} took the place of {current}")


def _check_merge(
    record: str,
    before: dict[str, Any],
    theirs: tuple[int | None, int | None, dict[str, Any]],
    versions: dict[int, Any],
    merged: dict[str, Any],
) -> None:
    base = versions[theirs[0]][2] if theirs[0] in versions else {}
    for name in ("name", "birth", "gender"):
        was, ours, other = base.get(name), before.get(name), theirs[2].get(name)
        wanted = other if ours == was else ours
        if merged.get(name) != wanted:
            raise Lost(f"O2 /{name} of {record} was merged by who came last")


def check_marks(laptop: Laptop, office: Office, is_answer: IsAnswer | None) -> None:
    """O3: nothing is signed for without the server's own words on these very bytes.

    ``is_answer`` tells of a receipt and its nonce whether it came to the request that it answers.
    """
    key = office.keys.signing.public
    for incarnation, number, digest, raw in laptop.rows(
        "SELECT incarnation, number, digest, receipt FROM batches WHERE receipted_at IS NOT NULL"
    ):
        where = f"{laptop.name} batch {number}"
        if raw is not None and laptop.receipts_seen.get((incarnation, number)) == bytes(raw):
            continue
        if raw is None:
            raise Lost(f"O3 {where} counts as received without a receipt")
        receipt = _receipt(bytes(raw), key, where)
        named = (receipt.device, receipt.incarnation, receipt.batch, receipt.digest)
        if named != (laptop.device, incarnation, number, bytes(digest)):
            raise Lost(f"O3 {where} has the receipt of something else")
        if receipt.verdicts not in office.signed.get(receipt.digest, ()):
            raise Lost(f"O3 {where} has verdicts that the server never gave")
        known = laptop.receipts_seen.get((incarnation, number))
        if known is None:
            laptop.receipts_seen[incarnation, number] = bytes(raw)
            if is_answer is not None and not is_answer(bytes(raw), receipt.nonce):
                raise Lost(f"O3 {where} was settled by an answer to another request")
    unsettled = laptop.rows(
        "SELECT o.seq FROM operations o LEFT JOIN batches b ON b.incarnation = o.incarnation "
        "AND b.number = o.batch WHERE o.verdict IS NOT NULL AND b.receipted_at IS NULL "
        "AND o.record NOT IN (SELECT record FROM feed WHERE kind = 'verdict.changed')"
    )
    if unsettled:
        raise Lost(f"O3 {laptop.name} operation {unsettled[0][0]} has a verdict without a receipt")
    waiting = laptop.rows(
        "SELECT o.seq FROM operations o JOIN batches b ON b.incarnation = o.incarnation "
        "AND b.number = o.batch WHERE o.verdict IS NULL AND b.receipted_at IS NOT NULL"
    )
    if waiting:
        raise Lost(f"O3 {laptop.name} operation {waiting[0][0]} has a receipt and no verdict")


def check_feed(laptop: Laptop, office: Office) -> None:
    """O6: what the cursor says was read is there, each once, as the server numbered it."""
    cursor = laptop.number("feed.cursor")
    digest = laptop.fact("feed.digest") or NO_DIGEST
    theirs = office.rows(
        "SELECT seq, entry_id, digest FROM feed WHERE device = ? AND seq <= ? ORDER BY seq",
        laptop.device,
        cursor,
    )
    mine = Counter(ident for (ident,) in laptop.rows("SELECT id FROM feed"))
    if any(many > 1 for many in mine.values()):
        raise Lost(f"O6 {laptop.name} applied news twice")
    if len(theirs) != cursor or (cursor and bytes(theirs[-1][2]) != digest):
        return  # the server was put back; the next hello finds out, and the end checks it
    missing = [seq for seq, ident, _ in theirs if ident not in mine]
    if missing:
        raise Lost(f"O6 {laptop.name} passed over news {missing[0]} of {cursor}")


def check_privacy(laptop: Laptop, office: Office, records: Records) -> None:
    """O7: the mark of the people is in no file of the laptop, no packet, no log."""
    mark = MARK.encode()
    for path in laptop.folder.iterdir():
        if mark in path.read_bytes():
            raise Lost(f"O7 a person is readable in {laptop.name}'s {path.name}")
    if any(mark in packet for packet in records.packets):
        raise Lost("O7 a person is readable on the road")
    if any(MARK in line for line in office.log.lines):
        raise Lost("O7 a person is readable in the server's log")


def check_courier(laptop: Laptop) -> None:
    """O8: what a courier carries opens with none of its keys, and names nobody."""
    for data in laptop.carried():
        if MARK.encode() in data:
            raise Lost(f"O8 {laptop.name} carries a readable person")
        for batch in batches_in([data]):
            header = read_batch_header(batch)
            if header.device == laptop.device:
                raise Lost(f"O8 {laptop.name} carries for itself")
            try:
                open_batch(
                    batch,
                    laptop.made_from.keys.signing.public,
                    {header.key_id: laptop.made_from.keys.opening},
                )
            except SyncError:
                continue
            raise Lost(f"O8 {laptop.name} can open what it carries")


def check_bytes(laptop: Laptop, road: Road, waiting_bytes: int) -> None:
    """O10: a session without faults sends what waits, once, and little more."""
    pushes = waiting_bytes // PACING.push_bytes_min + 1
    requests = 6 + pushes + road.page_bytes // 500
    if road.requests > requests:
        raise Lost(f"O10 {laptop.name} asked {road.requests} times where {requests} should do")
    limit = waiting_bytes + road.requests * _REQUEST_BYTES
    if road.up > limit:
        raise Lost(f"O10 {laptop.name} sent {road.up} bytes where {limit} should do")


def check_idle(laptop: Laptop, road: Road, lives: int) -> None:
    """O10: with nothing to do a session asks once for each life, and costs at most 3 KB."""
    if road.requests > lives or road.up + road.down > _IDLE_BYTES_MAX * lives:
        spent = f"{road.up} + {road.down} bytes in {road.requests} requests"
        raise Lost(f"O10 {laptop.name} spent {spent} with nothing to do")


def check_end(laptop: Laptop, office: Office) -> None:
    """O4, O5: nothing waits any more, and both ends say the same of every batch and all news."""
    name = laptop.name
    waiting = laptop.rows(_WAITING)[0][0]
    if waiting:
        raise Lost(f"O4 {waiting} operations still wait on {name}")
    unfrozen = laptop.rows("SELECT count(*) FROM operations WHERE batch IS NULL")[0][0]
    if unfrozen:
        raise Lost(f"O4 {unfrozen} operations were never frozen on {name}")
    held = {
        bytes(digest): many
        for digest, many in office.rows(
            "SELECT digest, operation_count FROM batches WHERE device = ?", laptop.device
        )
    }
    for number, digest, count, receipted in laptop.rows(
        "SELECT number, digest, count, receipted_at FROM batches"
    ):
        if receipted is None:
            raise Lost(f"O4 batch {number} of {name} never got its receipt")
        if held.get(bytes(digest)) != count:
            raise Lost(f"O5 batch {number} of {name} is not at the server as it is here")
    broken = laptop.database.read(verify_audit)
    if broken is not None:
        raise Lost(f"O5 the audit chain of {name} breaks at {broken}")
    if laptop.text("device.state") == "approved":
        _check_all_news(laptop, office)


def _check_all_news(laptop: Laptop, office: Office) -> None:
    theirs = office.rows(
        "SELECT seq, entry_id, digest FROM feed WHERE device = ? ORDER BY seq", laptop.device
    )
    mine = {ident for (ident,) in laptop.rows("SELECT id FROM feed")}
    cursor = laptop.number("feed.cursor")
    if cursor != len(theirs):
        raise Lost(f"O6 {laptop.name} read {cursor} of {len(theirs)} news")
    if theirs and bytes(theirs[-1][2]) != (laptop.fact("feed.digest") or NO_DIGEST):
        raise Lost(f"O6 {laptop.name} counts other news than the server")
    missing = [seq for seq, ident, _ in theirs if ident not in mine]
    if missing:
        raise Lost(f"O6 {laptop.name} never applied news {missing[0]}")


def _receipt(raw: bytes, key: VerifyKey, where: str) -> Receipt:
    try:
        return open_receipt(raw, key)
    except SyncError as error:
        raise Lost(f"O3 {where} has a receipt that the server never signed") from error
