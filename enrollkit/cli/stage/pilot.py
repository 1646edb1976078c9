"""A pair of hands for the demo: enrolls people by typing in the app, field by field.

It sees what an operator sees: which field has the cursor. It types what a person would type there
and presses Enter, until the app says *Saved on this laptop*.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from textual import events
from textual.pilot import Pilot

from enrollkit.app.kit import Kit
from enrollkit.domain.enrollment import person_from
from enrollkit.errors import KitError
from enrollkit.tui.app import KitApp, make_app
from enrollkit.tui.screens.enroll import EnrollScreen
from enrollkit.tui.screens.home import HomeScreen
from enrollkit.tui.screens.saved import SavedScreen
from enrollkit.tui.screens.unlock import UnlockScreen
from enrollkit.tui.widgets.choice_field import Choice, ChoiceField
from enrollkit.tui.widgets.consent_step import Wording
from enrollkit.tui.widgets.field import Field

__all__ = ["PilotLost", "enroll_through_app"]

_KEYS_MAX: Final = 100
"""More Enters than any enrollment takes."""
_SECONDS_MAX: Final = 30.0


class PilotLost(KitError):
    """The demo's pilot did not find its way through the app. Please report it."""

    code = "pilot-lost"
    exit_code = 57


def enroll_through_app(kit: Kit, people: Sequence[Mapping[str, Any]], passphrase: str) -> int:
    """Enroll people (intake rows) in the app without a terminal; give how many it saved."""
    return asyncio.run(_enroll(kit, people, passphrase))


async def _enroll(kit: Kit, people: Sequence[Mapping[str, Any]], passphrase: str) -> int:
    kit.lock()
    app = make_app(kit)
    saved = 0
    async with app.run_test(size=(80, 24)) as pilot:
        await _until(pilot, lambda: isinstance(app.screen, UnlockScreen))
        await _type(pilot, passphrase)
        await pilot.press("enter")
        await _until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("n")
        for person in people:
            await _until(pilot, lambda: isinstance(app.screen, EnrollScreen))
            await _fill_in(app, pilot, person)
            saved += 1
            await pilot.press("enter")
        await _until(pilot, lambda: isinstance(app.screen, EnrollScreen))
        await pilot.press("escape")
        await _until(pilot, lambda: isinstance(app.screen, HomeScreen))
    # The app locks the kit when it closes, as it does under an operator's hands.
    kit.unlock(passphrase)
    _demand_as_said(kit, people)
    return saved


def _demand_as_said(kit: Kit, people: Sequence[Mapping[str, Any]]) -> None:
    """See that what the app saved is what was typed, to the last vowel sign."""
    said = {(person["name"], person["name_native"]) for person in people}
    saved = {(row.name, row.name_native) for row in kit.people.search("", limit=len(people))}
    if said != saved:
        raise PilotLost("saved and typed differ")


async def _fill_in(app: KitApp, pilot: Pilot[None], person: Mapping[str, Any]) -> None:
    for _press in range(_KEYS_MAX):
        if isinstance(app.screen, SavedScreen):
            return
        before = _place(app)
        await _answer(app, pilot, person)
        await _until(pilot, partial(_has_moved, app, before))
    raise PilotLost("too many keys")


async def _answer(app: KitApp, pilot: Pilot[None], person: Mapping[str, Any]) -> None:
    """Type into the field that has the cursor what the person answers there, and press Enter."""
    field = _field(app)
    value = _value(app, person, field.pointer) if field else None
    if isinstance(field, ChoiceField):
        await _choose(pilot, field, value)
    elif value is not None:
        await _type(pilot, str(value))
    await pilot.press("enter")


async def _choose(pilot: Pilot[None], field: ChoiceField, value: str | None) -> None:
    keys = list(field.query_one(Choice).answers)
    for _turn in keys:
        if field.value == value or value not in keys:
            return
        await pilot.press("right")


def _place(app: KitApp) -> tuple[object, ...]:
    """Tell where the cursor stands, and how far a text was read."""
    focused = app.focused
    read = focused.scroll_y if isinstance(focused, Wording) else 0
    field = _field(app)
    return (app.screen, focused, field.pointer if field else None, read)


def _has_moved(app: KitApp, before: tuple[object, ...]) -> bool:
    return _place(app) != before


def _field(app: KitApp) -> Field | None:
    if app.focused is None:
        return None
    return next((one for one in app.focused.ancestors_with_self if isinstance(one, Field)), None)


def _value(app: KitApp, person: Mapping[str, Any], pointer: str) -> Any:
    """Give what the person answers, as it is said at a desk: names of places, not their codes."""
    if pointer == "/birth":
        birth = person_from(person).birth
        return birth.text()
    if pointer == "/address/state":
        return app.kit.places.state_name(person["address"]["state"])
    if pointer == "/address/district":
        return app.kit.places.district_name(person["address"]["district"])
    value: Any = person
    for part in pointer.strip("/").split("/"):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


async def _type(pilot: Pilot[None], text: str) -> None:
    """Type as a keyboard does: one event a character.

    Textual's pilot cannot press a vowel sign or a virama (it looks them up by a name that has no
    blanks), so what is not ASCII is sent as the terminal sends it.
    """
    for character in text:
        if character.isascii():
            await pilot.press("space" if character == " " else character)
        else:
            pilot.app.post_message(events.Key(character, character))
            await pilot.pause()


async def _until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _turn in range(int(_SECONDS_MAX / 0.02)):
        await pilot.pause(0.02)
        if holds():
            return
    raise PilotLost("the app did not move on")
