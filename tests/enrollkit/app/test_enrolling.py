"""Saving people: one transaction, once, every problem at once, no number readable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from enrollkit.app.kit import Kit
from enrollkit.app.results import Refused, RowSource, Saved
from enrollkit.domain.enrollment import State
from enrollkit.errors import RecordNotFound, StoreFull, VaultLocked
from kit_samples import AADHAAR, PASSPHRASE, intake_row, unlocked


@pytest.fixture
def kit(tmp_path: Path):  # type: ignore[no-untyped-def] # noqa: ANN201 - a fixture's generator
    with unlocked(tmp_path / "laptop") as opened:
        yield opened


def test_a_saved_person_is_found_counted_and_waits(kit: Kit) -> None:
    result = kit.enrolling.submit_row(intake_row())
    assert result.ok
    assert result.provisional is not None
    page = kit.people.page(result.provisional.lower().replace("-", " "))
    assert page.state is State.SUBMITTED
    assert page.enrollment.aadhaar_last4 == AADHAAR[-4:]
    assert [person.id for person in kit.people.search("asha")] == [result.id]
    standing = kit.standing()
    assert (standing.total, standing.waiting, standing.signed_for) == (1, 1, 0)


def test_the_same_row_again_is_the_same_person(kit: Kit) -> None:
    first = kit.enrolling.submit_row(intake_row())
    again = kit.enrolling.submit_row(intake_row())
    assert again.already
    assert (again.id, again.provisional) == (first.id, first.provisional)
    assert kit.standing().total == 1


def test_the_same_row_is_known_after_a_lock_too(kit: Kit) -> None:
    first = kit.enrolling.submit_row(intake_row())
    kit.lock()
    kit.unlock(PASSPHRASE)
    assert kit.enrolling.submit_row(intake_row()).id == first.id


def test_a_number_entered_for_somebody_else_waits_for_a_look(kit: Kit) -> None:
    first = kit.enrolling.submit_row(intake_row())
    other = kit.enrolling.submit_row(intake_row(name="Kamla Bai", birth={"year": 1960}))
    assert not other.ok
    assert [(p.pointer, p.code, p.related) for p in other.problems] == [
        ("/aadhaar", "duplicate-aadhaar", first.id)
    ]
    (draft,) = kit.drafts.list()
    assert draft.id == other.draft
    assert draft.aadhaar_last4 == AADHAAR[-4:]
    assert "aadhaar" not in draft.row


def test_a_number_typed_in_the_app_for_two_people_is_noticed_when_the_second_is_saved(
    kit: Kit,
) -> None:
    row = {key: value for key, value in intake_row().items() if key != "aadhaar"}
    drafts = [kit.drafts.start(row), kit.drafts.start({**row, "name": "Kamla", "gender": "O"})]
    for draft in drafts:
        assert kit.drafts.seal_aadhaar(draft.id, AADHAAR) == AADHAAR[-4:]
    saved = kit.enrolling.submit_draft(drafts[0].id)
    assert isinstance(saved, Saved)
    refused = kit.enrolling.submit_draft(drafts[1].id)
    assert isinstance(refused, Refused)
    assert [(p.code, p.related) for p in refused.problems] == [("duplicate-aadhaar", saved.id)]


def test_a_number_of_a_draft_that_was_put_away_is_free_again(kit: Kit) -> None:
    row = {key: value for key, value in intake_row().items() if key != "aadhaar"}
    away = kit.drafts.start(row)
    kit.drafts.seal_aadhaar(away.id, AADHAAR)
    kit.drafts.discard(away.id)
    assert kit.enrolling.submit_row(intake_row()).ok


def test_a_row_that_waits_for_a_look_waits_once(kit: Kit) -> None:
    kit.enrolling.submit_row(intake_row())
    twin = intake_row(name="Aasha Devi", aadhaar=None)
    drafts = {kit.enrolling.submit_row(twin).draft for _time in range(3)}
    assert len(drafts) == 1
    assert len(kit.drafts.list()) == 1


def test_what_somebody_looked_at_is_saved_from_its_draft(kit: Kit) -> None:
    kit.enrolling.submit_row(intake_row())
    draft = kit.enrolling.submit_row(intake_row(name="Aasha Devi", aadhaar=None)).draft
    assert draft is not None
    refused = kit.enrolling.submit_draft(draft)
    assert isinstance(refused, Refused)
    codes = frozenset(problem.code for problem in refused.problems)
    saved = kit.enrolling.submit_draft(draft, looked_at=codes)
    assert isinstance(saved, Saved)
    assert kit.drafts.list() == []
    assert kit.standing().total == 2


def test_a_refused_row_gives_every_problem_and_saves_nothing(kit: Kit) -> None:
    result = kit.enrolling.submit_row(
        intake_row(name="R2D2", mobile="12345", birth={"year": 2020}, aadhaar="999910101011")
    )
    assert {problem.pointer for problem in result.problems} >= {
        "/name",
        "/mobile",
        "/guardian",
        "/aadhaar",
    }
    assert kit.standing().total == 0
    assert kit.drafts.list() == []


def test_a_draft_refuses_and_stays_until_it_is_right(kit: Kit) -> None:
    draft = kit.drafts.start()
    row = intake_row()
    del row["aadhaar"]
    kit.drafts.save(draft.id, {**row, "gender": "X"}, "person")
    assert isinstance(kit.enrolling.submit_draft(draft.id), Refused)
    kit.drafts.save(draft.id, row, "review")
    saved = kit.enrolling.submit_draft(draft.id)
    assert isinstance(saved, Saved)
    assert saved.id == draft.id


def test_a_discarded_draft_comes_back_with_its_sealed_number(kit: Kit) -> None:
    draft = kit.drafts.start({"name": "Asha Devi"})
    assert kit.drafts.seal_aadhaar(draft.id, "9999 1010 1010") == "1010"
    put_away = kit.drafts.discard(draft.id)
    assert kit.drafts.list() == []
    kit.drafts.restore(put_away)
    assert kit.drafts.load(draft.id).aadhaar_last4 == "1010"


def test_a_mistyped_number_is_a_problem_and_is_not_kept(kit: Kit) -> None:
    draft = kit.drafts.start()
    problem = kit.drafts.seal_aadhaar(draft.id, "9999 1010 1011")
    assert not isinstance(problem, str)
    assert problem.pointer == "/aadhaar"
    assert kit.drafts.load(draft.id).aadhaar_last4 is None


def test_seven_people_never_share_a_mobile(kit: Kit) -> None:
    names = [
        "Asha Devi",
        "Bina Rai",
        "Chhaya Jain",
        "Durga Pal",
        "Ekta Sen",
        "Farha Khan",
        "Gita Om",
    ]
    results = [
        kit.enrolling.submit_row(intake_row(name=name, name_native=None, aadhaar=None))
        for name in names
    ]
    assert [result.ok for result in results] == [True] * 6 + [False]
    assert results[-1].problems[0].code == "mobile-seventh-person"


def test_a_failure_inside_the_transaction_leaves_no_half_person(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_words: object) -> int:
        raise StoreFull

    monkeypatch.setattr("enrollkit.app.enrolling.append_audit", full)
    draft = kit.drafts.start()
    row = intake_row()
    del row["aadhaar"]
    kit.drafts.save(draft.id, row, "review")
    with pytest.raises(StoreFull):
        kit.enrolling.submit_draft(draft.id)
    monkeypatch.undo()
    standing = kit.standing()
    assert (standing.total, standing.waiting, standing.drafts) == (0, 0, 1)


def test_a_locked_kit_gives_nothing(kit: Kit) -> None:
    kit.lock()
    with pytest.raises(VaultLocked):
        _ = kit.people
    assert kit.operator is None


def test_the_file_of_a_row_is_remembered_for_its_links(kit: Kit) -> None:
    kit.enrolling.submit_row(intake_row(), source=RowSource(name="camp.jsonl", row=9))
    link = {
        "person_row": 9,
        "hi_type": "WellnessRecord",
        "facility": "IN0910000001",
        "date": "2026-11-20",
        "display": "Wellness check",
    }
    path = kit_folder_file(kit, link)
    (result,) = kit.links.add_file(path)
    assert result.ok
    assert result.reference
    (again,) = kit.links.add_file(path)
    # Without a reference of its own each run would be another visit; with one it is the same.
    assert again.ok


def kit_folder_file(kit: Kit, link: dict[str, object]) -> Path:
    path = kit._home.folder / "links.jsonl"
    path.write_text(json.dumps(link) + "\n")
    return path


def test_a_row_that_waits_for_a_look_is_not_saved_beside_its_draft_after_a_lock(kit: Kit) -> None:
    """The number that made it unusual is forgotten at lock; the draft is not."""
    kit.enrolling.submit_row(intake_row())
    other = intake_row(name="Kamla Bai", birth={"year": 1960})
    draft = kit.enrolling.submit_row(other).draft
    kit.lock()
    kit.unlock(PASSPHRASE)
    again = kit.enrolling.submit_row(other)
    assert not again.ok
    assert again.draft == draft
    assert [problem.code for problem in again.problems] == ["draft-waiting"]
    assert kit.standing().total == 1


def test_what_was_tidied_is_told_of_a_refused_row_too(kit: Kit) -> None:
    result = kit.enrolling.submit_row(intake_row(gender="f", mobile="12"))
    assert not result.ok
    assert [(note.pointer, note.code) for note in result.notes] == [("/gender", "normalised")]


@pytest.mark.parametrize("ident", ["", "\ud800", "आशा", "x" * 10_000])
def test_a_number_that_nobody_can_have_is_nobodys(kit: Kit, ident: str) -> None:
    with pytest.raises(RecordNotFound):
        kit.people.page(ident)


def test_a_row_without_aadhaar_is_saved_with_a_note_that_somebody_will_have_to_call(
    kit: Kit,
) -> None:
    result = kit.enrolling.submit_row(intake_row(aadhaar=None))
    assert result.ok
    assert [(note.pointer, note.code) for note in result.notes] == [("/aadhaar", "call-needed")]
    assert kit.enrolling.submit_row(intake_row(name="Kamla Bai", birth={"year": 1960})).notes == ()


def test_a_person_saved_from_a_draft_is_told_of_the_call_that_will_come(kit: Kit) -> None:
    row = intake_row(aadhaar=None)
    draft = kit.drafts.start(row)
    assert [problem.code for problem in kit.enrolling.check(row, draft.id)] == ["call-needed"]
    saved = kit.enrolling.submit_draft(draft.id)
    assert isinstance(saved, Saved)
    assert saved.call == "Without Aadhaar, somebody will have to call about another document."
