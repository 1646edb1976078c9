"""The step for the address: state and district by name, kept by their LGD codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from enrollkit.locale import _
from enrollkit.tui.widgets.field import Field
from enrollkit.tui.widgets.place_field import PlaceField
from enrollkit.tui.widgets.step import Step
from enrollkit.tui.widgets.text_field import TextField

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["AddressStep"]


class AddressStep(Step):
    """House, village, PIN code, state, district."""

    WORD = "address"

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._places = kit.places

    def compose(self) -> ComposeResult:
        """Lay out the fields; the state stands before its districts."""
        yield TextField("/address/line", _("House, street"), hint=_("House number, lane"))
        yield TextField("/address/village", _("Village or ward"), length_max=100)
        yield TextField(
            "/address/pincode",
            _("PIN code"),
            hint=_("Six digits"),
            length_max=12,
            read=lambda text: text.replace(" ", "") or None,
        )
        yield PlaceField(
            "/address/state",
            _("State"),
            self.find_state,
            self._places.state_name,
            hint=_("Type a part of the name"),
        )
        yield PlaceField(
            "/address/district",
            _("District"),
            self.find_district,
            self._places.district_name,
            hint=_("Type a part of the name; old names are known too"),
            help_text=_("The district as the Local Government Directory lists it."),
        )

    def find_state(self, typed: str) -> list[tuple[int, str]]:
        """Give the states that fit, those that begin with the text first."""
        found = _fitting([(place.code, place.name) for place in self._places.states()], typed)
        code = None if found else self._places.find_state(typed)
        return found if code is None else [(code, self._places.state_name(code) or "")]

    def find_district(self, typed: str) -> list[tuple[int, str]]:
        """Give the districts that fit: of the chosen state, or of all with the state named."""
        state = self._state()
        if state is not None:
            here = [(place.code, place.name) for place in self._places.districts(state)]
            found = _fitting(here, typed)
        else:
            found = _fitting(self._all_districts(), typed)
        code = None if found else self._places.find_district(typed, state)
        return found if code is None else [(code, self._places.district_name(code) or "")]

    def follow(self, field: Field) -> None:
        """Fill in the state when a district was chosen first."""
        if field.pointer == "/address/district" and isinstance(field.value, int):
            state = next(one for one in self.query(PlaceField) if one.pointer == "/address/state")
            if state.value is None:
                state.put(self._places.state_of(field.value))

    def _state(self) -> int | None:
        for field in self.query(PlaceField):
            if field.pointer == "/address/state" and isinstance(field.value, int):
                return field.value
        return None

    def _all_districts(self) -> list[tuple[int, str]]:
        return [
            (district.code, f"{district.name} ({state.name})")
            for state in self._places.states()
            for district in self._places.districts(state.code)
        ]


def _fitting(places: list[tuple[int, str]], typed: str) -> list[tuple[int, str]]:
    """Keep the places whose name holds the text; a beginning beats a middle."""
    text = typed.strip().casefold()
    if not text:
        return places
    begins = [place for place in places if place[1].casefold().startswith(text)]
    holds = [place for place in places if f" {text}" in f" {place[1].casefold()}"]
    return begins + [place for place in holds if place not in begins]
