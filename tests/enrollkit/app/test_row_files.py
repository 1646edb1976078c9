"""Files of rows: whatever a line holds, the lines after it are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enrollkit.app.row_files import LINE_BYTES_MAX, read_rows
from enrollkit.errors import DocumentUnreadable, FileHoldsNoRows


def rows_of(folder: Path, content: bytes, name: str = "people.jsonl") -> list[tuple[int, str]]:
    path = folder / name
    path.write_bytes(content)
    return [
        (row.number, "ok" if row.value is not None else row.problem.code if row.problem else "?")
        for row in read_rows(path)
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"name": "A', "truncated-line"),
        (b'{"name": "A", "bi', "truncated-line"),
        (b"not json at all", "not-json"),
        (b'{"a": NaN}', "not-json"),
        (b'{"a": 1e999}', "not-json"),
        (b'{"a": 1, "a": 2}', "not-json"),
        (b"[1, 2]", "not-an-object"),
        (b"\xff\xfe{}", "not-utf-8"),
        (b"[" * 50_000, "not-json"),
        (b'{"a": "' + b"x" * LINE_BYTES_MAX + b'"}', "line-too-long"),
    ],
)
def test_a_bad_line_is_named_and_the_next_is_read(tmp_path: Path, line: bytes, code: str) -> None:
    assert rows_of(tmp_path, b'{"a": 1}\n' + line + b'\n{"a": 2}\n') == [
        (1, "ok"),
        (2, code),
        (3, "ok"),
    ]


def test_a_file_of_windows_with_a_byte_order_mark_and_blank_lines_is_read(tmp_path: Path) -> None:
    assert rows_of(tmp_path, b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": 2}') == [(1, "ok"), (3, "ok")]


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "endless.jsonl"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    assert [row.problem.code for row in read_rows(path) if row.problem] == ["line-too-long"]


def test_csv_with_dotted_headings_gives_the_same_row(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text('name,birth.year,address.line,mobile\n"Devi, Asha",1987,"Ward 4",\n')
    (row,) = read_rows(path)
    assert row.value == {
        "name": "Devi, Asha",
        "birth": {"year": 1987},
        "address": {"line": "Ward 4"},
    }


def test_a_csv_line_with_other_columns_is_named(tmp_path: Path) -> None:
    assert rows_of(tmp_path, b"name,gender\nA,F,x\nB,M\n", "people.csv") == [
        (2, "wrong-columns"),
        (3, "ok"),
    ]


def test_a_csv_heading_that_is_both_field_and_group_is_named(tmp_path: Path) -> None:
    assert rows_of(tmp_path, b"birth,birth.year\n1,1987\n", "people.csv") == [(2, "wrong-columns")]


@pytest.mark.parametrize(
    ("headings", "line", "code"),
    [
        (b"name,village", b"a\rb,c", "not-csv"),
        (b"name,birth.year", b"A," + b"1" * 5000, "ok"),
        (b"birth,birth.day.of", b"x,y", "wrong-columns"),
    ],
)
def test_a_hostile_csv_line_is_named_and_the_next_is_read(
    tmp_path: Path, headings: bytes, line: bytes, code: str
) -> None:
    content = headings + b"\n" + line + b"\nA,\n"
    assert rows_of(tmp_path, content, "people.csv") == [(2, code), (3, "ok")]


@pytest.mark.parametrize("depth", [33, 300, 988, 2000, 20_000])
def test_nesting_without_end_does_not_stop_the_file(tmp_path: Path, depth: int) -> None:
    nested = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    code = rows_of(tmp_path, nested + b'\n{"a": 2}\n')
    assert code in ([(1, "too-deep"), (2, "ok")], [(1, "not-json"), (2, "ok")])
    people = tmp_path / "people.csv"
    people.write_bytes(b"name," + b".".join([b"a"] * depth) + b"\nA,x\n")
    (row,) = read_rows(people)
    assert len(json.dumps(row.value)) < 64 * 1024


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable):
        list(read_rows(tmp_path / "missing.jsonl"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_no_bytes_stop_the_reading(tmp_path: Path, lines: list[bytes]) -> None:
    # The first line is a row: how a picture begins is another test's.
    content = b"\n".join([b'{"first": 1}', *lines, json.dumps({"last": True}).encode()])
    for name in ("fuzz.jsonl", "fuzz.csv"):
        (tmp_path / name).write_bytes(content)
        numbers = [row.number for row in read_rows(tmp_path / name)]
        assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("head", [b"\x89PNG\r\n", b"%PDF-1.7\n", b"PK\x03\x04", b"\xff\xfe{\x00"])
def test_a_file_of_another_kind_gets_one_sentence(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "people.jsonl"
    path.write_bytes(head + b"\n" * 100)
    with pytest.raises(FileHoldsNoRows):
        list(read_rows(path))


def test_csv_of_a_spreadsheet_that_writes_semicolons_is_read(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("name;birth.year;address.line\nAsha Devi;1987;House 4, Ward 2\n")
    (row,) = read_rows(path)
    assert row.value == {
        "name": "Asha Devi",
        "birth": {"year": 1987},
        "address": {"line": "House 4, Ward 2"},
    }
