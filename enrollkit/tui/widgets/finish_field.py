"""The one field of finishing: a code that was read out, or the ABHA address that is wanted."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from enrollkit.app.finish_words import address_of, read_handle
from enrollkit.locale import _
from enrollkit.tui.marks import shown
from enrollkit.tui.widgets.line_input import LineInput
from enrollkit.tui.widgets.text_field import TextField

__all__ = ["FinishField"]

_OFFERS_SHOWN = 6
_TYPED_MAX = 40


class FinishField(Vertical):
    """Shows the field that the stage asks for, or none. Arrows put an offer into the field."""

    def __init__(self) -> None:
        super().__init__()
        self._offers: tuple[str, ...] = ()
        self._practice = False

    def compose(self) -> ComposeResult:
        """Lay out both fields and the offers; one field at most is seen."""
        yield TextField(
            "/code", _("Code"), hint=_("Six digits, as the person reads them out"), length_max=12
        )
        yield TextField(
            "/handle",
            _("ABHA address"),
            hint=_("Arrows choose, or type another. F3 goes on without one"),
            length_max=_TYPED_MAX,
            say=self._say_address,
        )
        yield Static("", id="finish-offers", markup=False)

    def on_mount(self) -> None:
        """Show nothing yet; mark the offer that stands in the field."""
        self.close()
        field = self.query_one("#f-handle LineInput", LineInput)
        self.watch(field, "value", self._draw_offers, init=False)

    @property
    def text(self) -> str:
        """What stands in the field that is seen."""
        return next((field.text for field in self._seen()), "")

    def ask_code(self, problem: str | None) -> None:
        """Ask for a code, in an empty field; ``problem`` is what was wrong with the last."""
        self.display = True
        self._open("/code")
        for field in self._seen():
            with self.prevent(Input.Changed):
                field.put("")
            field.show_problem(problem)

    def ask_address(
        self, offers: tuple[str, ...], wish: str, problem: str | None, *, practice: bool
    ) -> None:
        """Ask for an address; ``wish`` stands in the field at first, later what was typed."""
        self.display = True
        self._offers, self._practice = offers[:_OFFERS_SHOWN], practice
        asked_already = any(field.pointer == "/handle" for field in self._seen())
        self._open("/handle")
        for field in self._seen():
            if not asked_already:
                field.put(wish)
            field.show_problem(problem)
        self._draw_offers()

    def close(self) -> None:
        """Show no field."""
        self.display = False
        self._open("")
        self._draw_offers()

    def refuse(self, text: str) -> None:
        """Say what is wrong with what was typed."""
        for field in self._seen():
            field.show_problem(text)
            field.enter()

    def walk(self, steps: int) -> None:
        """Put the next offer into the field, or the one before."""
        for field in self._seen():
            if self._offers:
                here = field.text in self._offers
                place = self._offers.index(field.text) if here else -1 if steps > 0 else 0
                field.put(self._offers[(place + steps) % len(self._offers)])
                self._draw_offers()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Mark the offer that stands in the field."""
        event.stop()
        self._draw_offers()

    def _open(self, pointer: str) -> None:
        for field in self.query(TextField):
            field.display = field.pointer == pointer
            if field.display:
                field.enter()

    def _seen(self) -> list[TextField]:
        return [field for field in self.query(TextField) if field.display]

    def _say_address(self, value: Any) -> str:
        handle = read_handle(str(value or ""), self._offers)
        if handle is None:
            return ""
        address = address_of(handle, practice=self._practice)
        return _("It will be {address}").format(address=shown(address))

    def _draw_offers(self) -> None:
        lines = [
            Content.styled(f"> {shown(offer)}", "bold $accent")
            if offer == self.text
            else Content(f"  {shown(offer)}")
            for offer in self._offers
        ]
        words = self.query_one("#finish-offers", Static)
        words.update(Content("\n").join(lines))
        words.display = bool(self._offers) and any(
            field.pointer == "/handle" for field in self._seen()
        )
