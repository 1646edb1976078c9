"""``enrollkit finish``: from a one-time code to the ABHA number, while the person is here."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from enrollkit.app.finish_words import (
    can_begin,
    card_words,
    code_shape,
    done_words,
    handle_shape,
    handles_of,
    help_words,
    later_words,
    read_code,
    read_handle,
    silent_words,
    stage_words,
    wait_words,
    why_words,
)
from enrollkit.app.results import FinishState
from enrollkit.cli.console import AsJson, hint, say, say_json, unlocked_kit
from enrollkit.domain.characters import shown
from enrollkit.errors import OperatorError
from enrollkit.locale import _
from sync.protocol import FinishStage

if TYPE_CHECKING:
    from enrollkit.app.kit import Kit

_NOT_DONE: Final = 1
_OFFICE_SILENT: Final = 3
_LOOKS_MAX: Final = 5
_LOOK_SECONDS: Final = 3.0
"""Between two looks; the server itself waits some twenty seconds in each."""
_SILENT_SECONDS: Final = 40.0
"""After the first answer, which took those twenty; a minute in all."""
_LINE_MAX: Final = 100
"""More than anybody types here."""

Step = Callable[[str], FinishState]


def run(
    ident: Annotated[
        str, typer.Argument(metavar="ID", help="Record id, provisional or ABHA number.")
    ],
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command line
) -> int:
    """Finish an enrollment with the person present: ABDM sends a code to their mobile.

    It needs a network, and goes on where it stopped, on any laptop of the programme. What it asks
    for is typed, or comes line by line from a pipe; no code is kept. Exit code 1 when it was left
    before the end, 3 when the office did not ask ABDM within a minute: nothing is lost.
    """
    with unlocked_kit() as kit:
        talk = _Talk(kit, ident, aside=as_json)
        try:
            state = talk.go_on()
        except OperatorError:
            hint(_("To go on later, type the same once more."))
            raise
    if as_json:
        say_json(asdict(state) | {"practice": talk.practice})
    ends = {FinishStage.DONE: 0, FinishStage.WORKING: _OFFICE_SILENT}
    return ends.get(FinishStage(state.stage), _NOT_DONE)


class _Talk:
    """Asks at each stage, until the number is there or the operator leaves.

    ``aside``: what is said goes to stderr, for stdout is a program's.
    """

    def __init__(self, kit: Kit, ident: str, *, aside: bool) -> None:
        self._kit = kit
        self._finishing = kit.finishing
        self._ident = ident
        self._aside = aside
        self._asked_at = 0.0
        self._helped = ""
        self.practice = kit.programme.practice

    def go_on(self) -> FinishState:
        """Walk from where it stands; give where it stands in the end."""
        hint(_("Asking the office; ABDM may take half a minute …"))
        state = self._finishing.look(self._ident)
        self._tell(state.name or self._ident)
        state = self._settled(state)
        while state.stage != FinishStage.DONE:
            self._say_stage(state)
            following = self._step(state)
            if following is None:
                self._tell(later_words() if state.is_known else "")
                return state
            state = self._settled(following)
        self._say_done(state)
        return state

    def _settled(self, state: FinishState) -> FinishState:
        """Wait while the office is at it, for a minute or so."""
        began = time.monotonic()
        if state.stage == FinishStage.WORKING:
            hint(_("Waiting for the office …"))
        for _look in range(_LOOKS_MAX):
            waited = time.monotonic() - began
            if state.stage != FinishStage.WORKING or waited >= _SILENT_SECONDS:
                break
            time.sleep(_LOOK_SECONDS)
            state = self._finishing.look(self._ident)
        self._asked_at = time.monotonic()
        return state

    def _step(self, state: FinishState) -> FinishState | None:
        """Ask what the stage asks for; ``None`` when the operator leaves."""
        finishing = self._finishing
        match state.stage:
            case FinishStage.READY | FinishStage.REFUSED if can_begin(state):
                return self._agreed(_("Enter sends the code, Q leaves"), finishing.send)
            case FinishStage.CODE_SENT:
                return self._code(state, finishing.code, finishing.send)
            case FinishStage.MOBILE:
                words = _("Enter sends a code to it, S goes on without, Q leaves")
                return self._agreed(words, finishing.mobile_send, finishing.skip_mobile)
            case FinishStage.MOBILE_SENT:
                steps = finishing.mobile_code, finishing.mobile_send, finishing.skip_mobile
                return self._code(state, *steps)
            case FinishStage.ADDRESS:
                return self._address(state)
        return None

    def _agreed(self, words: str, step: Step, skip: Step | None = None) -> FinishState | None:
        while (typed := _read(words)) is not None:
            if typed in {"", "y"}:
                return step(self._ident)
            if typed == "s" and skip is not None:
                return skip(self._ident)
        return None

    def _code(
        self,
        state: FinishState,
        step: Callable[[str, str], FinishState],
        again: Step,
        skip: Step | None = None,
    ) -> FinishState | None:
        words = _("The code (R sends another, Q leaves)")
        if skip is not None:
            words = _("The code (R sends another, S goes on without, Q leaves)")
        while (typed := _read(words)) is not None:
            passed = int(time.monotonic() - self._asked_at)
            left, code = max(0, state.again_in - passed), read_code(typed)
            if typed == "s" and skip is not None:
                return skip(self._ident)
            if typed == "r" and not left:
                return again(self._ident)
            if code is not None:
                return step(self._ident, code)
            self._tell(wait_words(left) if typed == "r" else code_shape())
        return None

    def _address(self, state: FinishState) -> FinishState | None:
        handles = handles_of(state, self._wish(state))
        for place, handle in enumerate(handles, start=1):
            self._tell(f"  {place}  {handle}")
        words = _("The number of one, or another address (S goes on without, Q leaves)")
        while (typed := _read(words)) is not None:
            if typed == "s":
                return self._finishing.skip_address(self._ident)
            by_place = {str(place): handle for place, handle in enumerate(handles, start=1)}
            chosen = by_place.get(typed) or read_handle(typed, handles)
            if chosen is not None:
                return self._finishing.choose_address(self._ident, chosen)
            self._tell(handle_shape())
        return None

    def _wish(self, state: FinishState) -> str | None:
        if not state.name:
            return None
        return self._kit.people.page(state.record).enrollment.abha_address_choice

    def _say_stage(self, state: FinishState) -> None:
        self._tell("")
        if state.stage == FinishStage.WORKING:
            self._tell(silent_words())
            return
        if state.reason is not None:
            self._tell(f"! {why_words(state)}  [{state.reason.code}]")
        for line in stage_words(state, practice=self.practice):
            self._tell(line)
        if help_words(state) != self._helped:
            self._helped = help_words(state)
            self._tell(self._helped)

    def _say_done(self, state: FinishState) -> None:
        why = why_words(state)
        self._tell(f"\n{why}" if why else "")
        for label, words in done_words(state, practice=self.practice):
            self._tell(f"{label:<14}{words}")
        print_it = _("The card with the number: enrollkit card {ident} -o card.pdf")
        self._tell(card_words(state) or print_it.format(ident=self._ident))

    def _tell(self, text: str) -> None:
        if self._aside:
            hint(shown(text))
        else:
            say(text)


def _read(words: str) -> str | None:
    """Ask on stderr, so that a pipe gets the data alone; ``None``: leave, or no more input."""
    sys.stderr.write(f"{words}: ")
    sys.stderr.flush()
    line = sys.stdin.readline(_LINE_MAX)
    typed = line.strip()
    if not line or typed.lower() == "q":
        return None
    return typed.lower() if len(typed) == 1 else typed
