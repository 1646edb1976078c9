"""What the doctor finds about time and about what has not left this laptop yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from enrollkit.app.desk import Desk
from enrollkit.app.results import Finding, Level
from enrollkit.app.standing import take_stock
from enrollkit.app.system import local_time
from enrollkit.locale import _, ngettext
from enrollkit.store.batches import waiting_since
from enrollkit.store.carried import carried_files
from enrollkit.store.clocks import offset_now
from enrollkit.store.database import Tx
from enrollkit.store.lives import newest_rebirth
from enrollkit.store.meta import Fact, find_number

__all__ = ["bad", "clock_findings", "ok", "queue_findings", "warn"]

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_CLOCK_SECONDS_MAX: Final = 10 * _MINUTE
_WAITING_SECONDS_MAX: Final = 7 * _DAY
"""Past it a queue is no longer the ordinary evening's: somebody has to look for a road."""
_REBIRTH_SECONDS_TOLD: Final = 14 * _DAY


def clock_findings(desk: Desk) -> Iterator[Finding]:
    """Say how far the clock is off, as the server's showed it."""
    system = desk.system
    now = system.now()
    measured, before = desk.database.read(
        lambda tx: (offset_now(tx, system), find_number(tx, Fact.SERVER_OFFSET))
    )
    if measured is not None and abs(measured) > _CLOCK_SECONDS_MAX:
        text = _(
            "The clock of this laptop is {span} {way}. Records keep their order; please set it."
        )
        yield warn("clock", text.format(span=_span(measured), way=_way(measured)))
    elif measured is None and now < desk.programme.issued:
        text = _(
            "The clock of this laptop is behind: it shows {when}. "
            "Records keep their order; please set it."
        )
        yield warn("clock", text.format(when=f"{local_time(now):%d %b %Y}"))
    elif measured is None and before is not None and abs(before) > _CLOCK_SECONDS_MAX:
        text = _(
            "At the last contact the clock of this laptop was {span} {way}. "
            "Records keep their order; please look at it."
        )
        yield warn("clock", text.format(span=_span(before), way=_way(before)))
    else:
        when = f"{local_time(now):%d %b %Y, %H:%M}"
        yield ok("clock", _("The clock shows {when}.").format(when=when))


def queue_findings(desk: Desk) -> Iterator[Finding]:
    """Say what lies on this laptop and has no signature of the server, in words nobody misses."""
    standing = take_stock(desk)
    now = desk.system.now()
    since, carried, rebirth = desk.database.read(_read_queue)
    if standing.waiting or standing.links_waiting:
        text = _(
            "{people} and {records} on this laptop are not signed for by the server. "
            "Do not delete its data folder or give the laptop away before they are."
        ).format(people=_people(standing.waiting), records=_records(standing.links_waiting))
        if since is not None and now - since > _WAITING_SECONDS_MAX:
            old = _("The first of them waits for {days} days: send, or write to a stick.")
            yield warn("queue", f"{text} {old.format(days=(now - since) // _DAY)}")
        else:
            yield ok("queue", text)
    else:
        yield ok("queue", _("The server has signed for everybody on this laptop."))
    if carried:
        text = ngettext(
            "{count} file of another laptop waits here to be handed in.",
            "{count} files of other laptops wait here to be handed in.",
            carried,
        )
        yield ok("carried", text.format(count=carried))
    if rebirth is not None and now - rebirth < _REBIRTH_SECONDS_TOLD:
        text = _(
            "On {when} the server knew other records under this laptop's name: its disk was "
            "copied or put back. Both are kept. If a copy is still used, tell the office."
        )
        yield warn("copied", text.format(when=f"{local_time(rebirth):%d %b %Y}"))
    if standing.returned:
        text = _("{count} people need a correction.").format(count=standing.returned)
        yield warn("returned", text)


def ok(code: str, text: str) -> Finding:
    """Give a finding that all is well."""
    return Finding(code=code, level=Level.OK, text=text)


def warn(code: str, text: str) -> Finding:
    """Give a finding that wants care."""
    return Finding(code=code, level=Level.WARN, text=text)


def bad(code: str, text: str) -> Finding:
    """Give a finding that must be put right before the laptop is used."""
    return Finding(code=code, level=Level.BAD, text=text)


def _read_queue(tx: Tx) -> tuple[int | None, int, int | None]:
    return waiting_since(tx), len(carried_files(tx, unanswered=True)), newest_rebirth(tx)


def _way(offset: int) -> str:
    """Say in which direction; the server's time minus ours is positive when ours is behind."""
    return _("behind") if offset > 0 else _("ahead")


def _span(offset: int) -> str:
    seconds = abs(offset)
    if seconds >= _DAY:
        count = round(seconds / _DAY)
        return ngettext("{count} day", "{count} days", count).format(count=count)
    if seconds >= 2 * _HOUR:
        count = round(seconds / _HOUR)
        return ngettext("{count} hour", "{count} hours", count).format(count=count)
    count = round(seconds / _MINUTE)
    return ngettext("{count} minute", "{count} minutes", count).format(count=count)


def _people(count: int) -> str:
    return ngettext("{count} person", "{count} people", count).format(count=count)


def _records(count: int) -> str:
    return ngettext("{count} record", "{count} records", count).format(count=count)
