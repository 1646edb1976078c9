"""The words for states, the same in app, commands, cards and reports, each with its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from enrollkit.domain.enrollment import State
from enrollkit.domain.record_link import LinkState
from enrollkit.locale import _

__all__ = [
    "ASCII_SHAPES",
    "SHAPES",
    "event_words",
    "link_state_mark",
    "reason_words",
    "state_mark",
    "state_words",
]

SHAPES: Final[Mapping[State, str]] = {
    State.DRAFT: "○",
    State.SUBMITTED: "●",
    State.SENT: "▲",
    State.ACCEPTED: "✔",
    State.ISSUED: "★",
    State.RETURNED: "!",
    State.DUPLICATE: "=",
    State.NEEDS_PERSON: "☎",
    State.WITHDRAWN: "–",
}
"""A shape for each state, so that the colour may be missing."""

ASCII_SHAPES: Final[Mapping[State, str]] = {
    State.DRAFT: "o",
    State.SUBMITTED: "*",
    State.SENT: "^",
    State.ACCEPTED: "v",
    State.ISSUED: "#",
    State.RETURNED: "!",
    State.DUPLICATE: "=",
    State.NEEDS_PERSON: "?",
    State.WITHDRAWN: "-",
}
"""The same for a terminal that has no such characters."""


def state_words(state: State) -> str:
    """Say a state in the words of the camp."""
    return {
        State.DRAFT: _("Draft"),
        State.SUBMITTED: _("Saved on this laptop"),
        State.SENT: _("Waiting for the server's signature"),
        State.ACCEPTED: _("Signed for by the server"),
        State.ISSUED: _("ABHA number issued"),
        State.RETURNED: _("Needs correction"),
        State.DUPLICATE: _("Was enrolled before"),
        State.NEEDS_PERSON: _("Call the person"),
        State.WITHDRAWN: _("Withdrawn"),
    }[state]


def state_mark(state: State) -> str:
    """Give shape and words of a state."""
    return f"{SHAPES[state]} {state_words(state)}"


def link_state_mark(state: LinkState) -> str:
    """Give shape and words of a record link's state."""
    return {
        LinkState.SUBMITTED: "● " + _("Saved on this laptop"),
        LinkState.SENT: "▲ " + _("Waiting for the server's signature"),
        LinkState.ACCEPTED: "✔ " + _("Signed for by the server"),
        LinkState.LINKED: "★ " + _("Linked"),
        LinkState.RETURNED: "! " + _("Needs correction"),
    }[state]


def event_words(what: str) -> str:
    """Say what happened to a record; an event of a newer version is shown by its own name."""
    words = {
        "submitted": _("saved on this laptop"),
        "amended": _("corrected on this laptop"),
        "sent": _("offered to the server"),
        "accepted": _("signed for by the server"),
        "duplicate": _("signed for by the server; it was there already"),
        "held": _("held at the office for a look"),
        "rejected": _("came back for correction"),
        "returned": _("came back for correction"),
        "issued": _("ABHA number issued"),
        "duplicate-found": _("the office knows this person already"),
        "correction": _("the office corrected something"),
        "needs-person": _("the person is needed"),
        "withdrawn": _("withdrawn"),
        "link-added": _("record added"),
        "linked": _("record linked"),
        "card-printed": _("card made"),
    }
    for ending in ("-earlier", "-late"):
        # News of an older version, or news that came after the record had moved on.
        if what.endswith(ending):
            return words.get(what.removesuffix(ending), what) + " " + _("(an earlier version)")
    return words.get(what, what)


def reason_words(code: str) -> str:
    """Say why the server sent a record back; an unknown code is shown whole."""
    kind = code.partition(":")[0]
    words = {
        "schema": _("The server could not take this field. Look at it and save again."),
        "no-payload": _("The Aadhaar number did not arrive. Type it again."),
    }
    return words.get(kind, _("The office sent it back: {code}").format(code=code))
