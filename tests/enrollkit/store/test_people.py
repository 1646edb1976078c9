from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2

from enrollkit.domain.enrollment import State
from enrollkit.domain.record_link import LinkState
from enrollkit.errors import OperatorUnknown, RecordNotFound
from enrollkit.store.database import Database
from enrollkit.store.drafts import (
    Draft,
    SealedNumber,
    delete_draft,
    find_draft_by_source,
    get_draft,
    keep_draft,
    keep_sealed_number,
    list_drafts,
)
from enrollkit.store.enrollments import (
    Source,
    StepRefused,
    amend_enrollment,
    counts_by_state,
    find_by_match_key,
    find_by_source,
    find_enrollment,
    find_source_row,
    get_enrollment,
    insert_enrollment,
    mobile_count,
    set_state,
    source_names,
)
from enrollkit.store.events import history
from enrollkit.store.links import get_link, insert_link, links_of, set_link_state
from enrollkit.store.operators import Role, add_operator, end_operator, list_operators, operator
from enrollkit.store.search import FoundPerson, recent_people, search_people
from store_samples import NOON, link, new_database, person, record_id, save_link, save_person

SEALED = SealedNumber(sealed=bytes(28), last4="9787", session="ab" * 8)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_database(tmp_path) as opened:
        yield opened


def enroll(database: Database, number: int, **changes: object) -> None:
    database.write(lambda tx: save_person(tx, person(number, **changes)))


def names(found: list[FoundPerson]) -> list[str]:
    return [hit.person.name for hit in found]


def search(database: Database, text: str) -> list[str]:
    return names(database.read(lambda tx: search_people(tx, text)))


def test_what_was_saved_comes_back_as_it_was(database: Database) -> None:
    enrollment = person(1, aadhaar_last4="9787", capture_session="ab" * 8)
    database.write(
        lambda tx: insert_enrollment(
            tx,
            enrollment,
            sealed=bytes(28),
            match_key="key",
            saved_at=NOON,
            operator=2,
            source=Source(name="camp.jsonl", row=7, digest="d1"),
        )
    )
    stored = database.read(lambda tx: get_enrollment(tx, enrollment.id))
    assert stored.enrollment == enrollment
    assert (stored.state, stored.sealed, stored.saved_at) == (State.SUBMITTED, bytes(28), NOON)
    assert (stored.operator, stored.source_name, stored.source_row) == (2, "camp.jsonl", 7)
    assert "Asha" not in repr(stored)
    again = database.read(lambda tx: find_by_source(tx, "d1"))
    assert again is not None
    assert again.enrollment.id == enrollment.id
    assert database.read(lambda tx: find_by_source(tx, "d2")) is None
    by_row = database.read(lambda tx: find_source_row(tx, "camp.jsonl", 7))
    assert by_row is not None
    assert by_row.enrollment.id == enrollment.id
    assert database.read(lambda tx: find_source_row(tx, "camp.jsonl", 8)) is None
    assert database.read(source_names) == ["camp.jsonl"]


def test_a_person_is_found_by_each_number_in_the_spellings_people_use(database: Database) -> None:
    enroll(database, 1)
    provisional = person(1).provisional
    spellings = [
        record_id(1),
        record_id(1).upper(),
        f" {provisional} ",
        provisional.lower().replace("-", ""),
        provisional.replace("0", "O").replace("1", "I"),
    ]
    for ident in spellings:
        found = database.read(lambda tx, ident=ident: find_enrollment(tx, ident))
        assert found.enrollment.id == record_id(1)
    for ident in ("", "x", "' OR 1=1 --", provisional[:-1] + "*", record_id(2), "9" * 5000):
        with pytest.raises(RecordNotFound):
            database.read(lambda tx, ident=ident: find_enrollment(tx, ident))


def test_one_record_id_is_saved_once(database: Database) -> None:
    enroll(database, 1)
    with pytest.raises(dbapi2.IntegrityError):
        enroll(database, 1)
    assert database.read(counts_by_state) == {State.SUBMITTED: 1}


def test_the_state_table_is_the_only_way(database: Database) -> None:
    enroll(database, 1)

    def step(state: State) -> None:
        database.write(lambda tx: set_state(tx, record_id(1), state, at=NOON, what=state.value))

    for wrong in (State.ISSUED, State.DRAFT, State.SUBMITTED, State.NEEDS_PERSON):
        with pytest.raises(StepRefused):
            step(wrong)
    step(State.SENT)
    step(State.ACCEPTED)
    step(State.ISSUED)
    whats = [event.what for event in database.read(lambda tx: history(tx, record_id(1)))]
    assert whats == ["submitted", "SENT", "ACCEPTED", "ISSUED"]


def test_a_correction_keeps_the_old_version_and_clears_the_reason(database: Database) -> None:
    enroll(database, 1)
    database.write(
        lambda tx: set_state(
            tx, record_id(1), State.RETURNED, at=NOON, what="returned", code="x", pointer="/name"
        )
    )

    def amend(version: int) -> None:
        database.write(
            lambda tx: amend_enrollment(
                tx,
                person(1, version=version, name="Asha Rani"),
                sealed=None,
                match_key="k2",
                saved_at=NOON,
                operator=1,
            )
        )

    with pytest.raises(StepRefused):
        amend(3)
    amend(2)
    stored = database.read(lambda tx: get_enrollment(tx, record_id(1)))
    assert (stored.state, stored.reason_code, stored.enrollment.version) == (
        State.SUBMITTED,
        None,
        2,
    )
    versions = database.read(
        lambda tx: tx.execute("SELECT version FROM enrollment_versions ORDER BY 1").fetchall()
    )
    assert versions == [(1,), (2,)]
    assert search(database, "Asha Rani") == ["Asha Rani"]
    assert search(database, "Asha1") == []


def test_what_an_operator_must_not_correct_is_refused(database: Database) -> None:
    enroll(database, 1)
    database.write(
        lambda tx: set_state(tx, record_id(1), State.WITHDRAWN, at=NOON, what="withdrawn")
    )
    with pytest.raises(StepRefused):
        database.write(
            lambda tx: amend_enrollment(
                tx, person(1, version=2), sealed=None, match_key="k", saved_at=NOON, operator=1
            )
        )


def test_look_alikes_and_shared_mobiles_are_counted_without_oneself(database: Database) -> None:
    for number in (1, 2, 3):
        enroll(
            database,
            number,
            mobile="9000000001",
            aadhaar_last4="9787",
            capture_session="ab" * 8,
        )
    database.write(
        lambda tx: set_state(tx, record_id(3), State.WITHDRAWN, at=NOON, what="withdrawn")
    )
    read = database.read
    assert read(lambda tx: mobile_count(tx, "9000000001", excluding=None)) == 2
    assert read(lambda tx: mobile_count(tx, "9000000001", excluding=record_id(1))) == 1
    assert read(lambda tx: mobile_count(tx, "9000000002", excluding=None)) == 0
    twins = read(lambda tx: find_by_match_key(tx, "key", excluding=record_id(1)))
    assert [twin.enrollment.id for twin in twins] == [record_id(2)]


def test_search_finds_names_in_either_script_villages_and_numbers(database: Database) -> None:
    enroll(database, 1, name="Ramkali Yadav", name_native="रामकली यादव", mobile="9205373585")
    enroll(database, 2, name="Shanti Devi", name_native="शांति देवी", mobile="7823465824")
    address = {**person(1).body()["address"], "village": "Ramgarh"}
    enroll(
        database, 3, name="Mohan Lal", name_native="मोहन लाल", mobile="6000000003", address=address
    )
    assert search(database, "ramkali") == ["Ramkali Yadav"]
    assert search(database, "RAM") == ["Ramkali Yadav", "Mohan Lal"]
    assert search(database, "ra") == ["Ramkali Yadav", "Mohan Lal"]
    assert search(database, "मो") == ["Mohan Lal"]
    assert search(database, "शांति") == ["Shanti Devi"]
    assert search(database, "yad ramk") == ["Ramkali Yadav"]
    assert search(database, "kali") == ["Ramkali Yadav"]
    assert search(database, "37358") == ["Ramkali Yadav"]
    assert search(database, "78 23") == ["Shanti Devi"]
    fragment = person(3).provisional[3:11]
    assert search(database, fragment) == ["Mohan Lal"]
    assert search(database, person(3).provisional.lower()) == ["Mohan Lal"]


def test_search_puts_the_best_first(database: Database) -> None:
    for number, name in enumerate(["Sita Ram", "Ram", "Balaram", "Rama Devi", "Ram Bai"], start=1):
        enroll(database, number, name=name)
    assert search(database, "ram") == ["Ram", "Ram Bai", "Rama Devi", "Sita Ram", "Balaram"]


@pytest.mark.parametrize(
    "text",
    ["'", '"', '"""', "*", "a*", "NEAR(a b)", "name:asha", "a OR b", "-", "\x00", "\u202e", "%",
     "((((", "x" * 10_000, "क" * 500, "a " * 3000, "^asha", "{", "\ud800"],
)  # fmt: skip
def test_no_text_that_somebody_types_is_a_fault(database: Database, text: str) -> None:
    enroll(database, 1)
    found = search(database, text)
    assert found in ([], ["Asha1 Devi"])


def test_an_empty_search_gives_the_newest_people(database: Database) -> None:
    for number in range(1, 5):
        enroll(database, number)
    assert search(database, "  ") == ["Asha4 Devi", "Asha3 Devi", "Asha2 Devi", "Asha1 Devi"]
    assert len(database.read(lambda tx: recent_people(tx, limit=2))) == 2
    assert search(database, "a") == []


def test_search_among_many_gives_a_bounded_answer(database: Database) -> None:
    def save_many(tx: object) -> None:
        for number in range(1, 400):
            save_person(tx, person(number))

    database.write(save_many)
    assert len(search(database, "devi")) == 50


def test_a_draft_comes_back_as_it_was_left(database: Database) -> None:
    draft = Draft(
        id=record_id(1), version=1, row={"name": "Asha"}, step="person", updated=NOON, operator=1,
        source=Source(name="camp.jsonl", row=7, digest="d1"),
    )  # fmt: skip
    database.write(lambda tx: keep_draft(tx, draft))
    database.write(lambda tx: keep_sealed_number(tx, draft.id, SEALED, at=NOON + 1))
    found = database.read(lambda tx: get_draft(tx, draft.id))
    assert (found.row, found.number, found.updated) == ({"name": "Asha"}, SEALED, NOON + 1)
    assert "Asha" not in repr(found)
    assert database.read(lambda tx: find_draft_by_source(tx, "d1")) == found
    assert database.read(list_drafts) == [found]
    database.write(lambda tx: keep_sealed_number(tx, draft.id, None, at=NOON + 2))
    assert database.read(lambda tx: get_draft(tx, draft.id)).number is None
    database.write(lambda tx: delete_draft(tx, draft.id))
    with pytest.raises(RecordNotFound):
        database.read(lambda tx: get_draft(tx, draft.id))
    with pytest.raises(RecordNotFound):
        database.write(lambda tx: keep_sealed_number(tx, draft.id, SEALED, at=NOON))


@pytest.mark.parametrize("row", [{"aadhaar": "999997899787"}, {"name": "x" * 40_000}])
def test_a_draft_with_an_aadhaar_number_or_a_book_in_it_is_refused(
    database: Database, row: dict[str, str]
) -> None:
    draft = Draft(id=record_id(1), version=1, row=row, step="x", updated=NOON, operator=1)
    with pytest.raises(ValueError, match="draft"):
        database.write(lambda tx: keep_draft(tx, draft))
    assert database.read(list_drafts) == []


def test_a_care_context_is_linked_once_per_person_and_facility(database: Database) -> None:
    for number in (1, 2):
        enroll(database, number)
    database.write(lambda tx: save_link(tx, link(1)))
    twin = link(2, reference="REF-1")
    insert = lambda tx, one: insert_link(tx, one, saved_at=NOON, operator=1)  # noqa: E731 - used four times below
    assert database.write(lambda tx: insert(tx, twin)) == link(1).id
    assert database.write(lambda tx: insert(tx, link(3, owner=2, reference="REF-1"))) is None
    elsewhere = link(4, reference="REF-1", facility="IN0000000002")
    assert database.write(lambda tx: insert(tx, elsewhere)) is None
    found = database.read(lambda tx: links_of(tx, record_id(1)))
    assert [stored.link for stored in found] == [link(1), elsewhere]
    with pytest.raises(dbapi2.IntegrityError):
        database.write(lambda tx: insert(tx, link(5, owner=99)))


def test_a_link_moves_by_its_own_table(database: Database) -> None:
    enroll(database, 1)
    database.write(lambda tx: save_link(tx, link(1)))

    def step(state: LinkState) -> None:
        database.write(lambda tx: set_link_state(tx, link(1).id, state, at=NOON, what="x"))

    step(LinkState.ACCEPTED)
    step(LinkState.LINKED)
    for wrong in (LinkState.SENT, LinkState.RETURNED, LinkState.SUBMITTED):
        with pytest.raises(ValueError, match="LINKED"):
            step(wrong)
    assert database.read(lambda tx: get_link(tx, link(1).id)).state is LinkState.LINKED


def test_operators_keep_their_names_after_they_left(database: Database) -> None:
    database.write(lambda tx: add_operator(tx, 1, name="Sunita", role=Role.SUPERVISOR, at=NOON))
    database.write(lambda tx: add_operator(tx, 2, name="Ravi", role=Role.OPERATOR, at=NOON))
    database.write(lambda tx: end_operator(tx, 2, at=NOON + 1))
    assert [one.name for one in database.read(list_operators)] == ["Sunita"]
    assert database.read(lambda tx: operator(tx, 2)).until == NOON + 1
    with pytest.raises(OperatorUnknown):
        database.read(lambda tx: operator(tx, 3))
    with pytest.raises(dbapi2.IntegrityError):
        database.write(lambda tx: add_operator(tx, 2, name="Gita", role=Role.OPERATOR, at=NOON))
