"""Fonts say honestly what they can write, and shape what they write."""

from __future__ import annotations

import io

import pytest
import uharfbuzz
from fontTools.ttLib import TTFont

from enrollkit.cards import fonts
from enrollkit.cards.fonts import BOLD, REGULAR, can_shape, families, family_for, printable

DEVANAGARI = families()[0]


def glyphs(text: str, weight: int = REGULAR) -> tuple[list[str], int]:
    """Shape a text; give the names of its glyphs and its width."""
    data = fonts.font_bytes(DEVANAGARI, weight)
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    uharfbuzz.shape(uharfbuzz.Font(uharfbuzz.Face(data)), buffer)
    with TTFont(io.BytesIO(data)) as font:
        names = [font.getGlyphName(info.codepoint) for info in buffer.glyph_infos]
    return names, sum(position.x_advance for position in buffer.glyph_positions)


@pytest.mark.parametrize(
    "text", ["Priyanka", "7K2M-94QD", "कृष्णा", "प्रियंका", "क्षत्रिय", "श्री", "क्\u200dष", ""]
)
def test_latin_and_hindi_can_always_be_written(text: str) -> None:
    assert can_shape(text)
    assert printable(text) == text


@pytest.mark.parametrize("text", ["ગુજરાતી", "名前", "😀"])
def test_a_script_without_a_font_is_said_so_and_never_drawn_as_boxes(text: str) -> None:
    assert not can_shape(text)
    assert family_for(text) is None
    assert printable(f"Asha {text[0]}") == "Asha ?"


def test_conjuncts_are_one_glyph_and_the_short_i_stands_before_its_consonant() -> None:
    assert len(glyphs("क्ष")[0]) == 1
    assert len(glyphs("श्री")[0]) == 2
    sign, consonant = glyphs("कि")[0]
    assert consonant == glyphs("क")[0][0]
    assert sign != consonant


def test_bold_letters_are_wider_than_regular_ones() -> None:
    assert glyphs("कृष्णा", BOLD)[1] > glyphs("कृष्णा")[1]
    assert glyphs("Priyanka", BOLD)[1] > glyphs("Priyanka")[1]


def test_each_weight_is_a_plain_font_of_its_own() -> None:
    for weight in (REGULAR, BOLD):
        with TTFont(io.BytesIO(fonts.font_bytes(DEVANAGARI, weight))) as font:
            assert "fvar" not in font


def test_a_family_that_is_not_installed_is_not_there() -> None:
    assert fonts._family("fontpkg_of_nobody") is None
