"""The words for states, the same in app, commands, cards and reports, each with its shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from enrollkit.locale import _, ngettext

__all__ = ["MARKS", "Mark", "event_words", "mark_of", "numbers_came", "people_and_records"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A state as shape and words, so that a colour may be missing.

    ``plain`` is the shape in ASCII; ``short`` stands in lists, ``full`` where there is room. Both
    are English; :meth:`words` and :meth:`line` speak the operator's language.
    """

    shape: str
    plain: str
    short: str
    full: str

    def words(self) -> str:
        """Give the full words."""
        return _(self.full)

    def line(self) -> str:
        """Give the shape and the short word."""
        return f"{self.shape} {_(self.short)}"


# Keys are the values of State and of LinkState; where both have a name they mean the same.
MARKS: Final[Mapping[str, Mark]] = MappingProxyType({
    "DRAFT": Mark(shape="○", plain="o", short="draft", full="Draft"),
    "SUBMITTED": Mark(shape="●", plain="*", short="saved", full="Saved on this laptop"),
    "SENT": Mark(shape="▲", plain="^", short="sent", full="Sent, waiting for the signature"),
    "ACCEPTED": Mark(shape="✔", plain="v", short="signed for", full="Signed for by the server"),
    "LINKED": Mark(shape="★", plain="#", short="linked", full="Linked"),
    "ISSUED": Mark(
        shape="★", plain="#", short="ABHA number issued", full="ABHA number issued"
    ),
    "RETURNED": Mark(shape="!", plain="!", short="needs correction", full="Needs correction"),
    "NEEDS_PERSON": Mark(shape="!", plain="!", short="call the person", full="Call the person"),
    "DUPLICATE": Mark(shape="=", plain="=", short="was here already", full="Was here already"),
    "WITHDRAWN": Mark(shape="×", plain="x", short="withdrawn", full="Withdrawn"),
    "REMOVED": Mark(shape="×", plain="x", short="taken away", full="Taken away"),
})  # fmt: skip


def mark_of(state: str) -> Mark:
    """Give the mark of a state's value; a state of a newer kit shows its own name."""
    word = state.lower().replace("_", " ")
    return MARKS.get(state, Mark(shape="?", plain="?", short=word, full=word))


def numbers_came(count: int) -> str:
    """Say how many people have their ABHA number now who had none before."""
    words = ngettext("{count} ABHA number came.", "{count} ABHA numbers came.", count)
    return words.format(count=count)


def people_and_records(people: int, records: int) -> str:
    """Count both apart, ``1 person, 2 records``; what there is none of is left out."""
    told = [
        (people, ngettext("{count} person", "{count} people", people)),
        (records, ngettext("{count} record", "{count} records", records)),
    ]
    return ", ".join(words.format(count=count) for count, words in told if count)


def event_words(what: str, *, has_number: bool = False) -> str:
    """Say what happened to a record; an event of a newer version is shown by its own name.

    ``has_number``: the person's ABHA number is known, so that it is what the office found.
    """
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
        "duplicate-found": _("has an ABHA number already")
        if has_number
        else _("the office knows this person already"),
        "correction": _("the office corrected something"),
        "conflict": _("the office changed the same field"),
        "settled": _("settled with the office"),
        "needs-person": _("the person is needed"),
        "withdrawn": _("consent taken back"),
        "end-signed": _("the server signed for that"),
        "removed": _("record taken away"),
        "link-removed": _("record taken away"),
        "link-added": _("record added"),
        "linked": _("record linked"),
        "card-printed": _("card made"),
    }
    for ending in ("-earlier", "-late"):
        # News of an older version, or news that came after the record had moved on.
        if what.endswith(ending):
            return words.get(what.removesuffix(ending), what) + " " + _("(an earlier version)")
    return words.get(what, what)
