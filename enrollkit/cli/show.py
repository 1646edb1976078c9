"""``enrollkit show``: one person's page."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from enrollkit.app.results import PersonPage
from enrollkit.app.system import local_time
from enrollkit.app.values import label_of
from enrollkit.app.words import mark_of
from enrollkit.cli.console import PRACTICE, AsJson, say, say_json, unlocked_kit
from enrollkit.locale import _


def run(
    ident: Annotated[
        str, typer.Argument(metavar="ID", help="Record id, provisional or ABHA number.")
    ],
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> None:
    """Show one person: state, numbers, what happened, record links."""
    with unlocked_kit() as kit:
        page = kit.people.page(ident)
    if as_json:
        say_json(_object(page))
    else:
        _print(page)


def _object(page: PersonPage) -> dict[str, Any]:
    return {
        "id": page.enrollment.id,
        "state": page.state.value,
        "version": page.version,
        "provisional": page.provisional,
        "abha_number": page.abha_number,
        "abha_address": page.abha_address,
        "practice": page.practice,
        "held": page.held,
        "reason": page.reason,
        "call_at": page.call_at,
        "conflicts": [
            {"pointer": one.pointer, "yours": one.yours, "theirs": one.theirs}
            for one in page.conflicts
        ],
        "history": [
            {"at": event.at, "what": event.what, "who": event.who} for event in page.history
        ],
        "links": [
            {
                "id": link.id,
                "hi_type": link.hi_type,
                "display": link.display,
                "date": link.date.isoformat(),
                "facility": link.facility,
                "reference": link.reference,
                "state": link.state.value,
                "held": link.held,
                "reason": link.reason,
            }
            for link in page.links
        ],
        "enrollment": page.enrollment.body(),
    }


def _print(page: PersonPage) -> None:
    person = page.enrollment.person
    say(f"{person.name}  {person.gender.value}  {person.birth.text()}  {person.address.village}")
    practice = f"{PRACTICE}  " if page.practice else ""
    say(f"{practice}{page.abha_number or page.provisional}  {mark_of(page.state.value).line()}")
    if page.abha_number is not None:
        earlier = _("provisional {number}").format(number=page.provisional)
        say(practice + "  ".join([*filter(None, [page.abha_address]), earlier]))
    if page.enrollment.aadhaar_last4:
        say(
            _("Aadhaar number sealed, ends in {digits}").format(
                digits=page.enrollment.aadhaar_last4
            )
        )
    if page.abha_number is None:
        say(practice + _("Provisional – not an ABHA number"))
    _print_reason(page)
    say("")
    for event in page.history:
        who = f"  {event.who}" if event.who else ""
        say(f"  {local_time(event.at):%d %b %H:%M}  {event.what}{who}")
    for link in page.links:
        say(f"  {link.date:%d %b %Y}  {link.display}  {mark_of(link.state.value).line()}")
        if link.reason is not None:
            say(f"    {link.reason.text}  [{link.reason.code}]")


def _print_reason(page: PersonPage) -> None:
    if page.held:
        say(_("Held at the office"))
    if page.reason is not None:
        blamed = f" ({page.reason.value})" if page.reason.value else ""
        field = label_of(page.reason.pointer) or page.reason.pointer
        say(f"{field}{blamed}  {page.reason.text}  [{page.reason.code}]".strip())
    if page.call_at is not None:
        say(_("Do not call before {time}").format(time=f"{local_time(page.call_at):%d %b, %H:%M}"))
    for one in page.conflicts:
        words = _("here: {yours} · from the office: {theirs}")
        text = words.format(yours=one.yours_text, theirs=one.theirs_text)
        say(f"  {label_of(one.pointer) or one.pointer}  {text}")
