"""Characters that could tear a screen or turn a name round."""

from __future__ import annotations

import pytest

from enrollkit.domain.characters import hidden_codes, shown


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Asha Devi", []),
        ("Asha\x1b[2J", ["control-character"]),
        ("Asha\u202eived", ["bidi-override"]),
        ("Asha\u200b", ["hidden-character"]),
        ("Asha 🙂", ["emoji"]),
    ],
)
def test_what_is_wrong_with_a_text_is_named_once(text: str, codes: list[str]) -> None:
    assert hidden_codes(text) == codes


def test_a_joiner_belongs_to_a_name_in_an_indian_script_and_to_no_other() -> None:
    assert hidden_codes("क्\u200dष", joiners=True) == []
    assert hidden_codes("A\u200dB") == ["hidden-character"]


def test_no_text_can_steer_a_terminal() -> None:
    assert shown("Asha\x1b[2J\u202eived\x07") == "Asha·[2J·ived·"
    assert shown("कृष्णा\u200d देवी") == "कृष्णा\u200d देवी"
