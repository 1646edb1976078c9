"""What is said while somebody is finished with a one-time code: the same in app and command.

Also how what the person says is brought into the shape that is sent.
"""

from __future__ import annotations

import re
from typing import Final

from enrollkit.app.results import FinishState
from enrollkit.domain.identifiers import is_practice_abha
from enrollkit.locale import _
from schemas.formats import is_abha_handle
from sync.protocol import FinishStage

__all__ = [
    "STEPS",
    "address_of",
    "can_begin",
    "card_words",
    "code_shape",
    "done_words",
    "handle_shape",
    "handles_of",
    "help_words",
    "later_words",
    "number_words",
    "read_code",
    "read_handle",
    "silent_words",
    "stage_words",
    "step_of",
    "wait_words",
    "why_words",
]

STEPS: Final = ("code", "mobile", "abha-address", "done")
"""What a person goes through, in order; the mobile is left out where Aadhaar knows it."""

_CODE_DIGITS: Final = 6

_HOPELESS: Final = frozenset(
    {
        "abdm:exists",
        "abdm:exists-unnamed",
        "enrollment:withdrawn",
        "finish:ambiguous",
        "finish:unknown",
        "person:aadhaar-missing",
        "person:document",
        "person:parent",
    }
)
"""Another code changes nothing."""


def step_of(state: FinishState) -> str:
    """Give the one of :data:`STEPS` that a state stands at."""
    if state.stage == FinishStage.DONE:
        return "done"
    if state.stage == FinishStage.ADDRESS:
        return "abha-address"
    return "code" if state.abha_number is None else "mobile"


def can_begin(state: FinishState) -> bool:
    """Whether a first code can be sent, or another after a refusal."""
    hopeless = state.reason is not None and state.reason.code in _HOPELESS
    return state.stage in {FinishStage.READY, FinishStage.REFUSED} and not hopeless


def stage_words(state: FinishState, *, practice: bool) -> list[str]:
    """Say where it stands and what comes next, one thought a line; a refusal's reason is apart."""
    number = number_words(state.abha_number or "", practice=practice)
    said = _("The ABHA number is issued: {number}").format(number=number)
    issued = [said] if state.abha_number else []
    words: dict[str, list[str]] = {
        FinishStage.READY: [
            _("A one-time code goes by SMS to the mobile that Aadhaar knows."),
            _("The person must be here, with that phone switched on."),
        ],
        FinishStage.REFUSED: _what_helps(state),
        FinishStage.WORKING: [*issued, _("The office is asking ABDM; the answer is on its way.")],
        FinishStage.CODE_SENT: [
            _where(state, _("the mobile that Aadhaar knows")),
            *_practice_code(practice=practice),
        ],
        FinishStage.MOBILE: [*issued, _other_mobile(state)],
        FinishStage.MOBILE_SENT: [
            *issued,
            _where(state, _("the mobile that the person gave")),
            *_practice_code(practice=practice),
        ],
        FinishStage.ADDRESS: [
            *issued,
            _("The person may choose an ABHA address: a name to say instead of the number."),
        ],
    }
    return words.get(state.stage, issued)


def why_words(state: FinishState) -> str | None:
    """Say what the last step came to, if it did not go on; nobody repeats it by themselves here."""
    if state.reason is not None and state.reason.code == "abdm:wait":
        return _("ABDM does not answer just now. Nothing is lost: try again in some minutes.")
    return state.reason.text if state.reason is not None else None


def done_words(state: FinishState, *, practice: bool) -> list[tuple[str, str]]:
    """Give what the person takes along, each with its label; nothing where it is not told here."""
    told = [
        (_("ABHA number"), state.abha_number),
        (_("ABHA address"), state.abha_address if state.abha_number else None),
    ]
    return [(label, number_words(text, practice=practice)) for label, text in told if text]


def card_words(state: FinishState) -> str:
    """Say where the card with the number is printed, if not here."""
    if state.name:
        return ""
    if state.abha_number is None:
        return _("The number is issued; only the laptop that enrolled the person is told it.")
    return _("The laptop that enrolled the person prints the card, after its next sending.")


def wait_words(seconds: int) -> str:
    """Say when another code can be sent, if none comes; 0: now."""
    if seconds > 0:
        time = f"{seconds // 60}:{seconds % 60:02d}"
        return _("No code yet? Another can be sent in {time}.").format(time=time)
    return _("No code yet? Another can be sent now.")


def help_words(state: FinishState) -> str:
    """Say what to do when it cannot go on: no phone, another mobile, no liking."""
    begins = can_begin(state) and not _special_help(state)
    if state.stage == FinishStage.CODE_SENT or begins:
        return _(
            "If Aadhaar has an old mobile, no code can come: an Aadhaar enrolment centre "
            "changes it. Finish after that."
        )
    if state.stage in {FinishStage.MOBILE, FinishStage.MOBILE_SENT}:
        return _("Without it the number is just as good; only that mobile stays unverified.")
    if state.stage == FinishStage.ADDRESS:
        return _("Without one, the number itself serves as the address.")
    return ""


def silent_words() -> str:
    """Say that nobody at the office takes the step up, a minute after it was asked for."""
    return _("The office has not asked ABDM yet. Leave it, and call the office.")


def later_words() -> str:
    """Say that nothing is lost by leaving."""
    return _(
        "Leaving loses nothing: it goes on later, on any laptop of the programme, with the "
        "number on the card."
    )


def number_words(number: str, *, practice: bool) -> str:
    """Write an ABHA number or address so that one of the sandbox is never taken for a real one."""
    told = practice or is_practice_abha(number, None) or is_practice_abha(None, number)
    return _("PRACTICE {number}").format(number=number) if told else number


def address_of(handle: str, *, practice: bool) -> str:
    """Give the whole ABHA address that a handle becomes."""
    return f"{handle}@{'sbx' if practice else 'abdm'}"


def handles_of(state: FinishState, wish: str | None) -> tuple[str, ...]:
    """Give the addresses to choose from; what the person wished at the enrollment comes first."""
    return (wish, *state.handles) if wish and wish not in state.handles else state.handles


def read_code(typed: str) -> str | None:
    """Bring a code as typed into six plain digits; ``None`` when it is none."""
    bare = re.sub(r"[\s-]", "", typed)
    digits = "".join(str(int(one)) for one in bare if one.isdecimal())
    return digits if len(bare) == len(digits) == _CODE_DIGITS else None


def read_handle(typed: str, offered: tuple[str, ...]) -> str | None:
    """Bring an address as typed into a handle without its suffix; ``None`` when it is none.

    What ABDM itself offers is taken as it is.
    """
    handle = re.sub(r"@(abdm|sbx)$", "", typed.strip())
    return handle if handle in offered or is_abha_handle(handle) else None


def code_shape() -> str:
    """Say what a code looks like."""
    return _("A code has six digits.")


def handle_shape() -> str:
    """Say what an ABHA address looks like."""
    return _("8 to 18 letters or digits, a letter first, one dot or _ inside.")


def _practice_code(*, practice: bool) -> list[str]:
    return [_("Practice: the office's practice ABDM shows the code.")] if practice else []


def _what_helps(state: FinishState) -> list[str]:
    anew = [_("It can be begun anew, with another code.")] if can_begin(state) else []
    return _special_help(state) or anew


def _special_help(state: FinishState) -> list[str]:
    """Say what helps where another code alone does not."""
    add_number = [
        _("Without an Aadhaar number there is no code. Correct the person and add it,"),
        _("on the laptop that enrolled them; then finish."),
    ]
    words = {
        "abdm:deactivated": [
            _("They switch it on in the ABHA app or at abha.abdm.gov.in."),
            _("After that, another code finishes it."),
        ],
        "abdm:exists": [_("Leave it: the office finds that number, and the card follows.")],
        "abdm:exists-unnamed": [_("Ask them for that number, and call the office with it.")],
        "abdm:unknown": [_("Send another code only when the office says so.")],
        "person:aadhaar-missing": add_number,
        "person:document": add_number,
        "person:parent": add_number,
    }
    code = state.reason.code if state.reason is not None else ""
    if state.stage != FinishStage.REFUSED:
        return []
    return words.get(code) or words.get(code.split(" ", maxsplit=1)[0], [])


def _where(state: FinishState, which: str) -> str:
    if state.hint:
        words = _("A code went by SMS to {mobile}, {which}.")
        return words.format(mobile=state.hint, which=which)
    return _("A code went by SMS to {which}.").format(which=which)


def _other_mobile(state: FinishState) -> str:
    if state.hint:
        words = _("Aadhaar knows another mobile. A code to {mobile} proves this one.")
        return words.format(mobile=state.hint)
    return _("Aadhaar knows another mobile. A code proves the one they gave.")
