"""Every command line that the README shows is one that exists, with the options it shows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache

import pytest

from locked_packages import ROOT

PROGRAMS = {"enrollkit": "enrollkit", "enrollkit-server": "sync.server"}
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
WIDE = {"COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}


def _shown_commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines: list[str] = []
    for block in BLOCK.findall(text):
        joined = block.replace("\\\n", " ")
        lines += [line[2:].strip() for line in joined.splitlines() if line.startswith("$ ")]
    return lines


def test_the_readme_shows_both_set_up_commands() -> None:
    shown = _shown_commands()
    assert "python3 scripts/demo.py" in shown
    assert "python3 scripts/test.py" in shown


@pytest.mark.parametrize("line", sorted(set(_shown_commands())))
def test_a_command_of_the_readme_exists(line: str) -> None:
    for words in _simple_commands(line):
        if words[0] in PROGRAMS:
            _assert_program_has(words)
        elif words[0] in {"python3", "python"} and words[1:2] != ["-m"]:
            assert (ROOT / words[1]).is_file(), f"{words[1]} does not exist"


def test_an_option_that_does_not_exist_is_noticed() -> None:
    with pytest.raises(AssertionError, match="--no-such-option"):
        _assert_program_has(["enrollkit", "status", "--no-such-option"])


def _simple_commands(line: str) -> list[list[str]]:
    """Split at pipes and the like; drop redirections, comments and settings in front."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("|&;"):
            commands.append([])
        elif commands[-1] or not re.match(r"^[A-Z_]+=", word):
            commands[-1].append(word)
    return [words for words in commands if words]


def _assert_program_has(words: list[str]) -> None:
    module = PROGRAMS[words[0]]
    path: tuple[str, ...] = ()
    for word in words[1:]:
        if not re.fullmatch(r"[a-z][a-z-]*", word) or word not in _names(_help(module, path)):
            break
        path = (*path, word)
    names = _names(_help(module, path))
    bare = [word for word in words[1:] if not word.startswith("-")]
    if not path and bare:
        assert bare[0] in names, f"{words[0]} has no command {bare[0]}"
    for option in words[1 + len(path) :]:
        if option.startswith("-") and option != "-":
            assert option.split("=", 1)[0] in names, f"{' '.join(words)}: no {option}"


@cache
def _help(module: str, path: tuple[str, ...]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *path, "--help"],
        cwd=ROOT,
        env=os.environ | WIDE,
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _names(text: str) -> set[str]:
    """First words of the rows of a help page: commands, and every spelling of an option."""
    rows = re.findall(r"^[\s│|]*([a-z-].*)$", text, re.MULTILINE)
    first = {row.split()[0].rstrip(",") for row in rows if row.split()}
    return first | set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", text))
