"""Draw docs/images/*.svg: the screens of the app, from a scripted pilot with invented people.

    python scripts/pictures_tui.py [FOLDER]

The kit behind the screens is the one of the tests (tests/support/fake_kit.py), so that the pictures
are the same on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from enrollkit.app.results import Finding, Level, Progress  # noqa: E402
from enrollkit.domain.enrollment import State  # noqa: E402
from fake_finishing import FinishKit  # noqa: E402
from fake_kit import PASSPHRASE, FakeKit  # noqa: E402 - found on the path set above
from tui_drive import Driver, adult_row, drive  # noqa: E402

PEOPLE = (
    ("Ramkali Yadav", "रामकली यादव", "F", 2008, State.ACCEPTED),
    ("Manoj Lal Yadav", "मनोज लाल यादव", "M", 1972, State.ISSUED),
    ("Shanti Devi", "शांति देवी", "F", 1970, State.ISSUED),
    ("Kamla Devi", "कमला देवी", "F", 1961, State.RETURNED),
    ("Ramesh Lal", "रमेश लाल", "M", 1961, State.RETURNED),
    ("Harish Chandra", "हरीश चंद्र", "M", 1954, State.SUBMITTED),
    ("Asha Kumari", "आशा कुमारी", "F", 2001, State.SENT),
    ("Mohammad Irfan", None, "M", 1990, State.SUBMITTED),
    ("Pushpa Devi", "पुष्पा देवी", "F", 1983, State.SUBMITTED),
)


def camp() -> FakeKit:
    """Give a kit in the afternoon of a camp."""
    kit = FakeKit()
    for name, native, gender, year, state in PEOPLE:
        row = adult_row(name, gender=gender, birth={"year": year}, mobile_owner="family")
        kit.put_person({**row, "name_native": native}, state)
    kit.findings = [
        Finding(
            code="clock",
            level=Level.WARN,
            text="The clock of this laptop is 3 days behind. Records keep their order.",
        )
    ]
    ramesh = next(one.id for one in kit.people_here.values() if one.person.name == "Ramesh Lal")
    kit.send_back(ramesh, "conflict", "/name", name="Ramesh Lall", birth={"year": 1960})
    for name, code, later in (
        ("Rukmini Bai", "person:otp", 0),
        ("Lakhan Singh", "person:document", 0),
        ("Meena Kumari", "person:parent", 86_400),
    ):
        row = adult_row(name, mobile="9876543210", mobile_owner="family")
        kit.ask_for(kit.put_person(row), code, call_at=kit.now + later if later else None)
    kit.unlock(PASSPHRASE)
    kit.drafts.start({"name": "Geeta"})
    kit.lock()
    return kit


def with_code() -> FinishKit:
    """Give a kit with somebody to call who has come."""
    kit = FinishKit()
    row = adult_row("Rukmini Bai", mobile_owner="family", aadhaar_last4="4821")
    kit.ask_for(kit.put_person(row), "person:otp")
    return kit


def practising(kit: FakeKit) -> FakeKit:
    """Have a kit work for a programme whose numbers are not real."""
    kit.practice = True
    return kit


def with_draft(step: str, **changes: Any) -> FakeKit:
    """Give the camp with one draft at a step."""
    kit = camp()
    kit.unlock(PASSPHRASE)
    kit.desk.clear()
    row = {key: value for key, value in adult_row(**changes).items() if value is not None}
    draft = kit.drafts.start(row)
    kit.desk[draft.id] = replace(draft, step=step, aadhaar_last4="4821")
    kit.lock()
    return kit


async def home(d: Driver) -> None:
    """Stay at home."""


async def enroll(d: Driver) -> None:
    """Open the draft in its person step."""
    await d.press("d", "enter", "tab", "tab")


async def review(d: Driver) -> None:
    """Open the draft in its review."""
    await d.press("d", "enter")


async def saved(d: Driver) -> None:
    """Save the draft."""
    await d.press("d", "enter", "enter")


async def people(d: Driver) -> None:
    """Look for somebody."""
    await d.press("f")
    await d.type("devi")


async def person(d: Driver) -> None:
    """Open somebody's page."""
    await d.press("f")
    await d.type("manoj")
    await d.press("enter")


async def returned(d: Driver) -> None:
    """Look at those who came back."""
    await d.press("r")


async def calls(d: Driver) -> None:
    """Look at those who have to be called."""
    await d.press("k")


async def finish(d: Driver) -> None:
    """Wait for the code of somebody who was called."""
    await d.press("k", "o", "enter")
    d.kit.now += 22
    await d.press("escape", "o")
    await d.type("4829")


async def correct(d: Driver) -> None:
    """Correct somebody about whom the office wrote something else."""
    await d.press("r", "down", "enter")


async def statement(d: Driver) -> None:
    """End the day with two people on a stick."""
    d.kit.on_sticks = 2
    await d.press("e")


async def send(d: Driver) -> None:
    """Stop in the middle of sending."""
    d.kit.sending.clear()
    await d.press("s")
    await d.until(lambda: d.app.delivery.progress is not None)
    steps = [
        (0, 0, "Calling the server."),
        (12, 1180, "12 of 41 signed for."),
        (12, 2210, "The line broke for 20 seconds. Nothing is lost; connected again."),
        (31, 4300, "31 of 41 signed for."),
    ]
    d.app.delivery.lines = []
    for signed, sent, text in steps:
        d.app.delivery._note(  # noqa: SLF001 - the picture shows a moment that passes
            Progress(
                phase="people",
                people_total=41,
                people_signed=signed,
                bytes_up=sent,
                bytes_down=signed * 31,
                text=text,
                bytes_left=(41 - signed) * 110,
                seconds_left=None if sent == 0 else (41 - signed) * 4,
            )
        )
        await d.rest()
    DRAW[d.app.title](d)
    d.kit.sending.set()
    await d.until(lambda: not d.app.delivery.running)


DRAW: dict[str, Callable[[Driver], None]] = {}


def main(folder: Path) -> None:
    """Draw every picture into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    child = {"birth": {"year": 2017}, "gender": None, "guardian": None}
    far = {**adult_row()["address"], "district": 188}
    scenes: dict[str, tuple[FakeKit, Callable[[Driver], Awaitable[None]], tuple[int, int]]] = {
        "home": (camp(), home, (80, 24)),
        "enroll": (with_draft("person"), enroll, (80, 24)),
        "enroll-wide": (with_draft("person"), enroll, (120, 30)),
        "review": (
            with_draft("review", name="Asha Kumari", name_native="आशा कुमारी", address=far, **child),
            review,
            (80, 24),
        ),
        "saved": (with_draft("review"), saved, (80, 24)),
        "people": (camp(), people, (80, 24)),
        "person": (camp(), person, (80, 24)),
        "send": (camp(), send, (80, 24)),
        "returned": (camp(), returned, (80, 24)),
        "practice": (practising(camp()), person, (80, 24)),
        "calls": (camp(), calls, (80, 24)),
        "finish": (with_code(), finish, (80, 24)),
        "correct": (camp(), correct, (80, 24)),
        "statement": (camp(), statement, (80, 24)),
    }
    for name, (kit, script, size) in scenes.items():
        shoot(folder / f"{name}.svg", kit, script, size)
        sys.stderr.write(f"{folder / name}.svg\n")


def shoot(
    file: Path, kit: FakeKit, script: Callable[[Driver], Awaitable[None]], size: tuple[int, int]
) -> None:
    """Run a script and draw what the screen shows at its end, or where it asks to be drawn."""

    def draw(d: Driver) -> None:
        if file.name not in drawn:
            drawn.add(file.name)
            file.write_text(d.app.export_screenshot(title="enrollkit"), encoding="utf-8")

    async def scene(d: Driver) -> None:
        await script(d)
        draw(d)

    drawn: set[str] = set()
    DRAW["enrollkit"] = draw
    drive(scene, kit=kit, size=size)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
