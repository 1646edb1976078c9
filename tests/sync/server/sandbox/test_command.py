"""The command ``enrollkit-server sandbox``, as a trainer types it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from practice_abdm import practice_keys
from sync.server.cli import main
from sync.server.sandbox.keys import CertificateKeys
from sync.server.sandbox.rules import Rule, number_for
from sync.server.settings import load_settings

ROOT = Path(__file__).parents[4]


def test_it_says_what_to_write_into_the_settings_and_ends_cleanly(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-c", "from sync.server.cli import main; main()",
         "sandbox", "--port", "0", "--journal", str(path)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = ""
        while not (found := re.search(r"listening on (http://127\.0\.0\.1:\d+)\n", said)):
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            said += line
        pasted, ending = said.split("listening on ")
        assert ending.count("\n") == 1, "it is the last line"
        assert "laptops say PRACTICE from then on" in pasted
        assert max(map(len, pasted.splitlines())) <= 80
        (tmp_path / "server.toml").write_text(pasted)
        settings = load_settings(tmp_path, {}).abdm
        assert settings.is_configured
        assert settings.is_practice
        assert "PRACTICE" in said
        reply = httpx.get(found[1])
        assert "This is not ABDM" in reply.text
        assert reply.headers["X-Practice"] == "yes"
        process.terminate()
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, errors) == (0, "")
    assert path.read_text() == "", "its own pages are no calls"


def run_here(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[object, str, str]:
    monkeypatch.setattr(sys, "argv", ["enrollkit-server", "sandbox", *arguments])
    keys = practice_keys()
    monkeypatch.setattr(CertificateKeys, "generate", lambda: keys)
    mask = os.umask(0)
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        os.umask(mask)
    return ended.value.code, *capsys.readouterr()


def test_the_help_names_each_special_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown, _ = run_here(["--help"], monkeypatch, capsys)
    assert code == 0
    assert all(number_for(rule) in shown.replace(" ", "") for rule in Rule)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--faults", "worst"], "--faults"),
        (["--callback", "nonsense"], "--callback"),
        (["--journal", "/nowhere/at/all"], "file"),
        (["--host", "192.0.2.1"], "listen"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    arguments: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, said = run_here(["--port", "0", *arguments], monkeypatch, capsys)
    assert code not in (0, None)
    assert words in said
