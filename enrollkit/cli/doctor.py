"""``enrollkit doctor``: looks over the laptop before a camp."""

from __future__ import annotations

from enrollkit.app.results import Level
from enrollkit.cli.console import AsJson, say, say_json, unlocked_kit

_MARK = {Level.OK: "✔", Level.WARN: "!", Level.BAD: "✘"}


def run(
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> int:
    """Look over keys, database, clock, consent wording and programs; say what needs care.

    Exit code 1 when something is bad; a warning is none.
    """
    with unlocked_kit() as kit:
        findings = kit.doctor()
    bad = any(finding.level is Level.BAD for finding in findings)
    if as_json:
        say_json({"ok": not bad, "findings": findings})
    else:
        for finding in findings:
            say(f"{_MARK[finding.level]} {finding.text}")
    return 1 if bad else 0
