"""Cards: choose the paper, name the file, get what can be printed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.app.results import Printed
from enrollkit.locale import _, ngettext
from enrollkit.tui.marks import shown
from enrollkit.tui.messages import StepDone
from enrollkit.tui.screens.page import Page, ask
from enrollkit.tui.widgets.pick_field import PickField
from enrollkit.tui.widgets.step import Step
from enrollkit.tui.widgets.text_field import TextField

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["CardsScreen"]

_LAYOUTS = {
    "a4": "A4 sheet, ten cards",
    "cr80": "Plastic card",
    "slip": "Paper slip",
    "thermal58": "Receipt printer 58 mm",
    "thermal80": "Receipt printer 80 mm",
}


class CardsScreen(Page[None]):
    """Writes a file that the printer's own program opens."""

    HEADING = "Cards"
    HELP = (
        "The cards are written to a file; open it and print. The file shows names: take it away "
        "from the laptop after printing."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "make", "make the cards")]
    _making = False

    def __init__(self, kit: Kit, idents: list[str] | None, title: str) -> None:
        super().__init__(kit)
        self._idents = idents
        self._whose = title

    def content(self) -> Iterable[Widget]:
        """Give whose cards, the paper, the file."""
        words = (
            _("PRACTICE cards for {name}") if self.kit_app.is_practice else _("Cards for {name}")
        )
        for_whom = words.format(name=shown(self._whose))
        yield Static(for_whom, id="cards-head", markup=False)
        yield _CardStep()

    def on_mount(self) -> None:
        """Suggest a plastic card for one person, a sheet for many, and a file."""
        name = "cards" if self._idents is None else "card"
        stamp = self.kit_app.now().strftime("%Y%m%d-%H%M")
        step = self.query_one(_CardStep)
        step.fill({
            "layout": "a4" if self._idents is None else "cr80",
            "file": str(Path.home() / f"{name}-{stamp}.pdf"),
        })  # fmt: skip
        step.enter()

    def on_step_done(self, event: StepDone) -> None:
        """Enter in the last field makes them."""
        event.stop()
        self.action_make()

    def action_make(self) -> None:
        """Make the cards once."""
        if not self._making:
            self._making = True
            self.say(_("Making the cards …"), stay=True)
            self.begin(self._make)

    async def _make(self) -> None:
        values: dict[str, Any] = self.query_one(_CardStep).values()
        layout, file = str(values["/layout"]), str(values["/file"] or "cards.pdf")
        try:
            printed = await ask(self._write_cards, layout, file)
            words = ngettext("{count} card in {files}", "{count} cards in {files}", printed.cards)
            files = ", ".join(str(file) for file in printed.files)
            self.say(words.format(count=printed.cards, files=files), stay=True)
        except OSError:
            self.say(_("That file could not be written. Try another folder."), warn=True)
        finally:
            self._making = False

    def _write_cards(self, layout: str, file: str) -> Printed:
        out = Path(file).expanduser()
        return self.kit.cards.render(self._idents, layout=layout, out=out)


class _CardStep(Step):
    """The two fields."""

    def compose(self) -> Any:
        """Lay them out."""
        layouts = {key: _(words) for key, words in _LAYOUTS.items()}
        yield PickField("/layout", _("Paper"), layouts)
        yield TextField(
            "/file", _("File"), hint=_("Ends in .pdf; .png for a picture"), length_max=400
        )
