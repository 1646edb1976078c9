"""Whether two enrollments may be one person, by sound of the name and not by its spelling.

Romanised Indian names have no fixed spelling: Sudam and Sudaam, Ajay and Ajai, Lakshmi and Laxmi.
A store keeps :func:`match_key` in an indexed column, so that looking for a twin record is one
equality and never a scan; :func:`same_person` then decides. A hit is a question to the operator,
never a merge.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from itertools import permutations
from typing import Final

from enrollkit.domain.person import BirthDate, Gender, Person

__all__ = ["Likeness", "match_key", "name_key", "same_person", "sound"]

# Said before a name, no part of it; `mst` stands for Musammat, `sau` for Saubhagyavati.
_TITLES: Final = frozenset({
    "shri", "sri", "shree", "smt", "srimati", "shrimati", "sau", "mr", "mrs", "ms", "miss", "dr",
    "mst", "musammat", "haji", "hajji", "master", "thiru", "tmt",
})  # fmt: skip
# Carried by half a district and written or left out at will.
_FILLERS: Final = frozenset({
    "devi", "dei", "kumar", "kumari", "kumara", "bai", "ben", "behen", "bhai", "begum", "bibi",
    "kaur", "khatun", "khatoon", "lal",
})  # fmt: skip
# Short written forms of one name, by sound.
_SHORT_FORMS: Final = {
    "md": "mohamad", "mohd": "mohamad", "mohmd": "mohamad", "mohamed": "mohamad",
    "mohammed": "mohamad", "muhammad": "mohamad", "muhammed": "mohamad", "mohammad": "mohamad",
    "sk": "shekh", "sheikh": "shekh", "shaikh": "shekh", "shaik": "shekh", "sheik": "shekh",
    "ch": "choudhari", "abd": "abdul",
}  # fmt: skip
# More words than these are never written as one.
_JOINED_MAX: Final = 3
# Longer before shorter, for each is applied to the whole word in this order.
_SOUNDS: Final = tuple((re.compile(pattern), replacement) for pattern, replacement in (
    (r"ksh|x", "ks"),
    (r"chh", "ch"),
    (r"sh", "s"),
    (r"ph", "f"),
    (r"([kgtdbj])h", r"\1"),
    (r"ck|q|c(?!h)", "k"),
    (r"w", "v"),
    (r"z", "j"),
    (r"aa+", "a"),
    (r"ee+|ii+|ie\b", "i"),
    (r"oo+|uu+", "u"),
    (r"iy(?=[aeou])", "i"),
    (r"[ae][iy](?![aeiou])", "e"),
    (r"(?<=[^aeiou])y\b", "i"),
    (r"[ao][uv](?![aeiou])", "o"),
    (r"(.)\1+", r"\1"),
    # The short a that is written or not: Kamala and Kamla, Mamata and Mamta.
    (r"(?<=[aeiou][^aeiou])a(?=[^aeiou][aeiou])", ""),
))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Likeness:
    """What two records are compared by. ``id`` is empty for a row that is not saved yet.

    ``aadhaar_last4`` is ``None`` when no number was taken.
    """

    id: str
    name: str
    gender: Gender
    birth: BirthDate
    district: int
    village: str
    mobile: str | None = None
    aadhaar_last4: str | None = None

    def __repr__(self) -> str:
        return f"Likeness({self.id}, <withheld>)"

    @classmethod
    def of(cls, person: Person, *, ident: str = "", aadhaar_last4: str | None = None) -> Likeness:
        """Take from a person what is compared."""
        return cls(
            id=ident,
            name=person.name,
            gender=person.gender,
            birth=person.birth,
            district=person.address.district,
            village=person.address.village,
            mobile=person.mobile,
            aadhaar_last4=aadhaar_last4,
        )


def match_key(one: Likeness) -> str:
    """Give the sixteen characters under which a store files and finds this person.

    Two people for whom :func:`same_person` holds always have the same key. It is a digest of
    gender, district, birth year and the set of letters in the name's sound, so that neither the
    order of the words nor the spaces between them matter.
    """
    text = f"{one.gender}|{one.district}|{one.birth.year}|{_letters(one.name)}"
    return blake2b(text.encode(), digest_size=8).hexdigest()


def same_person(one: Likeness, other: Likeness) -> bool:
    """Whether the two records look like one person: a question to ask, not a finding.

    Gender, district and birth year agree, no known part of the birth contradicts, the names
    sound alike, and one thing more fits: the end of the Aadhaar number, the full date of birth,
    the mobile number, or the village with the very same words in the name. Two different Aadhaar
    numbers are two people.
    """
    if (one.gender, one.district, one.birth.year) != (
        other.gender, other.district, other.birth.year
    ):  # fmt: skip
        return False
    if one.aadhaar_last4 and other.aadhaar_last4 and one.aadhaar_last4 != other.aadhaar_last4:
        return False
    if not _births_agree(one.birth, other.birth) or not _names_agree(one.name, other.name):
        return False
    return _something_more_fits(one, other)


def name_key(name: str) -> tuple[str, ...]:
    """Give the sounds of the telling words of a name, sorted.

    Titles, single letters and words that half a district carries are left out, unless nothing
    else is there.
    """
    return tuple(sorted(sound(word) for word in _telling_words(name)))


def sound(word: str) -> str:
    """Give one word as it sounds: vowel length, aspiration, doubled letters, v/w, s/sh … gone."""
    spoken = _SHORT_FORMS.get(word, word)
    for pattern, replacement in _SOUNDS:
        spoken = pattern.sub(replacement, spoken)
    return spoken


def _words(name: str) -> list[str]:
    bare = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(one for one in bare if not unicodedata.combining(one))
    words = [_without_suffix(word) for word in re.findall(r"[^\W\d_]+", letters.replace("'", ""))]
    return [word for word in words if word not in _TITLES] or words


def _without_suffix(word: str) -> str:
    """Nayna and Naynaben, Dinesh and Dineshbhai are called by both forms in Gujarat."""
    for suffix in ("bhai", "ben"):
        if word.endswith(suffix) and len(word) >= len(suffix) + 4:
            return word.removesuffix(suffix)
    return word


def _births_agree(one: BirthDate, other: BirthDate) -> bool:
    return all(
        left is None or right is None or left == right
        for left, right in ((one.month, other.month), (one.day, other.day))
    )


def _names_agree(one: str, other: str) -> bool:
    """The telling words sound alike, joined or apart, and no initial stands against another."""
    if name_key(one) != name_key(other) and not _joined_alike(one, other):
        return False
    return _initials_fit(one, other) and _fillers_fit(one, other)


def _joined_alike(one: str, other: str) -> bool:
    """``Ram Kali`` and ``Ramkali``: the single word is the other's words in some order."""
    whole, parts = sorted((_telling_words(one), _telling_words(other)), key=len)
    if len(whole) != 1 or not 1 < len(parts) <= _JOINED_MAX or _letters(one) != _letters(other):
        return False
    wanted = sound(whole[0])
    return any(sound("".join(order)) == wanted for order in permutations(parts))


def _letters(name: str) -> str:
    """Give the letters of a name's sound, each once; a comes and goes where words are joined."""
    return "".join(sorted(set("".join(name_key(name))) - {"a"}))


def _telling_words(name: str) -> list[str]:
    words = _words(name)
    return [word for word in words if len(word) > 1 and word not in _FILLERS] or words


def _initials_fit(one: str, other: str) -> bool:
    left, right = (Counter(w for w in _words(name) if len(w) == 1) for name in (one, other))
    return not left or not right or left == right


def _fillers_fit(one: str, other: str) -> bool:
    left, right = ({sound(w) for w in _words(name) if w in _FILLERS} for name in (one, other))
    return left <= right or right <= left


def _something_more_fits(one: Likeness, other: Likeness) -> bool:
    full = all((one.birth.month, one.birth.day, other.birth.month, other.birth.day))
    if full or (one.mobile is not None and one.mobile == other.mobile):
        return True
    if one.aadhaar_last4 is not None and one.aadhaar_last4 == other.aadhaar_last4:
        return True
    return _words_sorted(one.village) == _words_sorted(other.village) and sorted(
        _words(one.name)
    ) == sorted(_words(other.name))


def _words_sorted(text: str) -> list[str]:
    return sorted(sound(word) for word in _words(text))
