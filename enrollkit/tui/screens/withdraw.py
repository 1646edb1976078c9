"""Taking a consent back: it names the person and what follows, for nothing undoes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from enrollkit.locale import _
from enrollkit.tui.marks import shown
from enrollkit.tui.screens.page import Page, ask
from enrollkit.tui.widgets.pick_field import PickField

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

__all__ = ["WithdrawScreen"]

_REASONS = {
    "none-given": "No reason given",
    "changed-mind": "Changed their mind",
    "entered-twice": "Was entered twice",
    "wrong-person": "The wrong person",
    "not-understood": "Had not understood it",
}


class WithdrawScreen(Page[bool]):
    """Dismisses with whether the consent was taken back."""

    HEADING = "Withdraw consent"
    HELP = (
        "A person may take the consent back at any time and need not say why. From then on nothing "
        "more is written about them. It cannot be undone; they can be enrolled anew."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "withdraw", "withdraw consent", key_display="F2"),
    ]
    _working = False

    def __init__(self, kit: Kit, ident: str, name: str, *, issued: bool) -> None:
        super().__init__(kit)
        self._ident = ident
        self._whom = name
        self._issued = issued

    def content(self) -> Iterable[Widget]:
        """Give the person, the consequence, and a reason that may stay open."""
        yield Static(shown(self._whom), id="end-person", markup=False)
        yield Static(self._words(), id="end-words", markup=False)
        reasons = {code: _(words) for code, words in _REASONS.items()}
        yield PickField("/reason", _("Why"), reasons, hint=_("Not a must; arrows choose"))

    def on_mount(self) -> None:
        """Put the cursor on the reason."""
        field = self.query_one(PickField)
        field.put("none-given")
        field.enter()

    def action_withdraw(self) -> None:
        """Take it back, once."""
        if not self._working:
            self._working = True
            self.begin(self._withdraw)

    async def _withdraw(self) -> None:
        code = self.query_one(PickField).value
        reason = None if code == "none-given" else code
        try:
            await ask(self.kit.corrections.withdraw, self._ident, reason)
        finally:
            self._working = False
        self.leave(True)  # noqa: FBT003 - the screen's answer

    def _words(self) -> Content:
        lines = [
            _("{name} takes the consent back.").format(name=shown(self._whom)),
            _(
                "From this moment the enrollment is over on this laptop. The office is told with "
                "the next sending, and stops too. This cannot be undone."
            ),
        ]
        if self._issued:
            lines.append(_("The ABHA number itself is closed at ABDM, on the person's own wish."))
        warn = Content.styled(f"! {lines[0]}", "bold $warning")
        keys = Content.styled(
            _("F2 withdraws the consent. Esc leaves everything as it is."), "bold"
        )
        rest = [Content(line) for line in lines[1:]]
        return Content("\n").join([warn, *rest, Content(""), keys])
