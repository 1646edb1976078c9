"""Who came back is put right at the blamed field; who takes consent back is asked by name."""

from __future__ import annotations

from typing import Any

from enrollkit.domain.enrollment import Enrollment, State
from enrollkit.tui.screens.correct import CorrectScreen
from enrollkit.tui.screens.home import HomeScreen
from enrollkit.tui.screens.person import PersonScreen
from enrollkit.tui.screens.returned import ReturnedScreen
from enrollkit.tui.screens.withdraw import WithdrawScreen
from fake_kit import FakeKit
from tui_drive import Driver, adult_row, drive

OTHER_MOBILE = "9123456789"


def kamla(code: str = "mobile", pointer: str = "/mobile", **others: Any) -> tuple[FakeKit, str]:
    """Give a kit with somebody who came back."""
    kit = FakeKit()
    ident = kit.put_person(adult_row("Kamla Devi"))
    kit.send_back(ident, code, pointer, **others)
    return kit, ident


async def clear_field(d: Driver) -> None:
    """Empty the field with the cursor."""
    await d.press("end", *["backspace"] * 12)


def test_the_correction_opens_at_the_blamed_field_and_says_what_stood_there() -> None:
    async def script(d: Driver) -> None:
        await d.press("r", "enter")
        assert isinstance(d.app.screen, CorrectScreen)
        assert "Correction: Kamla Devi" in d.lines()[0]
        assert "Consent" not in d.lines()[2]
        assert "The number belongs to many. It said: 9876543210" in d.words()
        await clear_field(d)
        await d.type(OTHER_MOBILE)
        assert "The number belongs to many." in d.text()
        await d.press("f2")
        assert "Nothing stands in the way. Enter saves." in d.text()
        await d.press("enter")
        assert isinstance(d.app.screen, ReturnedScreen)
        assert "Saved: Kamla Devi. The new version goes with the next sending." in d.text()
        assert "Nobody came back." in d.text()

    kit, ident = kamla()
    drive(script, kit=kit)
    assert kit.states[ident] is State.SUBMITTED
    assert kit.people_here[ident].person.mobile == OTHER_MOBILE
    assert kit.people_here[ident].version == 2
    assert kit.desk == {}


def test_both_values_stand_side_by_side_and_one_key_takes_the_other_one() -> None:
    async def script(d: Driver) -> None:
        await d.press("r", "enter")
        both = "here: Kamla Devi · from the office: Kamala Devi"
        assert both in d.text()
        assert "F5 take the office's" in d.footer()
        await d.press("f5")
        assert "Name               Kamala Devi" in d.text()
        await d.press("f5")
        assert "Name               Kamla Devi" in d.text()
        await d.press("f5", "f2", "enter")
        assert isinstance(d.app.screen, ReturnedScreen)

    kit, ident = kamla("conflict", "/name", name="Kamala Devi")
    drive(script, kit=kit)
    assert kit.people_here[ident].person.name == "Kamala Devi"


def test_keeping_ones_own_value_against_the_office_needs_a_look() -> None:
    async def script(d: Driver) -> None:
        await d.press("r", "enter", "f2")
        assert "1 thing to look at" in d.text()
        assert "Name: here: Kamla Devi · from the office: Kamala Devi" in d.text()
        await d.press("enter")
        assert isinstance(d.app.screen, CorrectScreen)
        await d.press("l", "enter")
        assert isinstance(d.app.screen, ReturnedScreen)

    kit, ident = kamla("conflict", "/name", name="Kamala Devi")
    drive(script, kit=kit)
    assert kit.people_here[ident].person.name == "Kamla Devi"
    assert kit.submits == 1


def test_a_choice_and_a_date_of_the_office_are_taken_too() -> None:
    async def script(d: Driver) -> None:
        await d.press("r", "enter")
        assert "here: 14/03/1987 · from the office: 1960" in d.text()
        assert "here: female · from the office: male" in d.text()
        await d.press("f5", "enter", "f5", "f2", "enter")

    kit, ident = kamla("conflict", "/birth", birth={"year": 1960}, gender="M")
    drive(script, kit=kit)
    person = kit.people_here[ident].person
    assert (person.birth.year, person.gender.value) == (1960, "M")


def test_leaving_without_a_change_leaves_no_draft_and_with_one_keeps_it() -> None:
    async def script(d: Driver) -> None:
        await d.press("r", "enter", "escape")
        assert isinstance(d.app.screen, ReturnedScreen)
        assert d.kit.desk == {}
        await d.press("enter")
        await clear_field(d)
        await d.type(OTHER_MOBILE)
        await d.press("escape", "escape")
        assert isinstance(d.app.screen, ReturnedScreen)
        await d.press("escape")
        await d.press("d")
        assert "correction of Kamla Devi" in d.text()
        await d.press("enter")
        assert isinstance(d.app.screen, CorrectScreen)
        assert OTHER_MOBILE in d.text()

    kit, ident = kamla()
    drive(script, kit=kit)
    assert list(kit.desk) == [ident]


def test_a_returned_field_of_another_step_is_opened_there() -> None:
    async def script(d: Driver) -> None:
        await d.press("r", "enter")
        assert "House, street" in d.text()
        assert "It said: 202001" in d.words()
        assert d.app.focused is not None
        await d.type("9")
        assert "2020019" in d.text()

    kit, _ident = kamla("schema:pattern", "/address/pincode")
    drive(script, kit=kit)


def test_a_reason_without_a_field_stands_in_the_list_and_opens_the_person() -> None:
    async def script(d: Driver) -> None:
        await d.press("r")
        assert "The office wants another look at it." in d.text()
        await d.press("enter")
        assert "Name               Kamla Devi" in d.text()

    kit, _ident = kamla("returned", "")
    drive(script, kit=kit)


def test_what_aadhaar_says_otherwise_stands_at_each_field_and_no_change_is_noted() -> None:
    doubt = "Aadhaar says otherwise, or its number was mistyped."
    unchanged = "Nothing was changed; it would come back the same."

    async def script(d: Driver) -> None:
        await d.press("r", "enter")
        assert d.text().count(doubt) == 3, d.text()
        await d.press("f2")
        assert "Nothing stands in the way. Enter saves." in d.text()
        assert unchanged in d.text()
        await d.press("c")
        await clear_field(d)
        await d.type("Kamala Devi")
        await d.press("f2")
        assert "Kamala Devi" in d.text()
        assert unchanged not in d.text()
        await d.press("enter")
        assert isinstance(d.app.screen, ReturnedScreen)

    kit, _ident = kamla("abdm:mismatch", "")
    drive(script, kit=kit)


def test_the_same_once_more_is_no_block_and_a_number_typed_again_is_a_change() -> None:
    async def script(d: Driver) -> None:
        await d.press("r", "enter", "f2")
        assert "it would come back the same" in d.text()
        await d.press("enter")
        assert isinstance(d.app.screen, ReturnedScreen)

    kit, ident = kamla("abdm:field", "")
    drive(script, kit=kit)
    assert kit.people_here[ident].version == 2


def test_whom_the_office_holds_is_shown_and_not_corrected_by_enter() -> None:
    async def script(d: Driver) -> None:
        assert "Held at the office (1)" in d.text()
        await d.press("r")
        assert "1 held at the office" in d.text()
        assert "shut this laptop out" in d.text()
        await d.press("enter")
        assert isinstance(d.app.screen, PersonScreen)
        assert "Signed for, and held at the office for a look." in d.text()

    kit = FakeKit()
    ident = kit.put_person(adult_row("Harish Lal"), State.SENT)
    kit.held.add(ident)
    kit.reasons[ident] = ("device:revoked", "")
    drive(script, kit=kit)


def test_anybody_open_is_corrected_from_the_page_and_the_page_shows_it() -> None:
    async def script(d: Driver) -> None:
        await d.press("f", "enter", "a")
        assert "Name               Sunita Devi" in d.text()
        await clear_field(d)
        await d.type("Sunita Rani")
        await d.press("f2", "enter")
        assert isinstance(d.app.screen, PersonScreen)
        assert "Sunita Rani" in d.text()

    kit = FakeKit()
    kit.put_person(adult_row(), State.ACCEPTED)
    drive(script, kit=kit)


def test_an_issued_person_is_not_corrected_here_and_hears_why() -> None:
    async def script(d: Driver) -> None:
        await d.press("f", "enter")
        assert "A correct" not in d.footer()
        await d.press("a")
        assert isinstance(d.app.screen, PersonScreen)
        assert "The ABHA number is issued" in d.words()
        assert "call the office" in d.words()

    kit = FakeKit()
    kit.put_person(adult_row(), State.ISSUED)
    drive(script, kit=kit)
    assert kit.desk == {}


def test_consent_is_taken_back_after_the_person_and_the_consequence_were_named() -> None:
    async def script(d: Driver) -> None:
        await d.press("f", "enter", "w")
        assert isinstance(d.app.screen, WithdrawScreen)
        assert "Sunita Devi takes the consent back." in d.text()
        assert "This cannot be undone." in d.words()
        await d.press("escape")
        assert d.kit.withdrawals == []
        await d.press("w", "right", "f2")
        assert isinstance(d.app.screen, PersonScreen)
        assert "× withdrawn" in d.text()
        assert "W withdraw" not in d.footer()

    kit = FakeKit()
    ident = kit.put_person(adult_row(), State.ACCEPTED)
    drive(script, kit=kit)
    assert kit.withdrawals == [(ident, "changed-mind")]


def test_a_record_is_taken_away_by_f2_alone() -> None:
    async def script(d: Driver) -> None:
        await d.press("f", "enter")
        assert "X take record away" not in d.footer()
        await d.press("x")
        d.kit.ui_thread, held = None, d.kit.ui_thread
        d.kit.links.add(ident, {
            "hi_type": "OPConsultation", "facility": "IN0812966769", "date": "2026-10-26",
            "display": "OPD visit",
        })  # fmt: skip
        d.kit.ui_thread = held
        await d.press("escape", "enter", "x")
        assert "takes the marked record away from Sunita Devi" in d.words()
        await d.press("enter")
        assert d.kit.removed == set()
        await d.press("f2")
        assert "Taken away: OPD visit" in d.text()
        await d.press("escape")
        assert "× taken away" in d.text()

    kit = FakeKit()
    ident = kit.put_person(adult_row(), State.ACCEPTED)
    drive(script, kit=kit)
    assert len(kit.removed) == 1


def test_a_correction_fits_a_small_and_a_plain_terminal() -> None:
    async def script(d: Driver) -> None:
        await d.press("r", "enter", "f5", "f2")
        assert all(len(line) <= 80 for line in d.lines())
        assert d.text().isascii()

    kit, ident = kamla("conflict", "/name", name="Kamala Devi", mobile=OTHER_MOBILE)
    row = adult_row("Kamla Devi", name_native=None)
    del row["name_native"]
    kit.people_here[ident] = Enrollment.from_body(row, record_id=ident, version=1)
    drive(script, kit=kit, ascii_only=True)


def test_leaving_the_list_goes_home() -> None:
    async def script(d: Driver) -> None:
        await d.press("r", "escape")
        assert isinstance(d.app.screen, HomeScreen)

    kit, _ident = kamla()
    drive(script, kit=kit)
