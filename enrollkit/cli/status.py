"""``enrollkit status``: counts that are so."""

from __future__ import annotations

from enrollkit.app.system import local_time
from enrollkit.app.words import mark_of
from enrollkit.cli.console import AsJson, say, say_json, say_table, unlocked_kit
from enrollkit.locale import _


def run(
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> None:
    """Count the people on this laptop: in which state, waiting, signed for by the server."""
    with unlocked_kit() as kit:
        standing = kit.standing()
    if as_json:
        say_json(standing)
        return
    rows = [(_("People enrolled here"), str(standing.total))]
    rows += [
        ("  " + mark_of(name).line(), str(count))
        for name, count in standing.by_state.items()
        if count
    ]
    rows += [
        (_("Waiting to be sent"), str(standing.waiting)),
        (_("Records waiting"), str(standing.links_waiting)),
        (_("Signed for by the server"), str(standing.signed_for)),
        (_("Held at the office for a look"), str(standing.held)),
        (_("Needs correction"), str(standing.returned)),
        (_("Drafts"), str(standing.drafts)),
    ]
    say_table(rows)
    if standing.last_receipt_at is None:
        say(_("The server has signed for nothing yet."))
    else:
        when = local_time(standing.last_receipt_at)
        say(_("Last signature: {when}").format(when=f"{when:%d %b %Y, %H:%M}"))
