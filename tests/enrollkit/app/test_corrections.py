"""Corrections: the next version goes out, both values are kept, nothing is decided in silence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from enrollkit.app.amending import NumberIssued, PersonKnown, PersonWithdrawn
from enrollkit.app.kit import Kit
from enrollkit.app.results import Refused, Saved
from enrollkit.domain.enrollment import State
from enrollkit.domain.record_link import LinkState
from kit_office import ACCEPTED, Office, held, rejected
from kit_samples import AADHAAR, intake_row, unlocked
from schemas.pointers import with_value
from sync.capture import open_number
from sync.protocol import FeedKind, Operation, OperationKind

OTHER_NUMBER = "999910101023"


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with unlocked(tmp_path / "laptop") as opened:
        yield opened


@pytest.fixture
def office(kit: Kit) -> Office:
    return Office(kit)


@pytest.fixture
def asha(kit: Kit) -> str:
    saved = kit.enrolling.submit_row(intake_row())
    assert saved.id is not None
    return saved.id


def correct(kit: Kit, record: str, **changes: Any) -> None:
    """Correct some fields and save."""
    draft = kit.corrections.start(record)
    row = dict(draft.row)
    for name, value in changes.items():
        row = with_value(row, "/" + name.replace("__", "/"), value)
    kit.drafts.save(record, row, "review")
    saved = kit.enrolling.submit_draft(record)
    assert isinstance(saved, Saved), saved


def body_of(kit: Kit, record: str) -> dict[str, Any]:
    return kit.people.page(record).enrollment.body()


def versions(office: Office, record: str) -> list[tuple[str, int, bool]]:
    return [
        (one.kind, one.base_version, one.payload is not None) for one in office.operations(record)
    ]


@pytest.mark.parametrize("moment", ["saved", "sent", "signed", "returned", "called", "held"])
def test_a_person_can_be_corrected_from_every_open_state(
    kit: Kit, office: Office, asha: str, moment: str
) -> None:
    if moment != "saved":
        office.offer()
    if moment in {"signed", "called"}:
        office.sign()
    if moment == "returned":
        office.sign()
        office.tell(FeedKind.ENROLLMENT_RETURNED, asha, code="dob", pointer="/birth")
    if moment == "called":
        office.tell(FeedKind.NEEDS_PERSON, asha)
    if moment == "held":
        office.sign(lambda _one: held("operation:unstorable"))
    correct(kit, asha, name="Asha Kumari")
    page = kit.people.page(asha)
    assert (page.enrollment.person.name, page.state, page.version) == (
        "Asha Kumari",
        State.SUBMITTED,
        2,
    )
    assert (page.reason, page.held) == (None, False)
    assert versions(office, asha) == [
        (OperationKind.ENROLLMENT_SUBMIT, 0, True),
        (OperationKind.ENROLLMENT_AMEND, 1, False),
    ]
    assert [one.name for one in kit.people.search("kumari")] == ["Asha Kumari"]
    assert kit.drafts.list() == []
    assert kit.doctor()  # the audit is whole
    office.answer()
    assert kit.people.page(asha).state is State.ACCEPTED


def test_the_newest_version_decides_whatever_becomes_of_the_one_before(
    kit: Kit, office: Office, asha: str
) -> None:
    office.offer()
    correct(kit, asha, mobile="9000000002")
    office.sign(lambda _one: rejected("schema:format", "/mobile"))
    page = kit.people.page(asha)
    assert (page.state, page.reason) == (State.SUBMITTED, None)
    assert page.history[-1].what == "came back for correction (an earlier version)"
    office.answer()
    assert kit.people.page(asha).state is State.ACCEPTED


def test_the_sealed_number_stays_unless_it_is_typed_anew(
    kit: Kit, office: Office, asha: str
) -> None:
    office.answer()
    draft = kit.corrections.start(asha)
    assert draft.aadhaar_last4 == AADHAAR[-4:]
    assert "aadhaar_last4" not in draft.row
    kit.drafts.seal_aadhaar(asha, OTHER_NUMBER)
    assert isinstance(kit.enrolling.submit_draft(asha), Saved)
    first, second = office.operations(asha)
    assert first.payload is not None
    assert second.payload not in {None, first.payload}
    assert second.body["aadhaar_last4"] == OTHER_NUMBER[-4:]
    key = bytes(kit._open().capture._key)
    opened = [
        open_number(key, one.payload, record_id=asha, version=one.base_version + 1)
        for one in (first, second)
        if one.payload is not None
    ]
    assert opened == [AADHAAR, OTHER_NUMBER]


def test_a_person_whom_the_server_refused_altogether_is_submitted_anew_with_the_number(
    kit: Kit, office: Office, asha: str
) -> None:
    """It never had a first version, so there is nothing that it could amend."""
    office.answer(rejected("schema:pattern", "/mobile"))
    page = kit.people.page(asha)
    assert page.state is State.RETURNED
    assert page.reason is not None
    assert (page.reason.pointer, page.reason.value) == ("/mobile", "9000000001")
    correct(kit, asha, mobile="9000000003")
    assert versions(office, asha) == [
        (OperationKind.ENROLLMENT_SUBMIT, 0, True),
        (OperationKind.ENROLLMENT_SUBMIT, 0, True),
    ]
    office.answer()
    correct(kit, asha, mobile="9000000004")
    assert versions(office, asha)[-1] == (OperationKind.ENROLLMENT_AMEND, 1, False)


def test_a_refused_correction_is_made_again_from_the_version_the_server_has(
    kit: Kit, office: Office, asha: str
) -> None:
    office.answer()
    correct(kit, asha, mobile="9000000003")
    office.answer(rejected("schema:pattern", "/mobile"))
    correct(kit, asha, mobile="9000000004")
    assert [base for _kind, base, _payload in versions(office, asha)] == [0, 1, 1]


def test_a_number_that_the_office_blames_must_be_typed_again_or_taken_away(
    kit: Kit, office: Office, asha: str
) -> None:
    office.answer()
    office.tell(
        FeedKind.ENROLLMENT_RETURNED, asha, code="aadhaar:differs", pointer="/aadhaar_last4"
    )
    returned = kit.corrections.returned()[0]
    assert (returned.reason.pointer, returned.reason.value) == ("/aadhaar", f"…{AADHAAR[-4:]}")
    kit.corrections.start(asha)
    refused = kit.enrolling.submit_draft(asha)
    assert isinstance(refused, Refused)
    assert [problem.code for problem in refused.problems] == ["aadhaar-again"]
    kit.drafts.seal_aadhaar(asha, OTHER_NUMBER)
    assert isinstance(kit.enrolling.submit_draft(asha), Saved)


def test_a_number_sealed_for_a_version_that_was_overtaken_must_be_typed_again(
    kit: Kit, office: Office, asha: str
) -> None:
    office.offer()
    kit.corrections.start(asha)
    kit.drafts.seal_aadhaar(asha, OTHER_NUMBER)
    office.sign(lambda _one: rejected("schema:pattern", "/mobile"))
    refused = kit.enrolling.submit_draft(asha)
    assert isinstance(refused, Refused)
    assert [problem.code for problem in refused.problems] == ["aadhaar-again"]


def test_a_correction_left_half_way_comes_back_as_one(kit: Kit, asha: str) -> None:
    draft = kit.corrections.start(asha)
    kit.drafts.save(asha, {**draft.row, "name": "Asha K"}, "person")
    (listed,) = kit.drafts.list()
    assert (listed.id, listed.corrects, listed.version) == (asha, "Asha Devi", 2)
    assert kit.corrections.start(asha).row["name"] == "Asha K"
    away = kit.drafts.discard(asha)
    kit.drafts.restore(away)
    assert kit.drafts.load(asha) == listed
    assert kit.people.page(asha).version == 1


def test_who_is_issued_withdrawn_or_known_elsewhere_is_not_corrected_here(
    kit: Kit, office: Office, asha: str
) -> None:
    office.answer()
    office.tell(FeedKind.ABHA_ISSUED, asha, abha_number="91-1234-5678-9012")
    with pytest.raises(NumberIssued):
        kit.corrections.start(asha)
    assert "office" in kit.people.page(asha).why_not
    kit.corrections.withdraw(asha)
    with pytest.raises(PersonWithdrawn):
        kit.corrections.start(asha)
    ram = str(kit.enrolling.submit_row(intake_row(name="Ram Lal", gender="M", aadhaar=None)).id)
    office.answer()
    office.tell(FeedKind.ENROLLMENT_DUPLICATE, ram)
    with pytest.raises(PersonKnown):
        kit.corrections.start(ram)


def test_somebody_who_moved_on_while_being_corrected_is_not_corrected(
    kit: Kit, office: Office, asha: str
) -> None:
    office.answer()
    kit.corrections.start(asha)
    office.tell(FeedKind.ABHA_ISSUED, asha, abha_number="91-1234-5678-9012")
    with pytest.raises(NumberIssued):
        kit.enrolling.submit_draft(asha)
    assert [draft.id for draft in kit.drafts.list()] == [asha]
    assert kit.people.page(asha).version == 1


def test_one_bad_record_never_stops_another(kit: Kit, office: Office, asha: str) -> None:
    ram = str(kit.enrolling.submit_row(intake_row(name="Ram Lal", gender="M", aadhaar=None)).id)
    office.offer()
    office.sign(lambda one: rejected("schema:x") if one.record == asha else ACCEPTED)
    assert kit.people.page(asha).state is State.RETURNED
    assert kit.people.page(ram).state is State.ACCEPTED
    assert [one.id for one in kit.corrections.returned()] == [asha]


# What the office does


def test_the_offices_version_is_taken_where_nothing_is_open_here(
    kit: Kit, office: Office, asha: str
) -> None:
    office.answer()
    theirs = {**body_of(kit, asha), "name": "Aasha Devi"}
    assert office.tell("correction", asha, version=4, body=theirs, conflicts=[]) == "applied"
    page = kit.people.page(asha)
    assert (page.enrollment.person.name, page.state) == ("Aasha Devi", State.ACCEPTED)
    assert page.history[-1].what == "the office corrected something"
    assert [one.id for one in kit.people.search("aasha")] == [asha]
    correct(kit, asha, mobile="9000000002")
    assert versions(office, asha)[-1] == (OperationKind.ENROLLMENT_AMEND, 4, False)
    office.answer()
    correct(kit, asha, mobile="9000000003")
    assert versions(office, asha)[-1] == (OperationKind.ENROLLMENT_AMEND, 5, False)


def test_both_values_are_kept_and_shown_where_both_wrote(
    kit: Kit, office: Office, asha: str
) -> None:
    office.answer()
    correct(kit, asha, name="Asha Kumari", address__village="Tilhar")
    office.answer(held("conflict", "/name"))
    theirs = {**body_of(kit, asha), "name": "Aasha Devi", "mobile": "9000000009"}
    conflicts = [{"pointer": "/name", "yours": "Asha Kumari", "theirs": "Aasha Devi"}]
    office.tell("correction", asha, version=5, body=theirs, conflicts=conflicts)
    page = kit.people.page(asha)
    assert page.state is State.RETURNED
    assert page.reason is not None
    assert (page.reason.code, page.reason.pointer) == ("conflict", "/name")
    (other,) = page.conflicts
    assert (other.yours, other.theirs) == ("Asha Kumari", "Aasha Devi")
    now = page.enrollment.person
    assert (now.name, now.mobile, now.address.village) == ("Asha Kumari", "9000000009", "Tilhar")
    correct(kit, asha)
    assert versions(office, asha)[-1] == (OperationKind.ENROLLMENT_AMEND, 5, False)
    assert kit.people.page(asha).conflicts == ()
    office.answer()
    assert kit.people.page(asha).state is State.ACCEPTED


def test_a_change_of_the_office_is_merged_with_what_is_still_on_its_way(
    kit: Kit, office: Office, asha: str
) -> None:
    office.answer()
    before = body_of(kit, asha)
    correct(kit, asha, name="Asha Kumari")
    theirs = {**before, "mobile": "9000000009"}
    office.tell("correction", asha, version=2, body=theirs, conflicts=[])
    page = kit.people.page(asha)
    assert page.state is State.SUBMITTED
    assert (page.enrollment.person.name, page.enrollment.person.mobile) == (
        "Asha Kumari",
        "9000000009",
    )
    office.tell("correction", asha, version=3, body={**theirs, "name": "Aasha"}, conflicts=[])
    page = kit.people.page(asha)
    assert page.state is State.RETURNED
    assert [(one.pointer, one.theirs_text) for one in page.conflicts] == [("/name", "Aasha")]


def test_what_the_office_settles_meanwhile_needs_nobody_any_more(
    kit: Kit, office: Office, asha: str
) -> None:
    office.answer()
    correct(kit, asha, name="Asha Kumari")
    office.answer(held("conflict", "/name"))
    seq = office.operations(asha)[-1].seq
    theirs = {**body_of(kit, asha), "name": "Aasha Devi"}
    conflicts = [{"pointer": "/name", "yours": "Asha Kumari", "theirs": "Aasha Devi"}]
    office.tell("correction", asha, version=5, body=theirs, conflicts=conflicts)
    assert kit.people.page(asha).state is State.RETURNED
    life = office.incarnation()
    office.tell("verdict.changed", asha, incarnation=life, seq=seq, outcome="accepted")
    page = kit.people.page(asha)
    assert (page.state, page.conflicts, page.reason) == (State.ACCEPTED, (), None)


def test_a_held_person_stays_visible_and_is_decided_by_later_news(
    kit: Kit, office: Office, asha: str
) -> None:
    office.answer(held("device:revoked"))
    (waits,) = kit.corrections.returned()
    assert waits.held
    assert "shut this laptop out" in waits.reason.text
    (operation,) = office.operations(asha)
    life = office.incarnation()
    told = {"incarnation": life, "seq": operation.seq}
    assert office.tell("verdict.changed", asha, **told, outcome="accepted") == "applied"
    assert kit.people.page(asha).state is State.ACCEPTED
    assert kit.corrections.returned() == []


@pytest.mark.parametrize("wrong", [{"seq": 999}, {"incarnation": "00" * 8}])
def test_a_verdict_on_what_this_laptop_never_said_changes_nothing(
    kit: Kit, office: Office, asha: str, wrong: dict[str, Any]
) -> None:
    office.answer()
    (operation,) = office.operations(asha)
    told = {"incarnation": office.incarnation(), "seq": operation.seq, **wrong}
    assert office.tell("verdict.changed", asha, **told, outcome="rejected") == "unknown-record"
    assert kit.people.page(asha).state is State.ACCEPTED


def test_a_later_verdict_that_overtook_its_receipt_is_not_undone_by_it(
    kit: Kit, office: Office, asha: str
) -> None:
    office.offer()
    (operation,) = office.operations(asha)
    told = {"incarnation": office.incarnation(), "seq": operation.seq}
    office.tell("verdict.changed", asha, **told, outcome="accepted")
    office.sign(lambda _one: held("operation:unstorable"))
    page = kit.people.page(asha)
    assert (page.state, page.held) == (State.ACCEPTED, False)


def test_a_body_that_is_no_enrollment_is_never_taken(kit: Kit, office: Office, asha: str) -> None:
    office.answer()
    theirs = {"name": "Only a name"}
    assert office.tell("correction", asha, version=2, body=theirs, conflicts=[]) == "impossible"
    assert kit.people.page(asha).enrollment.person.name == "Asha Devi"


# Consent taken back, records taken away


def test_consent_taken_back_is_at_once_and_for_good(kit: Kit, office: Office, asha: str) -> None:
    office.answer()
    kit.corrections.start(asha)
    kit.corrections.withdraw(asha, "asked-to-leave")
    kit.corrections.withdraw(asha)
    page = kit.people.page(asha)
    assert page.state is State.WITHDRAWN
    assert kit.drafts.list() == []
    (_submit, ending) = office.operations(asha)
    assert (ending.kind, dict(ending.body)) == (
        OperationKind.ENROLLMENT_WITHDRAW,
        {"reason": "asked-to-leave"},
    )
    assert kit.standing().waiting == 1
    office.answer()
    page = kit.people.page(asha)
    assert (page.state, page.held) == (State.WITHDRAWN, False)
    assert page.history[-1].what == "the server signed for that"
    theirs = {**page.enrollment.body(), "name": "Aasha"}
    assert office.tell("correction", asha, version=9, body=theirs, conflicts=[]) == "impossible"
    assert kit.people.page(asha).enrollment.person.name == "Asha Devi"


def test_a_withdrawal_that_the_server_holds_stays_a_withdrawal_and_is_shown(
    kit: Kit, office: Office, asha: str
) -> None:
    office.answer()
    kit.corrections.withdraw(asha)
    office.answer(held("enrollment:unknown"))
    page = kit.people.page(asha)
    assert (page.state, page.held) == (State.WITHDRAWN, True)
    assert [one.can_correct for one in kit.corrections.returned()] == [False]


def test_a_record_taken_away_can_be_linked_again(kit: Kit, office: Office, asha: str) -> None:
    row = {
        "hi_type": "OPConsultation", "facility": "IN0812966769", "date": "2026-10-26",
        "display": "OPD visit", "reference": "OPD-17",
    }  # fmt: skip
    first = kit.links.add(asha, row)
    assert first.id is not None
    office.answer()
    kit.corrections.remove_link(first.id, "wrong-person")
    kit.corrections.remove_link(first.id)
    (link,) = kit.people.page(asha).links
    assert (link.state, link.reference) == (LinkState.REMOVED, "OPD-17")
    ending: list[Operation] = office.operations(first.id)
    assert [one.kind for one in ending] == [OperationKind.LINK_ADD, OperationKind.LINK_REMOVE]
    assert dict(ending[1].body) == {"enrollment": asha, "reason": "wrong-person"}
    again = kit.links.add(asha, row)
    assert again.ok
    assert not again.already
    office.answer()
    states = [one.state for one in kit.people.page(asha).links]
    assert states == [LinkState.REMOVED, LinkState.ACCEPTED]


def test_a_refused_record_is_told_with_its_reason(kit: Kit, office: Office, asha: str) -> None:
    row = {
        "hi_type": "OPConsultation", "facility": "IN0812966769", "date": "2026-10-26",
        "display": "OPD visit", "reference": "OPD-17",
    }  # fmt: skip
    link = kit.links.add(asha, row)
    office.offer()
    office.sign(
        lambda one: rejected("schema:enum", "/hi_type") if one.record == link.id else ACCEPTED
    )
    (came,) = kit.corrections.returned()
    assert (came.id, came.record, came.reason.code) == (asha, "OPD visit", "schema:enum")
    assert not came.can_correct


def test_whom_to_call_is_told_with_reason_and_time(kit: Kit, office: Office, asha: str) -> None:
    office.answer()
    assert kit.people.calls() == []
    office.tell(FeedKind.NEEDS_PERSON, asha, code="person:otp", call_at=2_000_000_000)
    (call,) = kit.people.calls()
    assert (call.id, call.call_at) == (asha, 2_000_000_000)
    assert call.reason.text == "A one-time code goes to the person's mobile. Call them."
    assert call.since == kit.people.page(asha).history[-1].at
    assert kit.people.page(asha).call_at == 2_000_000_000
    correct(kit, asha, name="Asha Kumari")
    assert kit.people.calls() == []
    assert kit.people.page(asha).call_at is None


def test_a_number_that_aadhaar_does_not_know_is_typed_again(
    kit: Kit, office: Office, asha: str
) -> None:
    office.answer()
    office.tell(FeedKind.ENROLLMENT_RETURNED, asha, code="abdm:aadhaar", pointer="/aadhaar")
    kit.corrections.start(asha)
    refused = kit.enrolling.submit_draft(asha)
    assert isinstance(refused, Refused)
    assert [problem.code for problem in refused.problems] == ["aadhaar-again"]
    kit.drafts.seal_aadhaar(asha, OTHER_NUMBER)
    assert isinstance(kit.enrolling.submit_draft(asha), Saved)


def test_who_had_a_number_before_is_not_corrected_here_and_the_words_say_why(
    kit: Kit, office: Office, asha: str
) -> None:
    office.answer()
    found = {"code": "abdm:exists", "abha_number": "91-2345-6789-0123"}
    office.tell(FeedKind.ENROLLMENT_DUPLICATE, asha, **found)
    page = kit.people.page(asha)
    assert (page.state, page.abha_number) == (State.DUPLICATE, "91-2345-6789-0123")
    assert page.reason is not None
    assert page.reason.text == "The person had an ABHA number before. That one is theirs."
    assert "ABHA number is issued" in page.why_not
    with pytest.raises(NumberIssued):
        kit.corrections.start(asha)
