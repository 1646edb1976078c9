"""Finishing with the person present: one step after the other, left and taken up at any point."""

from __future__ import annotations

import pytest
from textual.containers import VerticalScroll

from enrollkit.domain.enrollment import State
from enrollkit.domain.identifiers import provisional_number
from enrollkit.tui.screens.calls import CallsScreen
from enrollkit.tui.screens.cards import CardsScreen
from enrollkit.tui.screens.finish import FinishScreen
from enrollkit.tui.screens.person import PersonScreen
from fake_finishing import (
    AADHAAR_CODE,
    ELSEWHERE,
    MOBILE_CODE,
    NEVER_SENT,
    NUMBER,
    FinishKit,
    refused,
    untold,
)
from sync.errors import Offline, Timeout
from sync.protocol import FinishStage
from tui_drive import Driver, adult_row, drive


def needed(**changes: object) -> FinishKit:
    """Give a kit with Sunita Devi, who is needed for a code."""
    kit = FinishKit()
    kit.ask_for(kit.put_person(adult_row(aadhaar_last4="4821", **changes)), "person:otp")
    return kit


async def begin(d: Driver) -> None:
    """Open her finishing from her page."""
    await d.press("f", "enter", "o")
    assert isinstance(d.app.screen, FinishScreen), d.text()


async def type_line(d: Driver, text: str) -> None:
    await d.type(text)
    await d.press("enter")


async def pass_seconds(d: Driver, seconds: int) -> None:
    """Let time go by, and the screen notice it."""
    d.kit.now += seconds
    assert isinstance(d.app.screen, FinishScreen)
    d.app.screen.tick()
    await d.rest()


def test_from_a_code_to_the_number_and_its_card() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        assert "Enter send the code" in d.footer()
        await d.press("enter")
        assert "A code went by SMS to ******3210, the mobile that Aadhaar knows." in d.text()
        await type_line(d, AADHAAR_CODE)
        assert f"The ABHA number is issued: PRACTICE {NUMBER}" in d.text()
        await d.press("down", "down", "enter")
        assert "✔ Done." in d.text()
        assert NUMBER in d.text()
        assert "sunitadevi1987@" in d.text()
        await d.press("p")
        assert isinstance(d.app.screen, CardsScreen)
        await d.press("escape", "enter")
        assert isinstance(d.app.screen, PersonScreen)
        assert "★ ABHA number issued" in d.text()

    kit = needed()
    drive(script, kit=kit)
    steps = [("look",), ("send",), ("code", AADHAAR_CODE), ("address", "sunitadevi1987")]
    assert kit.asked == steps


def test_a_number_of_the_sandbox_says_so_wherever_it_stands() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        await d.press("enter")
        await type_line(d, AADHAAR_CODE)
        assert f"PRACTICE {NUMBER}" in d.text()
        await d.type("sunita.rampur")
        assert "It will be sunita.rampur@sbx" in d.text()
        await d.press("enter")
        assert f"PRACTICE {NUMBER}" in d.text()

    kit = needed()
    kit.practice = True
    drive(script, kit=kit)


def test_a_wrong_code_is_said_at_the_field_and_typed_again() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        await d.press("enter")
        await type_line(d, "12345")
        assert "! A code has six digits." in d.text()
        await d.press("ctrl+u")
        await type_line(d, "111111")
        assert "! That is not the code." in d.text()
        assert "111111" not in d.text()
        await type_line(d, "४८२ ९१३")
        assert "The ABHA number is issued" in d.text()

    kit = needed()
    drive(script, kit=kit)
    assert [step for step in kit.asked if step[0] == "code"] == [
        ("code", "111111"),
        ("code", AADHAAR_CODE),
    ]


def test_another_code_is_offered_when_the_seconds_have_run_down() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        await d.press("enter")
        assert "Another can be sent in 1:00." in d.text()
        await d.press("f4")
        await pass_seconds(d, 41)
        assert "Another can be sent in 0:19." in d.text()
        assert "F4" not in d.text()
        await pass_seconds(d, 19)
        assert "Another can be sent now. F4 sends it." in d.text()
        assert "F4 send again" in d.footer()
        await d.press("f4")
        assert "Another can be sent in 1:00." in d.text()

    kit = needed()
    drive(script, kit=kit)
    assert kit.asked == [("look",), ("send",), ("send",)]


def test_who_gets_no_code_is_told_where_the_mobile_is_changed() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        await d.press("enter")
        assert "an Aadhaar enrolment centre changes it" in d.words()

    drive(script, kit=needed())


def test_another_mobile_is_verified_by_a_code_of_its_own() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        await d.press("enter")
        await type_line(d, AADHAAR_CODE)
        assert f"The ABHA number is issued: PRACTICE {NUMBER}" in d.text()
        assert "A code to ******1234 proves this one." in d.text()
        await d.press("f2")
        await type_line(d, MOBILE_CODE)
        assert "3 ABHA address" in d.text()
        await d.press("f3")
        assert "✔ Done." in d.text()

    kit = needed()
    kit.other_mobile = True
    drive(script, kit=kit)
    assert kit.asked[-3:] == [("mobile-send",), ("mobile-code", MOBILE_CODE), ("address-skip",)]


def test_another_mobile_can_be_left_unverified() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        await d.press("enter")
        await type_line(d, AADHAAR_CODE)
        await d.press("f3")
        assert "may choose an ABHA address" in d.text()

    kit = needed()
    kit.other_mobile = True
    drive(script, kit=kit)
    assert kit.asked[-1] == ("mobile-skip",)


def test_the_address_wished_for_at_the_enrollment_stands_in_the_field() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        await d.press("enter")
        await type_line(d, AADHAAR_CODE)
        assert "> sunita.nagla" in d.text()
        await d.press("enter")

    kit = needed(abha_address_choice="sunita.nagla")
    drive(script, kit=kit)
    assert kit.asked[-1] == ("address", "sunita.nagla")


def test_an_address_that_is_none_or_taken_is_said_at_the_field() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        await d.press("enter")
        await type_line(d, AADHAAR_CODE)
        await d.press("enter")
        assert "! 8 to 18 letters" in d.text()
        await type_line(d, "sunita")
        assert "! 8 to 18 letters" in d.text()
        await d.press("ctrl+u")
        await type_line(d, "taken.handle")
        assert "! Somebody has that address already." in d.text()
        assert "taken.handle" in d.text()
        await d.press("up", "enter")
        assert "devi.sunita14@" in d.text()

    kit = needed()
    drive(script, kit=kit)
    assert [step for step in kit.asked if step[0] == "address"] == [
        ("address", "taken.handle"),
        ("address", "devi.sunita14"),
    ]


def test_it_can_be_left_at_any_point_and_goes_on_where_it_stopped() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        assert "Leaving loses nothing" in d.text()
        await d.press("enter", "escape")
        assert isinstance(d.app.screen, PersonScreen)
        d.kit.now += 20
        await d.press("o")
        assert "Another can be sent in 0:40." in d.text()
        await type_line(d, AADHAAR_CODE)
        await d.press("escape", "escape", "escape", "f", "enter", "o")
        assert "may choose an ABHA address" in d.text()
        await d.press("f3", "enter")
        assert "O finish" in d.footer()

    drive(script, kit=needed())


def test_no_network_is_said_in_words_and_the_same_key_tries_again() -> None:
    async def script(d: Driver) -> None:
        d.kit.fail_step = Offline()  # type: ignore[attr-defined]
        await begin(d)
        assert "There is no way to the server now." in d.page.notice.said
        assert "Where it stands is not known yet. Enter looks again." in d.text()
        assert "Leaving loses nothing" in d.text()
        assert "Enter look again" in d.footer()
        await d.press("enter")
        assert d.page.notice.said == ""
        d.kit.fail_step = Offline()  # type: ignore[attr-defined]
        await d.press("enter")
        assert "There is no way to the server now." in d.page.notice.said
        await d.press("enter")
        assert "A code went by SMS" in d.text()

    drive(script, kit=needed())


def test_a_code_whose_answer_was_lost_is_not_handed_in_twice() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        await d.press("enter")
        d.kit.lose_answer = Timeout()  # type: ignore[attr-defined]
        await type_line(d, AADHAAR_CODE)
        assert "The server did not answer in time." in d.page.notice.said
        await d.press("enter")
        assert "The ABHA number is issued" in d.text()

    kit = needed()
    drive(script, kit=kit)
    assert kit.asked == [("look",), ("send",), ("code", AADHAAR_CODE), ("look",)]


def test_the_screen_looks_again_while_the_office_is_at_it() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        await d.press("enter")
        d.kit.rounds_of_work = 2  # type: ignore[attr-defined]
        await type_line(d, AADHAAR_CODE)
        assert "The office is asking ABDM" in d.text()
        await pass_seconds(d, 1)
        assert kit.asked[-1] == ("code", AADHAAR_CODE)
        await pass_seconds(d, 3)
        assert "The office is asking ABDM" in d.text()
        await pass_seconds(d, 4)
        assert "may choose an ABHA address" in d.text()

    kit = needed()
    drive(script, kit=kit)
    assert kit.asked[-3:] == [("code", AADHAAR_CODE), ("look",), ("look",)]


def test_an_office_that_asks_nobody_is_told_after_a_minute() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        await d.press("enter")
        d.kit.rounds_of_work = 1000  # type: ignore[attr-defined]
        await type_line(d, AADHAAR_CODE)
        await pass_seconds(d, 30)
        assert "The office is asking ABDM" in d.text()
        await pass_seconds(d, 10)
        assert "! The office has not asked ABDM yet. Leave it, and call the office." in d.text()
        d.kit.rounds_of_work = 0  # type: ignore[attr-defined]
        await pass_seconds(d, 10)
        assert "may choose an ABHA address" in d.text()

    drive(script, kit=needed())


def test_a_refusal_is_said_and_can_be_begun_anew() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        (record,) = kit.people_here
        kit.stages[record] = refused(kit.stages[record], "abdm:mismatch")
        await d.press("escape", "o")
        assert "! Aadhaar says otherwise. Check name, birth and gender with the card." in d.text()
        assert "It can be begun anew" in d.text()
        await d.press("enter")
        assert "A code went by SMS" in d.text()
        assert "mismatch" not in d.text()

    kit = needed()
    drive(script, kit=kit)


def test_somebody_of_another_laptop_is_finished_by_the_number_on_the_card() -> None:
    async def script(d: Driver) -> None:
        await d.press("f")
        await d.type(provisional_number(ELSEWHERE))
        assert "Not on this laptop." in d.text()
        assert "F2 finish with a code" in d.footer()
        await d.press("f2")
        assert "The person was enrolled on another laptop." in d.text()
        await d.press("enter")
        await type_line(d, AADHAAR_CODE)
        await d.press("f3")
        assert NUMBER in d.text()
        assert "The laptop that enrolled the person prints the card" in d.text()
        assert "print the card" not in d.footer()

    drive(script, kit=FinishKit())


def test_a_number_that_nobody_has_is_told() -> None:
    async def script(d: Driver) -> None:
        await d.press("f")
        await d.type(provisional_number("77" * 16))
        await d.press("f2")
        assert "Nobody here has that number." in d.page.notice.said

    drive(script, kit=FinishKit())


def test_the_call_list_offers_it_where_a_code_helps() -> None:
    async def script(d: Driver) -> None:
        await d.press("k")
        assert isinstance(d.app.screen, CallsScreen)
        assert "O finish with a code" in d.footer()
        await d.press("down")
        assert "O finish" not in d.footer()
        await d.press("up", "o")
        assert isinstance(d.app.screen, FinishScreen)
        assert "Sunita Devi" in d.text()

    kit = needed()
    kit.ask_for(kit.put_person(adult_row("Asha Kumari")), "person:parent")
    drive(script, kit=kit)


@pytest.mark.parametrize(
    ("state", "changes"),
    [
        (State.SUBMITTED, {"aadhaar_last4": "4821"}),
        (State.WITHDRAWN, {"aadhaar_last4": "4821"}),
        (State.DUPLICATE, {"aadhaar_last4": "4821"}),
        (State.NEEDS_PERSON, {}),
    ],
)
def test_a_page_offers_no_code_where_none_helps(state: State, changes: dict[str, str]) -> None:
    async def script(d: Driver) -> None:
        await d.press("f", "enter")
        assert "O finish" not in d.footer()
        await d.press("o")
        assert isinstance(d.app.screen, PersonScreen)

    kit = FinishKit()
    kit.put_person(adult_row(**changes), state)
    drive(script, kit=kit)


def test_locking_in_the_middle_leaves_nothing_of_the_person_on_the_screen() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        await d.press("enter")
        await d.type("4829")
        await d.press("ctrl+l")
        assert "Your passphrase" in d.text()
        assert "Sunita" not in d.text()
        assert "4829" not in d.text()

    assert drive(script, kit=needed()).crashes == []


@pytest.mark.parametrize("ascii_only", [False, True], ids=["unicode", "ascii"])
def test_every_step_fits_on_the_home_size(ascii_only: bool) -> None:  # noqa: FBT001 - a parameter of the table
    async def look_over(d: Driver) -> None:
        body = d.app.screen.query_one("#body", VerticalScroll)
        assert (body.max_scroll_x, body.max_scroll_y) == (0, 0), d.text()
        assert "F1 help" in d.footer()
        assert all(len(line) <= 80 for line in d.lines())
        assert not ascii_only or d.text().isascii()

    async def script(d: Driver) -> None:
        await begin(d)
        await look_over(d)
        for stage in FinishStage:
            kit.states[record] = State.NEEDS_PERSON
            kit.stages[record] = kit.finishing._staged(record, stage)
            await d.press("escape", "o")
            assert isinstance(d.app.screen, FinishScreen)
            await look_over(d)

    kit = needed()
    kit.practice = True
    (record,) = kit.people_here
    drive(script, kit=kit, ascii_only=ascii_only)


def test_somebody_whom_the_office_does_not_have_gets_no_code() -> None:
    async def script(d: Driver) -> None:
        await d.press("f")
        await d.type(provisional_number(NEVER_SENT))
        await d.press("f2")
        assert "! The office has nobody under this number yet." in d.text()
        assert "send the code" not in d.footer()
        assert "another laptop" not in d.text()
        await d.press("enter")
        assert "! The office has nobody under this number yet." in d.text()

    kit = FinishKit()
    drive(script, kit=kit)
    assert ("send",) not in kit.asked


def test_a_laptop_that_is_not_told_the_number_says_who_is() -> None:
    async def script(d: Driver) -> None:
        await d.press("f")
        await d.type(provisional_number(ELSEWHERE))
        await d.press("f2", "escape")
        kit.stages[ELSEWHERE] = untold(kit.stages[ELSEWHERE])
        await d.press("f2")
        assert "✔ Done." in d.text()
        assert "only the laptop that enrolled the person is told it" in d.words()

    kit = FinishKit()
    drive(script, kit=kit)


def test_somebody_who_had_a_number_is_told_so() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        kit.stages[record] = kit.finishing._staged(record, FinishStage.DONE, "abdm:exists")
        await d.press("escape", "o")
        assert "The person had an ABHA number before. That one is theirs." in d.text()
        assert NUMBER in d.text()

    kit = needed()
    (record,) = kit.people_here
    drive(script, kit=kit)


def test_an_abdm_that_does_not_answer_is_tried_again_by_hand() -> None:
    async def script(d: Driver) -> None:
        await begin(d)
        kit.stages[record] = kit.finishing._staged(record, FinishStage.READY, "abdm:wait")
        await d.press("escape", "o")
        assert "! ABDM does not answer just now. Nothing is lost: try again" in d.text()
        assert "Enter send the code" in d.footer()

    kit = needed()
    (record,) = kit.people_here
    drive(script, kit=kit)
