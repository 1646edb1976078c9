"""What the pages point at is there: links, pictures, files, tests and names of tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from locked_packages import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
QUOTED_PATH = re.compile(r"`((?:tests|scripts|docs|enrollkit|sync|schemas)/[\w./-]+)`")
QUOTED_TEST = re.compile(r"`(test_\w+)`")
HEADINGS = ("## Context", "## Decision", "## Status", "## Consequences")
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
DECISIONS = sorted(page for page in (ROOT / "docs" / "adr").glob("0*.md"))


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ +(.+?) *$", FENCE.sub("", _text(page)), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", title.lower()) for title in titles]
    return {title.replace(" ", "-") for title in plain}


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for found in LINK.finditer(FENCE.sub("", _text(page))):
        link = found[1] or found[2]
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{link} leads out of the project"
        if anchor:
            assert anchor in _anchors(target), f"{link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    for path in QUOTED_PATH.findall(_text(page)):
        assert (ROOT / path).exists(), f"{path} does not exist"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    sources = "".join(_text(file) for file in (ROOT / "tests").rglob("test_*.py"))
    for name in QUOTED_TEST.findall(_text(page)):
        assert f"def {name}(" in sources, f"{name} does not exist"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_page_is_well_formed(page: Path) -> None:
    text = _text(page)
    assert text.startswith("# "), "a page begins with its title"
    assert len(re.findall(r"^```", text, re.MULTILINE)) % 2 == 0, "a block is not closed"
    assert "@@" not in text, "a place was left open"
    for table in re.findall(r"(?:^\|.*\n)+", FENCE.sub("", text), re.MULTILINE):
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(columns) == 1, f"a table with rows of different lengths: {table[:80]}"


def test_every_decision_says_what_it_costs_and_is_listed() -> None:
    assert len(DECISIONS) >= 11
    index = _text(ROOT / "docs" / "adr" / "README.md")
    for number, page in enumerate(DECISIONS, start=1):
        text = _text(page)
        assert text.startswith(f"# {number:04d} "), page.name
        places = [text.find(f"\n{heading}\n") for heading in HEADINGS]
        assert -1 not in places, f"{page.name}: a heading is missing"
        assert places == sorted(places), f"{page.name}: headings in another order"
        assert f"({page.name})" in index
