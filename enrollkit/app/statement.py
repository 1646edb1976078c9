"""The statement: where everybody is who was captured on this laptop, printed and signed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from enrollkit.app.desk import Desk
from enrollkit.app.results import Printed
from enrollkit.app.system import INDIA, local_time
from enrollkit.cards.files import write_whole
from enrollkit.errors import CardError
from enrollkit.locale import _, ngettext
from enrollkit.reports.signed import sign_code
from enrollkit.reports.statement import Group, OnStick, Statement, add_up
from enrollkit.store.audit import append_audit
from enrollkit.store.statements import StoredGroup, StoredStatement, read_statement

if TYPE_CHECKING:
    from enrollkit.cards.statement_sheet import StatementSheet

__all__ = [
    "StatementNotWritten",
    "StatementWrong",
    "drafts_words",
    "print_statement",
    "statement_lines",
    "take_statement",
]

_ALWAYS: Final = (-(2**62), 2**62)
_STICKS_PRINTED_MAX: Final = 8


class StatementNotWritten(CardError):
    """The statement could not be written. The figures are unchanged. Choose a file name that ends
    in .pdf, in a folder with free space, and print again.
    """

    code = "statement-not-written"
    exit_code = 43


class StatementWrong(CardError):
    """The figures of this laptop do not add up, so no statement is made of them. Everything stays
    saved. Call the office, and do not delete anything.
    """

    code = "statement-wrong"
    exit_code = 44


def take_statement(desk: Desk, day: date | None = None) -> Statement:
    """Count in one view of the data, everybody or those of one day (in India).

    ``StatementWrong`` if anybody were in no part or in two: then no figure is better than these.
    """
    since, until = _ALWAYS if day is None else _span(day)
    stored = desk.database.read(lambda tx: read_statement(tx, since=since, until=until))
    people, people_on = add_up(stored.people, _groups(stored.people_groups))
    links, links_on = add_up(stored.links, _groups(stored.links_groups))
    statement = Statement(
        day=day,
        made_at=desk.system.now(),
        programme=desk.programme.name,
        device=desk.keys.id,
        operator=desk.operator.name,
        camps=stored.camps,
        people=people,
        links=links,
        on_sticks=_on_sticks(stored, people_on, links_on),
        drafts=stored.drafts,
        incarnation=stored.incarnation,
        chain=(stored.chain_number, stored.chain_digest),
        audit_head=stored.audit_head,
    )
    if not statement.adds_up:
        raise StatementWrong(f"{people} {links}")
    return statement


def print_statement(desk: Desk, path: Path, day: date | None = None) -> Printed:
    """Write the statement as one A4 page with the signed code; the file appears whole or not.

    ``StatementNotWritten`` when it cannot be written there.
    """
    from enrollkit.cards.statement_sheet import statement_pdf  # noqa: PLC0415 - fonts take a second

    if path.suffix.lower() != ".pdf":
        raise StatementNotWritten("not .pdf")
    statement = take_statement(desk, day)
    document = statement_pdf(
        _sheet(statement, sign_code(statement, desk.keys.signing), practice=desk.programme.practice)
    )
    try:
        write_whole(path, document)
    except OSError as error:
        raise StatementNotWritten(error.strerror or "cannot be written") from error
    now, slot = desk.system.now(), desk.operator.slot
    desk.database.write(
        lambda tx: append_audit(tx, at=now, operator=slot, action="statement.print")
    )
    return Printed(cards=0, files=(path,))


def statement_lines(statement: Statement) -> list[tuple[str, int, int, bool]]:
    """Give the table: words, people, papers, and whether the row is contained in the one above."""
    people, links = statement.people, statement.links
    lines = [
        (_("Only on this laptop (nobody has signed)"), people.on_laptop, links.on_laptop, False)
    ]
    sticks = [stick for stick in statement.on_sticks if stick.people or stick.links]
    older, newest = sticks[:-_STICKS_PRINTED_MAX], sticks[-_STICKS_PRINTED_MAX:]
    if older:
        words = _("On older sticks (not signed for yet)")
        held = [sum(stick.people for stick in older), sum(stick.links for stick in older)]
        lines.append((words, held[0], held[1], False))
    for stick in newest:
        written = f"{local_time(stick.written_at):%d %b, %H:%M}"
        words = _("On stick {n} of {written} (not signed for yet)")
        row = words.format(n=stick.n, written=written)
        lines.append((row, stick.people, stick.links, False))
    return [
        *lines,
        (_("Signed for by the server"), people.signed_for, links.signed_for, False),
        (_("of these held at the office for a look"), people.held, links.held, True),
        (_("of these in a backup of the server"), people.durable, links.durable, True),
        (_("Returned for correction"), people.returned, links.returned, False),
        (_("Withdrawn"), people.withdrawn, links.withdrawn, False),
    ]


def drafts_words(statement: Statement) -> str:
    """Say how many were begun and are not enrolled."""
    words = ngettext(
        "Not enrolled: {count} draft, in no sum above.",
        "Not enrolled: {count} drafts, in no sum above.",
        statement.drafts,
    )
    return words.format(count=statement.drafts)


def _sheet(statement: Statement, code: str, *, practice: bool) -> StatementSheet:
    from enrollkit.cards.statement_sheet import Line, StatementSheet  # noqa: PLC0415 - as above

    made = f"{local_time(statement.made_at):%d %b %Y, %H:%M}"
    day = statement.day
    lines = [
        Line(words=words, people=people, papers=papers, thereof=thereof)
        for words, people, papers, thereof in statement_lines(statement)
    ]
    total = Line(
        words=_("Everybody captured on this laptop") if day is None else _("Captured on that day"),
        people=statement.people.total,
        papers=statement.links.total,
        is_sum=True,
    )
    return StatementSheet(
        title=_("PRACTICE – Statement of the camp") if practice else _("Statement of the camp"),
        facts=(
            (_("Programme"), statement.programme),
            (_("Camp"), ", ".join(statement.camps) or "–"),
            (_("People of"), _("all days") if day is None else f"{day:%d %b %Y}"),
            (_("Made"), made),
            (_("Laptop"), statement.device),
            (_("Operator"), statement.operator),
        ),
        heads=(_("People"), _("Records")),
        lines=(*lines, total),
        notes=(
            drafts_words(statement),
            _(
                "Signed for means that the server's signature was checked on this laptop. "
                "Nobody on a stick is lost with it: this laptop keeps everything."
            ),
        ),
        signatures=(_("Operator"), _("Supervisor"), _("Received at the office")),
        code=code,
        code_words=_(
            "The code holds these figures, signed by the laptop. Any laptop of the programme "
            "checks it: enrollkit verify FILE"
        ),
    )


def _groups(stored: Iterable[StoredGroup]) -> list[Group]:
    return [
        Group(
            place=group.place,
            stick=group.stick,
            is_held=group.is_held,
            is_durable=group.is_durable,
            count=group.count,
        )
        for group in stored
    ]


def _on_sticks(
    stored: StoredStatement, people: dict[int, int], links: dict[int, int]
) -> tuple[OnStick, ...]:
    return tuple(
        OnStick(
            n=stick.n,
            name=stick.name,
            written_at=stick.written_at,
            people=people.get(stick.n, 0),
            links=links.get(stick.n, 0),
        )
        for stick in stored.sticks
        if stick.n in people or stick.n in links
    )


def _span(day: date) -> tuple[int, int]:
    """Give the first second of a day in India and that of the next."""
    midnight = datetime.combine(day, time(), tzinfo=INDIA)
    return int(midnight.timestamp()), int((midnight + timedelta(days=1)).timestamp())
