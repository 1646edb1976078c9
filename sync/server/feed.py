"""News for one device, numbered without gaps; the number is given in the transaction it is about.

A row of ``programme.updated`` holds no programme: whoever reads it gets the newest one. A row that
nobody has fetched yet is moved on instead of being followed by another, so a laptop that was away
for a month pays for one programme and not for thirty. So is a correction of one person.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from sync.chains import next_feed_digest
from sync.protocol import (
    LIMITS,
    NO_DIGEST,
    DeviceState,
    FeedEntry,
    FeedKind,
    FeedPage,
    FeedRequest,
)
from sync.server.devices import Device
from sync.server.errors import HttpFault
from sync.server.store.tables import devices, feed, programmes

__all__ = ["announce_programme", "append", "digest_at", "take_page", "tell_correction"]

_ID_BYTES: Final = 8
_REPLACED_MAX: Final = 64
"""How far below its head a feed is looked through for news that can be replaced."""

_PAGE_BYTES_MAX: Final = LIMITS.feed_page_bytes_max // 2


def append(
    connection: Connection,
    device: str,
    kind: FeedKind,
    body: Mapping[str, Any],
    *,
    at: int,
    record: str | None = None,
) -> int:
    """Add one piece of news and give its number."""
    number: int = connection.execute(
        update(devices)
        .where(devices.c.device == device)
        .values(feed_head=devices.c.feed_head + 1)
        .returning(devices.c.feed_head)
    ).scalar_one()
    text = json.dumps(body, ensure_ascii=False, sort_keys=True)
    entry_id = secrets.token_hex(_ID_BYTES)
    connection.execute(
        insert(feed).values(
            device=device,
            seq=number,
            entry_id=entry_id,
            digest=next_feed_digest(digest_at(connection, device, number - 1), entry_id),
            kind=kind.value,
            at=at,
            record=record,
            body=text,
        )
    )
    return number


def digest_at(connection: Connection, device: str, number: int) -> bytes:
    """Give the digest of a device's feed up to a number; zeros at 0 and beyond the head."""
    found = connection.execute(
        select(feed.c.digest).where(feed.c.device == device, feed.c.seq == number)
    ).scalar_one_or_none()
    return NO_DIGEST if found is None else bytes(found)


def tell_correction(
    connection: Connection,
    device: str,
    body: Mapping[str, Any],
    *,
    at: int,
    record: str,
    settles: bool,
) -> None:
    """Tell of a person's current version, in the place of older such news that never left.

    Conflicts that were still to be told are kept, unless this version ``settles`` them.
    """
    older = _waiting_correction(connection, device, record)
    if older is None:
        append(connection, device, FeedKind.CORRECTION, body, at=at, record=record)
        return
    conflicts = list(body["conflicts"])
    known = {each["pointer"] for each in conflicts}
    if not settles:
        before = json.loads(older.body)["conflicts"]
        conflicts = [each for each in before if each["pointer"] not in known] + conflicts
    text = json.dumps({**body, "conflicts": conflicts}, ensure_ascii=False, sort_keys=True)
    mine = (feed.c.device == device, feed.c.seq == older.seq)
    # Another id: a laptop that has read the older one from a server since restored reads again.
    renamed = secrets.token_hex(_ID_BYTES)
    connection.execute(update(feed).where(*mine).values(at=at, body=text, entry_id=renamed))
    _chain_again(connection, device, older.seq)


def announce_programme(connection: Connection, *, at: int) -> None:
    """Tell every approved device that there is a newer programme."""
    approved = select(devices.c.device).where(devices.c.state == DeviceState.APPROVED.value)
    for device in connection.execute(approved.order_by(devices.c.device)).scalars().all():
        if not _moved_on(connection, device, at):
            append(connection, device, FeedKind.PROGRAMME_UPDATED, {}, at=at)


def take_page(connection: Connection, device: Device, request: FeedRequest) -> FeedPage:
    """Give the entries that follow the cursor and note that they left.

    A revoked device learns nothing but its revocation; ``HttpFault`` for everything else.
    """
    head, rows = _rows(connection, device.id, request.after)
    revoked = device.state is DeviceState.REVOKED
    if revoked and (not rows or rows[0].kind != FeedKind.DEVICE_REVOKED):
        raise HttpFault("device-revoked")
    entries = _bounded(connection, rows[:1] if revoked else rows)
    if entries:
        connection.execute(
            update(devices)
            .where(devices.c.device == device.id, devices.c.feed_served < entries[-1].seq)
            .values(feed_served=entries[-1].seq)
        )
    return FeedPage(
        device=device.id, after=request.after, head=head, entries=entries, nonce=request.nonce
    )


def _moved_on(connection: Connection, device: str, at: int) -> bool:
    """Whether the newest entry was such news already and had not left."""
    newest = (
        select(devices.c.feed_head)
        .where(devices.c.device == device, devices.c.feed_head > devices.c.feed_served)
        .with_for_update()
    )
    number = connection.execute(newest).scalar_one_or_none()
    moved = connection.execute(
        update(feed)
        .where(
            feed.c.device == device,
            feed.c.seq == number,
            feed.c.kind == FeedKind.PROGRAMME_UPDATED.value,
        )
        .values(at=at)
    )
    return moved.rowcount == 1


def _waiting_correction(connection: Connection, device: str, record: str) -> Row[Any] | None:
    """Give the newest news of a person, if it is a correction that has not left."""
    marks = select(devices.c.feed_head, devices.c.feed_served).where(devices.c.device == device)
    mark = connection.execute(marks.with_for_update()).one()
    newest = (
        select(feed)
        .where(
            feed.c.device == device,
            feed.c.seq > max(mark.feed_served, mark.feed_head - _REPLACED_MAX),
            feed.c.record == record,
        )
        .order_by(feed.c.seq.desc())
        .limit(1)
    )
    found = connection.execute(newest).one_or_none()
    return found if found is not None and found.kind == FeedKind.CORRECTION else None


def _chain_again(connection: Connection, device: str, first: int) -> None:
    """Work the digests out anew from an entry on; none of them has left."""
    digest = digest_at(connection, device, first - 1)
    rows = select(feed.c.seq, feed.c.entry_id).where(feed.c.device == device, feed.c.seq >= first)
    for row in connection.execute(rows.order_by(feed.c.seq)).all():
        digest = next_feed_digest(digest, row.entry_id)
        mine = (feed.c.device == device, feed.c.seq == row.seq)
        connection.execute(update(feed).where(*mine).values(digest=digest))


def _rows(connection: Connection, device: str, after: int) -> tuple[int, list[Row[Any]]]:
    head = connection.execute(
        select(devices.c.feed_head).where(devices.c.device == device).with_for_update()
    ).scalar_one()
    rows = connection.execute(
        select(feed)
        .where(feed.c.device == device, feed.c.seq > after)
        .order_by(feed.c.seq)
        .limit(LIMITS.feed_entries_per_page_max)
    ).all()
    return head, list(rows)


def _bounded(connection: Connection, rows: list[Row[Any]]) -> tuple[FeedEntry, ...]:
    """Give as many entries as one page may hold, at least one."""
    programme = ""
    if any(row.kind == FeedKind.PROGRAMME_UPDATED for row in rows):
        newest = select(programmes.c.signed).order_by(programmes.c.serial.desc()).limit(1)
        programme = base64.b64encode(connection.execute(newest).scalar_one()).decode()
    entries: list[FeedEntry] = []
    room = _PAGE_BYTES_MAX
    for row in rows:
        is_programme = row.kind == FeedKind.PROGRAMME_UPDATED
        room -= 100 + (len(programme) if is_programme else len(row.body.encode()))
        if entries and room < 0:
            break
        body = {"programme": programme} if is_programme else json.loads(row.body)
        entries.append(
            FeedEntry(
                seq=row.seq,
                id=row.entry_id,
                kind=row.kind,
                at=row.at,
                record=row.record,
                body=body,
            )
        )
    return tuple(entries)
