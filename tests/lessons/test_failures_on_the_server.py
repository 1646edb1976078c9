"""What went wrong in other systems' servers, by the reference where it was told; not so here."""

from __future__ import annotations

import threading
from dataclasses import replace

from server_laptops import Laptop, Office, person_body, record_id
from sync.protocol import OperationKind, Outcome
from sync.server import feed
from sync.server.devices import find_device


def twin_of(laptop: Laptop) -> Laptop:
    """Give a laptop with a copy of this one's disk."""
    return replace(laptop)


def test_kobocat_470_two_identical_submissions_at_once_are_one_row(office: Office) -> None:
    laptop = office.laptop()
    batch = laptop.batch([laptop.person()])
    start = threading.Barrier(6)

    def push() -> None:
        start.wait()
        office.take(laptop, batch)

    threads = [threading.Thread(target=push) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert office.count("SELECT count(*) FROM enrollments") == 1
    assert office.count("SELECT count(*) FROM operations") == 1


def test_kobocat_859_the_same_record_by_two_roads_is_one_person(office: Office) -> None:
    laptop = office.laptop()
    person = laptop.person()
    office.take(laptop, laptop.batch([person]))
    receipt = office.take(laptop, laptop.batch([person]))
    assert receipt.verdicts[0].outcome is Outcome.DUPLICATE
    assert office.count("SELECT count(*) FROM enrollments") == 1


def test_fhircore_3022_one_bad_operation_gets_its_own_verdict(office: Office) -> None:
    laptop = office.laptop()
    bad = laptop.operation(OperationKind.ENROLLMENT_SUBMIT, person_body(name=""))
    receipt = office.take(laptop, laptop.batch([laptop.person(), bad, laptop.person()]))
    assert [verdict.outcome for verdict in receipt.verdicts] == [
        Outcome.ACCEPTED, Outcome.REJECTED, Outcome.ACCEPTED,
    ]  # fmt: skip
    assert receipt.verdicts[1].pointer == "/name"


def test_android_fhir_2426_a_link_that_overtakes_its_person_waits_and_is_not_lost(
    office: Office,
) -> None:
    laptop = office.laptop()
    person = laptop.person()
    early = laptop.batch([laptop.link(person.record)])
    late = laptop.batch([person])
    assert office.take(laptop, early).verdicts[0].outcome is Outcome.HELD
    office.take(laptop, late)
    assert office.count("SELECT count(*) FROM links") == 1
    assert office.take(laptop, early).verdicts[0].outcome is Outcome.ACCEPTED


def test_android_fhir_2031_a_record_that_was_made_and_withdrawn_leaves_both_on_record(
    office: Office,
) -> None:
    laptop = office.laptop()
    person = laptop.person()
    withdrawal = laptop.operation(
        OperationKind.ENROLLMENT_WITHDRAW, {}, record=person.record, base_version=1
    )
    office.take(laptop, laptop.batch([person, withdrawal]))
    assert office.count("SELECT count(*) FROM enrollment_versions") == 1
    assert office.count("SELECT count(*) FROM enrollments WHERE state = 'WITHDRAWN'") == 1
    assert office.count("SELECT count(*) FROM operations") == 2


def test_syncthing_10216_what_a_restored_laptop_still_believes_replaces_nothing(
    office: Office,
) -> None:
    laptop = office.laptop()
    person = laptop.person()

    def correction(base: int, **changes: object) -> object:
        body = person_body(**changes)
        return laptop.operation(
            OperationKind.ENROLLMENT_AMEND, body, record=person.record, base_version=base,
            payload=bytes(28),
        )  # fmt: skip

    office.take(laptop, laptop.batch([person, correction(1, name="Newer Name")]))  # type: ignore[list-item]
    stale = office.take(laptop, laptop.batch([correction(1, name="Old Name")]))  # type: ignore[list-item]
    assert stale.verdicts[0].outcome is Outcome.HELD
    newest = office.count(
        "SELECT count(*) FROM enrollment_versions v JOIN enrollments e USING (enrollment, version) "
        "WHERE v.body LIKE '%Newer Name%'"
    )
    assert newest == 1


def test_anki_android_3180_two_copies_of_one_laptop_both_keep_what_they_wrote(
    office: Office,
) -> None:
    laptop = office.laptop()
    twin = twin_of(laptop)
    mine, theirs = laptop.batch([laptop.person()]), twin.batch([twin.person()])
    office.take(laptop, mine)
    assert office.take(twin, theirs).verdicts[0].outcome is Outcome.ACCEPTED
    assert office.count("SELECT count(*) FROM enrollments") == 2
    for _ in range(2):
        assert office.take(twin, theirs).digest == theirs.digest
    assert office.count("SELECT count(*) FROM enrollments") == 2


def test_cht_core_2281_one_laptops_news_costs_what_it_holds_and_not_what_all_hold(
    office: Office,
) -> None:
    with office.store.read() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT * FROM feed WHERE device = ? AND seq > ? ORDER BY seq",
            ("00" * 8, 5),
        ).all()
    assert len(plan) == 1
    assert "SEARCH feed" in plan[0][3]
    assert "SCAN" not in plan[0][3]


def test_tamanu_a_page_is_never_so_small_that_it_stands_still(office: Office) -> None:
    laptop = office.laptop()
    with office.store.write() as connection:
        device = find_device(connection, laptop.id)
        assert device is not None
        for _ in range(3):
            feed.append(connection, laptop.id, feed.FeedKind.CORRECTION, {"x": "y" * 9}, at=1)
    page = laptop.open_page(office.contact.page(laptop.feed_request(0), 0))
    assert page.entries
    assert page.head == len(page.entries)


def test_opencrvs_2062_a_reply_that_is_lost_is_given_again_and_makes_no_second_record(
    office: Office,
) -> None:
    laptop = office.laptop()
    batch = laptop.batch([laptop.person(), laptop.person()])
    office.intake.take(batch.data, b"a" * 16)
    greeting = office.contact.greet(laptop.hello())
    receipt = laptop.open_receipt(greeting.signed[1])
    assert receipt.digest == batch.digest
    assert office.count("SELECT count(*) FROM enrollments") == 2


def test_tamanu_two_submissions_of_one_record_with_other_words_are_held_and_both_kept(
    office: Office,
) -> None:
    laptop, other = office.laptop(), office.laptop()
    record = record_id()
    office.take(laptop, laptop.batch([laptop.person(record)]))
    receipt = office.take(other, other.batch([other.person(record, name="Somebody Else")]))
    assert receipt.verdicts[0].outcome is Outcome.HELD
    assert office.count("SELECT count(*) FROM held_operations") == 1
