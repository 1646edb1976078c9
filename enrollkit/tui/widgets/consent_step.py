"""Step 1: the wording is read out in full, then the person agrees before a witness.

ABDM fails a client that shows the form before the wording (NHA, M1: consent collection).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from textual.app import ComposeResult

from enrollkit.domain.consent import ConsentMethod, ConsentWording
from enrollkit.locale import _
from enrollkit.tui.languages import language_name
from enrollkit.tui.widgets.choice_field import Choice, ChoiceField
from enrollkit.tui.widgets.field import Field
from enrollkit.tui.widgets.pick_field import PickField
from enrollkit.tui.widgets.step import Step
from enrollkit.tui.widgets.text_field import TextField
from enrollkit.tui.widgets.wording import Wording

__all__ = ["ConsentStep", "Wording"]


class ConsentStep(Step):
    """Language, wording, method, witness: one value at ``/consent``."""

    WORD = "consent"

    def __init__(
        self,
        wordings: Sequence[ConsentWording],
        *,
        language: str,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__()
        self._wordings = {wording.language: wording for wording in wordings}
        self._language = language if language in self._wordings else next(iter(self._wordings), "")
        self._now = now
        self._given_at: str | None = None
        self._agreed: tuple[str, str] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the language, the text, and what the person does."""
        names = {code: language_name(code) for code in self._wordings}
        yield PickField("/consent/language", _("Read out in"), names)
        yield Wording()
        yield ChoiceField(
            "/consent/method",
            _("Agreed by"),
            {
                ConsentMethod.SIGNATURE.value: _("Signature"),
                ConsentMethod.THUMBPRINT.value: _("Thumbprint"),
                ConsentMethod.VERBAL_WITNESSED.value: _("Word of mouth"),
            },
            hint=_("Only after the whole text was read out"),
            help_text=_(
                "A signature stands for itself. A thumbprint and a spoken yes need a witness who "
                "heard it; write the witness's name."
            ),
        )
        yield TextField("/consent/witness", _("Witness"), length_max=100)

    def on_mount(self) -> None:
        """Show the first wording."""
        self._draw()

    def fill(self, row: Mapping[str, Any]) -> None:
        """Show a consent that was given before."""
        super().fill(row)
        consent = row.get("consent")
        if isinstance(consent, Mapping):
            self._given_at = consent.get("given_at")
            self._language = str(consent.get("language", self._language))
            self._agreed = (self._language, str(consent.get("method", "")))
        self.query_one(PickField).put(self._language)
        self._draw()

    def values(self) -> dict[str, Any]:
        """Give the consent as one value; none while no method is chosen."""
        method = self._field("/consent/method").value
        wording = self._wordings.get(self._language)
        if method is None or wording is None:
            return {"/consent": None}
        if self._given_at is None or self._agreed != (self._language, method):
            self._given_at = self._now().isoformat(timespec="seconds")
            self._agreed = (self._language, method)
        consent = {
            "version": wording.version,
            "language": wording.language,
            "method": method,
            "given_at": self._given_at,
            "witness": self._field("/consent/witness").value if self._needs_witness() else None,
        }
        return {"/consent": {key: value for key, value in consent.items() if value is not None}}

    def missing(self) -> str:
        """Say what stands in the way of going on; empty when nothing does."""
        if not self._wordings:
            return _("The programme file holds no consent wording. Ask the office for a new one.")
        if self._field("/consent/method").value is None:
            return _("How did the person agree? Choose it below the text.")
        if self._needs_witness() and self._field("/consent/witness").value is None:
            return _("Who heard it? Write the witness's name.")
        return ""

    def enter(self, pointer: str = "") -> None:
        """Begin with the text, unless a field is named."""
        if pointer in {"/consent/method", "/consent/witness", "/consent/language"}:
            super().enter(pointer)
        else:
            self.query_one(Wording).focus()

    def on_wording_read_out(self) -> None:
        """Go from the text to the answer."""
        self._field("/consent/method").enter()

    def on_choice_changed(self, event: Choice.Changed) -> None:
        """Follow the chosen language and method."""
        event.stop()
        chosen = str(self.query_one(PickField).value or "")
        if chosen != self._language:
            self._language = chosen
        self._draw()

    def _draw(self) -> None:
        wording = self._wordings.get(self._language)
        if wording is not None:
            self.query_one(Wording).show(wording)
        self._field("/consent/witness").display = self._needs_witness()

    def _needs_witness(self) -> bool:
        method = self._field("/consent/method").value
        return method is not None and method != ConsentMethod.SIGNATURE.value

    def _field(self, pointer: str) -> Field:
        return next(field for field in self.query(Field) if field.pointer == pointer)
