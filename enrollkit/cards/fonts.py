"""Which font can write a text, so that a card never shows empty boxes for letters.

The fonts come as packages of the Noto and Hind families (SIL Open Font License). All of them hold
Latin letters too, so a line needs one font only. A family that is not installed is simply not
there.
"""

from __future__ import annotations

import importlib.util
import io
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import uharfbuzz
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

__all__ = ["FontFamily", "can_shape", "families", "family_for", "font_bytes", "printable"]

BOLD: Final = 700
REGULAR: Final = 400

_PACKAGES: Final = (
    "fontpkg_noto_sans_devanagari",
    "fontpkg_noto_sans_tamil",
    "fontpkg_noto_sans_telugu",
    "fontpkg_noto_sans_arabic",
    "fontpkg_hind_siliguri",
)
_VARIATIONS: Final = frozenset({"fvar", "gvar", "avar", "HVAR", "MVAR", "STAT", "cvar"})
_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class FontFamily:
    """A family on this laptop: one variable file, or one file for each weight."""

    name: str
    regular: Path
    bold: Path


@cache
def families() -> tuple[FontFamily, ...]:
    """List the families that are installed, the one preferred for Latin text first."""
    found = (_family(package) for package in _PACKAGES)
    return tuple(family for family in found if family is not None)


def family_for(text: str) -> FontFamily | None:
    """Find a family with a glyph for all of the text after shaping; ``None`` when there is none."""
    return next((family for family in families() if _covers(family, text)), None)


def can_shape(text: str) -> bool:
    """Whether the text can be printed rightly with the fonts installed."""
    return family_for(text) is not None


def printable(text: str) -> str:
    """Give the text on one line, with ``?`` for each letter that no one font can add to it."""
    line = " ".join(text.split())
    if can_shape(line):
        return line
    return "".join(letter if _covers(families()[0], letter) else "?" for letter in line)


@cache
def font_bytes(family: FontFamily, weight: int) -> bytes:
    """Give one weight as a font file of its own.

    A variable font is pinned to bold here, because the shaper would otherwise space bold letters
    as if they were regular ones; regular is what such a file is when left alone.
    """
    path = family.bold if weight >= BOLD else family.regular
    with _lock, TTFont(path) as font:
        if "fvar" not in font:
            return path.read_bytes()
        if weight == REGULAR:
            for table in _VARIATIONS & set(font.keys()):
                del font[table]
            pinned = font
        else:
            pinned = instantiateVariableFont(font, {"wght": weight, "wdth": 100}, inplace=True)
        out = io.BytesIO()
        pinned.save(out)
    return out.getvalue()


def _family(package: str) -> FontFamily | None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    files = sorted((Path(spec.origin).parent / "files").glob("*.ttf"))
    regular = next((file for file in files if "-Regular" in file.name), None)
    bold = next((file for file in files if "-Bold" in file.name), None)
    if regular is not None and bold is not None:
        return FontFamily(name=package, regular=regular, bold=bold)
    variable = next((file for file in files if "wght" in file.name), None)
    if variable is None:
        return None
    return FontFamily(name=package, regular=variable, bold=variable)


@cache
def _shaper(family: FontFamily) -> uharfbuzz.Font:
    return uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(family.regular))))


def _covers(family: FontFamily, text: str) -> bool:
    """Whether shaping gives a real glyph for everything; glyph 0 is the empty box."""
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    uharfbuzz.shape(_shaper(family), buffer)
    return all(info.codepoint != 0 for info in buffer.glyph_infos)
