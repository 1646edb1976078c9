"""Text fits into its room: smaller letters first, then more lines, then an ellipsis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from enrollkit.cards.layout import CARD_DOTS
from enrollkit.cards.typesetting import Paper, dots

WIDTH = dots(46)


@pytest.fixture(scope="module")
def paper() -> Iterator[Paper]:
    with Paper(width=CARD_DOTS[0], height=CARD_DOTS[1]) as paper:
        paper.pdf.add_page()
        yield paper


def test_a_millimetre_is_a_whole_number_of_dots() -> None:
    assert dots(25.4) == 300
    assert dots(1) == 12


def test_a_short_name_is_written_large_on_one_line(paper: Paper) -> None:
    block = paper.fit("Asha Devi", WIDTH, sizes=(12.5, 6), lines_max=2, bold=True)
    assert block.lines == ("Asha Devi",)
    assert block.size == 12.5


@pytest.mark.parametrize(
    "name",
    [
        ("Venkata Naga Satya Subrahmanya " * 4)[:100].strip(),
        ("प्रियंका कृष्णा क्षत्रिय चन्द्रशेखर " * 4)[:100].strip(),
    ],
)
def test_a_name_of_100_characters_is_shrunk_and_wrapped_and_stays_whole(
    paper: Paper, name: str
) -> None:
    block = paper.fit(name, WIDTH, sizes=(12.5, 6), lines_max=3, bold=True)
    assert " ".join(block.lines) == name
    assert len(block.lines) <= 3
    assert 6 <= block.size < 12.5
    for line in block.lines:
        assert paper.width(line, block.size, bold=True) <= WIDTH


@pytest.mark.parametrize("name", ["W" * 100, "क्षत्रि" * 40])
def test_a_word_without_end_is_cut_between_letters_and_ends_in_an_ellipsis(
    paper: Paper, name: str
) -> None:
    block = paper.fit(name, WIDTH, sizes=(12.5, 6), lines_max=2, bold=True)
    assert len(block.lines) == 2
    assert block.lines[-1].endswith("…")
    assert not block.lines[1].startswith(("्", "ि", "ष", "र"))
    for line in block.lines:
        assert paper.width(line, block.size, bold=True) <= WIDTH


def test_letters_of_no_font_become_question_marks_and_lines_one_line(paper: Paper) -> None:
    block = paper.fit("Asha\n😀 Devi", WIDTH, sizes=(8, 6), lines_max=1, bold=False)
    assert block.lines == ("Asha ? Devi",)


def test_a_block_does_not_print_its_text(paper: Paper) -> None:
    block = paper.fit("Asha", WIDTH, sizes=(8, 6), lines_max=1, bold=False)
    assert "Asha" not in repr(block)
