"""Enrolling people from the passphrase to the saved screen, key by key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual.widgets import Input

from enrollkit.domain.enrollment import State
from enrollkit.errors import StoreFull
from enrollkit.tui.screens.enroll import EnrollScreen
from enrollkit.tui.screens.home import HomeScreen
from enrollkit.tui.screens.people import PeopleScreen
from enrollkit.tui.screens.person import PersonScreen
from enrollkit.tui.screens.saved import SavedScreen
from enrollkit.tui.widgets.aadhaar_field import AadhaarField
from fake_kit import FakeKit
from tui_drive import Driver, adult_row, drive


def test_a_grown_up_is_enrolled_by_keyboard_alone() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        await d.adult()
        assert "Nothing stands in the way" in d.text()
        assert "14 March 1987" in d.text()
        await d.press("enter")
        assert isinstance(d.app.screen, SavedScreen)
        assert "Saved on this laptop" in d.text()
        assert "Provisional – not an ABHA number" in d.text()

    kit = drive(script)
    (person,) = kit.people_here.values()
    assert person.person.name == "Sunita Devi"
    assert person.person.address.district == 119
    assert person.person.mobile_owner == "self"
    assert person.consent.language == "hi"
    assert kit.desk == {}


def test_the_consent_is_read_to_its_end_before_it_can_be_given() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        assert d.focused() == "Wording"
        await d.press("shift+tab", "e")
        assert "voluntarily sharing" in d.text()
        assert "not NHA's own" not in d.text()
        await d.press("tab")
        assert "END OF THE TEXT" not in d.words()
        pages = 0
        while d.focused() == "Wording":
            seen = d.words()
            await d.press("enter")
            pages += 1
        assert pages > 1
        assert "END OF THE TEXT" in seen

    drive(script)


def test_words_that_are_not_nhas_own_say_so() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.press("shift+tab", "h", "tab")
        assert "not NHA's official text" in d.text()

    drive(script)


def test_nobody_goes_past_the_consent_without_an_answer_and_a_witness() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        while d.focused() == "Wording":
            await d.press("enter")
        await d.press("enter")
        assert "How did the person agree?" in d.page.notice.said
        await d.press("t", "enter", "enter")
        assert "witness's name" in d.page.notice.said
        await d.type("Kamla")
        await d.press("enter")
        assert "Aadhaar number" in d.text()

    kit = drive(script)
    (draft,) = kit.desk.values()
    assert draft.row["consent"]["witness"] == "Kamla"
    assert draft.row["consent"]["method"] == "thumbprint"


def test_a_child_is_asked_for_its_guardian_and_a_grown_up_is_not() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        assert "Guardian" not in d.text()
        await d.press("enter")
        await d.person("Asha Kumari", "9 years")
        assert "4 Guardian" in d.text()
        assert "Who is with them" in d.text()
        await d.type("Sunita Devi")
        await d.press("enter", "m", "enter")
        await d.address()
        await d.press("enter")
        assert isinstance(d.app.screen, SavedScreen), d.text()

    kit = drive(script)
    (child,) = kit.people_here.values()
    assert child.person.guardian is not None
    assert child.person.guardian.name == "Sunita Devi"
    assert child.person.mobile_owner == "family"


def test_the_aadhaar_number_is_sealed_at_its_field_and_never_shown_again() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        await d.type("9999 4105 7058")
        await d.until(lambda: bool(d.kit.sealed_numbers))
        await d.rest()
        assert "Sealed. Enter goes on" in d.text()
        await d.press("enter", "escape")
        assert "7058" in d.text()
        assert "4105" not in d.text()
        assert all("9999" not in box.value for box in d.app.screen.query(Input))
        await d.press("enter")
        await d.person("Sunita Devi", "1987")
        await d.address()
        assert "…7058, sealed" in d.text()

    kit = drive(script)
    (draft,) = kit.desk.values()
    assert "999941057058" not in repr(dict(draft.row))


def test_a_wrong_aadhaar_number_is_refused_in_words_and_leaves_the_field() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        await d.type("999941057059")
        await d.rest()
        assert "no Aadhaar number" in d.text()
        assert "9999" not in d.text()

    assert drive(script).sealed_numbers == []


def test_a_quick_enter_behind_a_wrong_number_does_not_leave_it_behind_unseen() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        d.send(*"999941057059", "enter")
        await d.rest()
        assert "Aadhaar number" in d.text()
        assert "As on Aadhaar" not in d.text()
        await d.type("999941057059")
        assert "no Aadhaar number" in d.text()
        await d.press("enter")
        assert "Not kept. Type it again, or Enter goes on without it." in d.text()
        await d.press("enter")
        assert "As on Aadhaar" in d.text()

    assert drive(script).sealed_numbers == []


def test_a_quick_enter_behind_a_right_number_goes_one_step_on() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        d.send(*"999941057058", "enter")
        await d.until(lambda: "As on Aadhaar" in d.text())
        await d.rest()
        assert d.app.focused is d.app.screen.query(Input).first()
        assert "Enter next" in d.footer()

    assert len(drive(script).sealed_numbers) == 1


def test_letters_typed_while_the_step_changes_stand_in_the_new_one() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        with d.app.type_ahead.holding():
            d.page.query_one(AadhaarField).done()
            d.send(*"Sunita", "slash", *"x")
            await d.rest()
        await d.rest()
        assert d.app.screen.query(Input).first().value == "Sunita/x"

    drive(script)


def test_every_problem_is_listed_at_once_and_its_key_goes_to_the_field() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        await d.press("enter")
        await d.type("Sunita Devi")
        await d.press(*["enter"] * 8)
        for _field in range(5):
            await d.press("enter")
        text = d.text()
        assert "things to put right before this can be saved" in text
        for label in ("Date of birth", "Gender", "PIN code", "State", "District"):
            assert label in text, text
        number = next(line.split()[0] for line in d.lines() if "Date of birth" in line)
        await d.press(number)
        assert d.app.focused is not None
        assert d.app.focused.parent is not None
        assert "f-birth" in {node.id for node in d.app.focused.ancestors}
        await d.type("1987")
        await d.press("f2")
        for _field in range(7):
            await d.press("enter")
        assert "Date of birth" not in d.text(), d.text()

    assert drive(script).submits == 0


def test_enter_does_not_save_while_something_is_to_be_put_right() -> None:
    async def script(d: Driver) -> None:
        await d.press("d", "enter", "enter", "enter")
        assert isinstance(d.app.screen, EnrollScreen)
        assert "put right" in d.text()
        assert "save" not in d.footer().split("draft")[0]

    kit = FakeKit()
    put_draft(kit, adult_row(gender=None), step="review")
    assert drive(script, kit=kit).submits == 0


def test_a_likely_duplicate_is_saved_only_after_somebody_has_looked() -> None:
    async def script(d: Driver) -> None:
        await d.press("d", "enter")
        assert "1 thing to look at" in d.text(), d.text()
        await d.press("enter")
        assert d.kit.submits == 0
        await d.press("1")
        assert isinstance(d.app.screen, PersonScreen)
        await d.press("escape")
        await d.press("l")
        assert "looked at" in d.text()
        await d.press("enter")
        assert isinstance(d.app.screen, SavedScreen)

    kit = FakeKit()
    kit.put_person(adult_row())
    put_draft(kit, adult_row(), step="review")
    assert drive(script, kit=kit).submits == 1


def test_the_only_draft_can_be_put_away() -> None:
    async def script(d: Driver) -> None:
        await d.press("d")
        assert "Enter go on" in d.footer()
        await d.press("x", "escape")
        assert "draft open" not in d.text()

    kit = FakeKit()
    put_draft(kit, adult_row(), step="review")
    assert drive(script, kit=kit).desk == {}


def test_enter_pressed_twice_saves_once() -> None:
    async def script(d: Driver) -> None:
        await d.press("d", "enter")
        d.send("enter", "f2", "f2")
        await d.rest()

    kit = FakeKit()
    put_draft(kit, adult_row(), step="review")
    drive(script, kit=kit)
    assert kit.submits == 1
    assert len(kit.people_here) == 1


def test_a_full_disk_keeps_the_form_and_says_so() -> None:
    async def script(d: Driver) -> None:
        await d.press("d", "enter")
        d.kit.fail_submit = StoreFull()
        await d.press("enter")
        assert isinstance(d.app.screen, EnrollScreen)
        assert "The disk is full" in d.page.notice.said
        assert "Sunita Devi" in d.text()
        d.kit.fail_submit = None
        await d.press("enter")
        assert isinstance(d.app.screen, SavedScreen)

    kit = FakeKit()
    put_draft(kit, adult_row(), step="review")
    assert drive(script, kit=kit).submits == 1


def test_a_draft_that_could_not_be_kept_is_not_called_saved() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        d.kit.fail_save = StoreFull()
        await d.press("enter")
        await d.type("Kamla")
        await d.press("enter")
        assert "NOT kept" in d.footer()
        assert "draft saved" not in d.footer()
        d.kit.fail_save = None
        await d.press("tab")
        assert "draft saved 12:10" in d.footer()

    drive(script)


def test_esc_goes_back_step_by_step_and_loses_nothing() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        await d.press("enter")
        await d.type("Kamla")
        await d.press("escape", "escape", "escape")
        assert isinstance(d.app.screen, HomeScreen)
        assert "Continue a draft: Kamla" in d.text()
        await d.press("d", "enter")
        await d.press("enter")
        await d.until(lambda: "Aadhaar number" in d.text() or d.focused() == "Choice")

    kit = drive(script)
    (draft,) = kit.desk.values()
    assert draft.row["name"] == "Kamla"


def test_what_is_no_date_yet_survives_in_the_draft_as_it_was_typed() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        await d.press("enter", "enter")
        await d.type("14/3")
        await d.press("tab", "escape", "enter")
        assert any(box.value == "14/3" for box in d.app.screen.query(Input))

    kit = drive(script)
    (draft,) = kit.desk.values()
    assert draft.row["birth"] == "14/3"


def test_after_a_kill_the_draft_is_offered_on_home() -> None:
    async def first(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        await d.press("enter")
        await d.type("Ramesh Lal")
        await d.press("enter")
        d.app.exit()

    async def second(d: Driver) -> None:
        assert "Continue a draft: Ramesh" in d.text()
        await d.press("d", "enter")
        assert any(box.value == "Ramesh Lal" for box in d.app.screen.query(Input))

    kit = drive(first)
    kit.lock()
    drive(second, kit=kit)


def test_a_form_in_which_nothing_was_said_leaves_no_draft() -> None:
    async def script(d: Driver) -> None:
        await d.press("n")
        await d.press("escape")
        assert isinstance(d.app.screen, HomeScreen)

    assert drive(script).desk == {}


def test_the_next_of_the_household_has_the_address_and_not_the_name() -> None:
    async def script(d: Driver) -> None:
        await d.press("d", "enter")
        await d.press("enter", "h")
        await d.agree()
        await d.press("enter")
        boxes = [box.value for box in d.app.screen.query(Input)]
        assert "Sunita Devi" not in boxes
        await d.person("Ramesh Lal", "1980")
        assert "Aligarh" in [box.value for box in d.app.screen.query(Input)]
        await d.press(*["enter"] * 5)
        await d.press("enter")
        assert isinstance(d.app.screen, SavedScreen), d.text()

    kit = FakeKit()
    put_draft(kit, adult_row(household="HH-1"), step="review")
    drive(script, kit=kit)
    assert [one.household for one in kit.people_here.values()] == ["HH-1", "HH-1"]


def test_the_guardian_of_the_last_child_is_not_a_grown_ups_of_the_household() -> None:
    async def script(d: Driver) -> None:
        await d.press("d", "enter")
        await d.press("enter", "h")
        await d.agree()
        await d.press("enter")
        await d.person("Ramesh Lal", "1980")
        await d.press(*["enter"] * 5)
        assert "Nothing stands in the way" in d.text()
        assert "mother" not in d.text()
        await d.press("enter")

    kit = FakeKit()
    mother = {"name": "Sunita Devi", "relation": "mother"}
    put_draft(kit, adult_row(birth={"year": 2017}, guardian=mother), step="review")
    drive(script, kit=kit)
    child, father = (one.person for one in kit.people_here.values())
    assert child.guardian is not None
    assert father.guardian is None


def test_the_next_person_starts_with_an_empty_form() -> None:
    async def script(d: Driver) -> None:
        await d.press("d", "enter")
        await d.press("enter", "enter")
        await d.agree()
        await d.press("enter")
        assert isinstance(d.app.screen, EnrollScreen)
        assert [box.value for box in d.app.screen.query(Input)] == ["", "", "", "", ""]

    kit = FakeKit()
    put_draft(kit, adult_row(), step="review")
    drive(script, kit=kit)


def test_pressing_n_twice_starts_one_enrollment() -> None:
    async def script(d: Driver) -> None:
        d.send("n", "n", "n")
        await d.rest()
        assert isinstance(d.app.screen, EnrollScreen)

    assert len(drive(script).desk) == 1


def test_a_suggestion_is_chosen_with_the_arrows() -> None:
    async def script(d: Driver) -> None:
        await d.press("d", "enter")
        await d.press("escape")
        await d.press("tab", "tab", "tab")
        for _letter in range(20):
            await d.press("backspace")
        await d.type("utta")
        assert "▸ Uttar Pradesh" in d.text()
        await d.press("down")
        assert "▸ Uttarakhand" in d.text()
        await d.press("enter")

    kit = FakeKit()
    draft = put_draft(kit, adult_row(), step="review")
    drive(script, kit=kit)
    assert kit.desk[draft].row["address"]["state"] == 5


def test_people_can_be_looked_up_from_the_review_and_the_form_is_still_there() -> None:
    async def script(d: Driver) -> None:
        await d.press("d", "enter")
        await d.press("slash")
        assert isinstance(d.app.screen, PeopleScreen)
        await d.press("escape")
        assert isinstance(d.app.screen, EnrollScreen)
        assert "Nothing stands in the way" in d.text()

    kit = FakeKit()
    put_draft(kit, adult_row(), step="review")
    assert drive(script, kit=kit).states == {}
    assert State.SUBMITTED not in kit.states.values()


def put_draft(kit: FakeKit, row: dict[str, Any], *, step: str) -> str:
    """Have a draft on the laptop already."""
    kit.unlock("four quiet monsoon clouds")
    draft = kit.drafts.start({key: value for key, value in row.items() if value is not None})
    kit.desk[draft.id] = replace(draft, step=step)
    kit.lock()
    return draft.id


def test_without_an_aadhaar_number_review_and_saved_say_that_somebody_will_have_to_call() -> None:
    words = "Without Aadhaar, somebody will have to call about another document."

    async def script(d: Driver) -> None:
        await d.press("n")
        await d.agree()
        await d.adult()
        assert "Nothing stands in the way. Enter saves." in d.text()
        assert words in d.words()
        await d.press("enter")
        assert isinstance(d.app.screen, SavedScreen)
        # The code stands at the right of these lines.
        assert all(word in d.words() for word in words.split())
        assert "! Without Aadhaar" in d.text()

    drive(script)
