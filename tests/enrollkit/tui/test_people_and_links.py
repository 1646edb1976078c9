"""Finding people, reading a person's page, adding records and making cards."""

from __future__ import annotations

from enrollkit.domain.enrollment import State
from enrollkit.tui.screens.link import LinkScreen
from enrollkit.tui.screens.people import PeopleScreen
from enrollkit.tui.screens.person import PersonScreen
from fake_kit import PASSPHRASE, FakeKit
from tui_drive import Driver, adult_row, drive


def a_kit(*states: State) -> FakeKit:
    """Give a kit with Sunita Devi, Kamla Devi, …"""
    kit = FakeKit()
    names = ["Sunita Devi", "Kamla Devi", "Ramesh Lal"]
    for name, state in zip(names, states, strict=False):
        kit.put_person(adult_row(name), state)
    return kit


def test_the_list_follows_the_typing_and_enter_opens_the_person() -> None:
    async def script(d: Driver) -> None:
        await d.press("slash")
        assert isinstance(d.app.screen, PeopleScreen)
        assert "2 people" in d.text()
        await d.type("kam")
        assert "1 person" in d.text()
        assert "Sunita" not in "\n".join(d.lines()[3:])
        await d.press("enter")
        assert isinstance(d.app.screen, PersonScreen)
        assert "Kamla Devi" in d.text()
        await d.press("escape")
        assert "1 person" in d.text()

    drive(script, kit=a_kit(State.SUBMITTED, State.ACCEPTED))


def test_arrows_choose_while_the_cursor_stays_in_the_field() -> None:
    async def script(d: Driver) -> None:
        await d.press("f")
        assert "↑↓ choose" in d.footer()
        await d.press("down", "enter")
        assert "Sunita Devi" in d.text()

    drive(script, kit=a_kit(State.SUBMITTED, State.ACCEPTED))


def test_nobody_found_is_said_in_words() -> None:
    async def script(d: Driver) -> None:
        await d.press("f")
        await d.type("zzz")
        assert "Nobody found. Try fewer letters." in d.text()
        await d.press("enter")
        assert isinstance(d.app.screen, PeopleScreen)

    drive(script, kit=a_kit(State.SUBMITTED))


def test_every_state_has_its_word_and_shape_and_a_shape_in_ascii() -> None:
    async def script(d: Driver) -> None:
        await d.press("f")
        for mark in ("● saved", "✔ signed for", "★ ABHA number issued"):
            assert mark in d.text()

    async def plain(d: Driver) -> None:
        await d.press("f")
        text = d.text()
        for mark in ("* saved", "v signed for", "# ABHA number issued"):
            assert mark in text
        assert text.isascii(), [letter for letter in text if not letter.isascii()]

    states = (State.SUBMITTED, State.ACCEPTED, State.ISSUED)
    drive(script, kit=a_kit(*states))
    drive(plain, kit=a_kit(*states), ascii_only=True)


def test_the_page_of_a_person_shows_numbers_history_and_records() -> None:
    async def script(d: Driver) -> None:
        await d.press("f", "enter")
        text = d.text()
        assert "ABHA 91-2345-6789-0123" in text
        assert "★ ABHA number issued" in text
        assert "saved on this laptop" in text
        assert "none yet; V adds one" in text
        native = next(line for line in d.lines() if "सुनीता" in line)
        assert native.strip().startswith("सुनीता")

    drive(script, kit=a_kit(State.ISSUED))


def test_a_long_history_can_be_read_to_its_end() -> None:
    async def script(d: Driver) -> None:
        await d.press("f", "enter")
        assert "Record 29" not in d.text()
        await d.press("pagedown", "pagedown", "pagedown")
        assert "Record 29" in d.text()

    kit = a_kit(State.ACCEPTED)
    (ident,) = kit.people_here
    kit.unlock(PASSPHRASE)
    for number in range(30):
        added = kit.links.add(
            ident,
            {
                "hi_type": "Prescription",
                "facility": "IN0912345678",
                "date": "2026-11-20",
                "display": f"Record {number}",
                "reference": f"R-{number}",
            },
        )
        assert added.ok, added
    kit.lock()
    drive(script, kit=kit)


def test_a_provisional_number_is_never_called_an_abha_number() -> None:
    async def script(d: Driver) -> None:
        await d.press("f", "enter")
        assert "(not an ABHA number)" in d.text()

    drive(script, kit=a_kit(State.SUBMITTED))


def test_a_wellness_check_is_added_with_its_figures() -> None:
    async def script(d: Driver) -> None:
        await d.press("f", "enter", "v")
        assert isinstance(d.app.screen, LinkScreen)
        await d.press("enter", "enter")
        await d.type("in0912345678")
        await d.press("enter")
        await d.press("enter", "enter")
        await d.type("120/80")
        await d.press("enter")
        await d.type("72")
        await d.press("f2")
        assert isinstance(d.app.screen, PersonScreen), d.text()
        assert "● saved  Wellness check, 22 Nov 2026" in d.text()

    kit = drive(script, kit=a_kit(State.ACCEPTED))
    ((link,),) = kit.linked.values()
    assert link.facility == "IN0912345678"
    assert dict(link.observations or {}) == {"systolic": 120, "diastolic": 80, "pulse": 72}


def test_the_facility_is_remembered_for_the_next_record() -> None:
    async def script(d: Driver) -> None:
        await d.press("f", "enter", "v")
        await d.press("p", "enter", "enter")
        await d.type("IN0912345678")
        await d.press("f2")
        await d.press("v")
        assert "IN0912345678" in d.text()

    drive(script, kit=a_kit(State.ACCEPTED))


def test_a_wrong_record_is_not_saved_and_the_cursor_goes_to_the_field() -> None:
    async def script(d: Driver) -> None:
        await d.press("f", "enter", "v")
        await d.press("p", "enter", "enter")
        await d.type("hospital")
        await d.press("f2")
        assert isinstance(d.app.screen, LinkScreen)
        assert "Not saved yet." in d.page.notice.said
        assert d.app.focused is not None
        assert "f-facility" in {node.id for node in d.app.focused.ancestors}
        await d.press("escape")
        assert isinstance(d.app.screen, PersonScreen)

    assert drive(script, kit=a_kit(State.ACCEPTED)).linked == {}


def test_a_card_is_made_and_its_file_named() -> None:
    async def script(d: Driver) -> None:
        await d.press("f", "enter", "p")
        assert "Cards for Sunita Devi" in d.text()
        await d.press("f2")
        assert "1 card in" in d.page.notice.said
        assert ".pdf" in d.page.notice.said

    assert drive(script, kit=a_kit(State.ACCEPTED)).layouts == ["cr80"]
