"""Finding people as somebody types: name in either script, village, or a piece of a number.

FTS5 with trigrams finds three and more characters anywhere. Every indexed text starts with a
space, so two characters are found at the start of a word, which is a trigram too, and nothing is
ever scanned.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from enrollkit.domain.enrollment import Enrollment, State, person_from
from enrollkit.domain.person import Person
from enrollkit.store.database import Tx

__all__ = ["FoundPerson", "index_person", "read_index_anew", "recent_people", "search_people"]

_QUERY_CHARACTERS_MAX: Final = 100
_WORDS_MAX: Final = 8
_CANDIDATES_MAX: Final = 200
"""So many of the newest hits are ranked; who has more hits must type one letter more."""
_NUMBER_COLUMNS: Final = "{mobile provisional abha}"
_CROCKFORD: Final = str.maketrans("ILO", "110")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FoundPerson:
    """One line of a list of people."""

    id: str
    person: Person
    state: State
    provisional: str
    abha_number: str | None

    def __repr__(self) -> str:
        return f"FoundPerson({self.id}, <withheld>)"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Hit:
    """A search entry: its row, and the folded names to rank it by."""

    n: int
    names: tuple[str, str]

    def __repr__(self) -> str:
        return f"_Hit({self.n}, <withheld>)"


def index_person(tx: Tx, n: int, enrollment: Enrollment, *, abha_number: str | None) -> None:
    """Write the search entry of row ``n``, in place of an older one."""
    person = enrollment.person
    texts = (
        person.name,
        person.name_native or "",
        person.address.village,
        person.mobile or "",
        enrollment.provisional.replace("-", ""),
        (abha_number or "").replace("-", ""),
    )
    tx.execute("DELETE FROM people_fts WHERE rowid = ?", (n,))
    tx.execute(
        "INSERT INTO people_fts (rowid, name, native, village, mobile, provisional, abha) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (n, *(" " + _folded(text) for text in texts)),
    )


def search_people(tx: Tx, query: str, *, limit: int = 50) -> list[FoundPerson]:
    """Give the people that fit, best first: name starts so, a word starts so, anywhere.

    A single character finds nothing; an empty query gives the newest people.
    """
    typed = _folded(query[:_QUERY_CHARACTERS_MAX])
    if not typed:
        return recent_people(tx, limit=limit)
    number = re.sub(r"[\s-]", "", typed)
    by_number = _number_match(number)
    found: dict[int, _Hit] = {}
    for match in (by_number, _word_match(typed, anywhere=False), _word_match(typed, anywhere=True)):
        if match is not None and len(found) < limit:
            found = {hit.n: hit for hit in _hits(tx, match)} | found
    ranked = sorted(found.values(), key=lambda hit: _rank(hit, typed))
    return [_read_person(tx, hit.n) for hit in ranked[:limit]]


def recent_people(tx: Tx, *, limit: int = 50) -> list[FoundPerson]:
    """Give the people saved last, newest first."""
    rows = tx.execute(
        "SELECT id, body, state, provisional, abha_number FROM enrollments ORDER BY n DESC LIMIT ?",
        (limit,),
    )
    return [_person(row) for row in rows.fetchall()]


def read_index_anew(tx: Tx) -> None:
    """Forget what this connection remembers of the search index, if another one has written since.

    Every search does so by itself. SQLite's own check of a file does not: it holds the remembered
    index against the new file, and calls a sound file damaged.
    """
    tx.execute("SELECT rowid FROM people_fts LIMIT 1").fetchall()


def _number_match(number: str) -> str | None:
    """Give the search for a piece of a mobile, provisional or ABHA number."""
    if not any(character.isdecimal() for character in number) or not number.isalnum():
        return None
    spellings = {number, number.upper().translate(_CROCKFORD).lower()}
    pieces = [_phrase(spelling, anywhere=True) for spelling in sorted(spellings)]
    known = [piece for piece in pieces if piece is not None]
    return f"{_NUMBER_COLUMNS} : ({' OR '.join(known)})" if known else None


def _word_match(typed: str, *, anywhere: bool) -> str | None:
    words = typed.split(" ")[:_WORDS_MAX]
    phrases = [_phrase(word, anywhere=anywhere) for word in words]
    known = [phrase for phrase in phrases if phrase is not None]
    return " AND ".join(known) if known else None


def _phrase(word: str, *, anywhere: bool) -> str | None:
    if len(word) < 2:  # noqa: PLR2004 - with its space, two characters are the smallest trigram
        return None
    inside = anywhere and len(word) > 2  # noqa: PLR2004 - a trigram without its space
    quoted = word.replace('"', '""')
    return f'"{quoted}"' if inside else f'" {quoted}"'


def _hits(tx: Tx, match: str) -> list[_Hit]:
    rows = tx.execute(
        "SELECT rowid, name, native FROM people_fts WHERE people_fts MATCH ? "
        "ORDER BY rowid DESC LIMIT ?",
        (match, _CANDIDATES_MAX),
    )
    return [_Hit(n=n, names=(name[1:], native[1:])) for n, name, native in rows.fetchall()]


def _rank(hit: _Hit, typed: str) -> tuple[int, str, int]:
    if typed in hit.names:
        place = 0
    elif any(name.startswith(typed) for name in hit.names):
        place = 1
    elif any(f" {typed}" in f" {name}" for name in hit.names):
        place = 2
    else:
        place = 3
    return place, hit.names[0], hit.n


def _read_person(tx: Tx, n: int) -> FoundPerson:
    row = tx.execute(
        "SELECT id, body, state, provisional, abha_number FROM enrollments WHERE n = ?", (n,)
    ).fetchone()
    return _person(row)


def _person(row: Any) -> FoundPerson:
    record, body, state, provisional, abha_number = row
    return FoundPerson(
        id=record,
        person=person_from(json.loads(body)),
        state=State(state),
        provisional=provisional,
        abha_number=abha_number,
    )


def _folded(text: str) -> str:
    """Bring query and text to one form: NFC, no capitals, single spaces, nothing invisible."""
    joined = text.replace("\u200c", "").replace("\u200d", "")
    shown = "".join(character if character.isprintable() else " " for character in joined)
    return " ".join(unicodedata.normalize("NFC", shown).casefold().split())
