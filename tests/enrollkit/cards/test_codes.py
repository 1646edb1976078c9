"""QR codes are as large as promised, and a camera reads them from the terminal."""

from __future__ import annotations

import pytest
import zxingcpp
from PIL import Image

from card_samples import HINDI, KEY
from enrollkit.cards.claim169 import encode
from enrollkit.cards.codes import VERSION_MAX, modules_of, terminal_code
from enrollkit.errors import CardPayloadTooLarge

NUMBER = "7K2M-94QD-XV3T-8"


def picture_of(drawing: str) -> Image.Image:
    """Photograph a dark terminal: a half block is one light pixel over one dark one."""
    lines = drawing.split("\n")
    image = Image.new("L", (len(lines[0]), 2 * len(lines)), 0)
    for row, line in enumerate(lines):
        for column, block in enumerate(line):
            image.putpixel((column, 2 * row), 255 * (block in "█▀"))
            image.putpixel((column, 2 * row + 1), 255 * (block in "█▄"))
    return image.resize((image.width * 6, image.height * 6), Image.Resampling.NEAREST)


def test_a_number_in_the_terminal_takes_29_columns_and_15_lines_and_can_be_scanned() -> None:
    drawing = terminal_code(NUMBER)
    lines = drawing.split("\n")
    assert [len(line) for line in lines] == [29] * 15
    assert set(drawing) <= set("█▀▄ \n")
    assert zxingcpp.read_barcode(picture_of(drawing)).text == NUMBER


def test_the_quiet_zone_is_four_modules_on_every_side() -> None:
    pixels = picture_of(terminal_code(NUMBER)).resize((29, 30), Image.Resampling.NEAREST)
    inside = (4, 4, 25, 25)
    border = [
        pixels.getpixel((x, y))
        for x in range(29)
        for y in range(29)
        if not (inside[0] <= x < inside[2] and inside[1] <= y < inside[3])
    ]
    assert set(border) == {255}


def test_the_code_of_a_full_hindi_card_stays_within_the_finest_version() -> None:
    rows = modules_of(encode(HINDI, KEY))
    assert (len(rows) - 17) // 4 <= 12 <= VERSION_MAX
    assert all(len(row) == len(rows) for row in rows)


def test_the_largest_text_of_a_card_fits_and_one_more_character_does_not() -> None:
    assert (len(modules_of("A" * 528)) - 17) // 4 == VERSION_MAX
    with pytest.raises(CardPayloadTooLarge):
        modules_of("A" * 529)
    with pytest.raises(CardPayloadTooLarge):
        modules_of("A" * 9000)
