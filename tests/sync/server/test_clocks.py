from __future__ import annotations

import copy
import dataclasses
from typing import Any

from sqlalchemy import event

from server_laptops import NOW, Laptop, Office, record_id
from sync.protocol import Operation, OperationKind
from sync.sealing import sign_hello
from sync.sealing.messages import open_hello
from sync.server.exports import enrollment_rows

WRONG = -40 * 365 * 86_400
BOOT = "ab" * 8


def reading(laptop: Laptop, *, monotonic: int, wall: int, boot: str = BOOT) -> Operation:
    body = {"boot": boot, "monotonic": monotonic, "wall": wall}
    return laptop.operation(OperationKind.CLOCK_READING, body)


def person(laptop: Laptop, claimed: int) -> Operation:
    return dataclasses.replace(laptop.person(record_id()), captured=claimed)


def call(office: Office, laptop: Laptop, *, monotonic: int, is_live: bool = True) -> None:
    hello = open_hello(laptop.hello())
    changed = dataclasses.replace(hello, boot=bytes.fromhex(BOOT), monotonic=monotonic)
    office.contact.greet(sign_hello(changed, laptop.key), is_live=is_live)


def exported(office: Office) -> list[dict[str, Any]]:
    with office.store.read() as connection:
        return list(enrollment_rows(connection))


def test_an_export_says_when_a_person_was_truly_enrolled_and_how_sure_that_is(
    office: Office,
) -> None:
    laptop = office.laptop()
    office.now = NOW + 9000
    call(office, laptop, monotonic=9000)
    run = [
        reading(laptop, monotonic=100, wall=NOW + 100 + WRONG),
        person(laptop, NOW + 160 + WRONG),
        person(laptop, NOW + 3600 + WRONG),
    ]
    office.take(laptop, laptop.batch(run))
    rows = exported(office)
    for row, true in zip(rows, (NOW + 160, NOW + 3600), strict=True):
        assert abs(row["captured_at"] - true) <= row["captured_within"] <= 15


def test_the_earliest_answer_of_a_run_counts_and_a_sticks_hello_does_not(office: Office) -> None:
    laptop = office.laptop()
    for late, is_live in ((50, True), (2, True), (20, True), (-500, False)):
        office.now = NOW + 1000 + late
        call(office, laptop, monotonic=1000, is_live=is_live)
    assert office.count(f"SELECT began_at FROM boots WHERE boot = '{BOOT}'") == NOW + 2  # noqa: S608 - our own text


def test_without_a_contact_the_uncertainty_reaches_from_the_programme_to_the_arrival(
    office: Office,
) -> None:
    laptop = office.laptop()
    office.now = NOW + 5000
    office.take(laptop, laptop.batch([reading(laptop, monotonic=1, wall=5), person(laptop, 10)]))
    (row,) = exported(office)
    assert NOW <= row["captured_at"] <= NOW + 5000
    assert row["captured_within"] >= 2500


def test_a_new_life_goes_on_with_the_clock_of_the_life_before(office: Office) -> None:
    laptop = office.laptop()
    office.now = NOW + 9000
    call(office, laptop, monotonic=9000)
    office.take(laptop, laptop.batch([reading(laptop, monotonic=100, wall=WRONG + NOW + 100)]))
    laptop.incarnation, laptop.number, laptop.previous = "cd" * 8, 0, bytes(32)
    office.take(laptop, laptop.batch([person(laptop, WRONG + NOW + 700)]))
    (row,) = exported(office)
    assert abs(row["captured_at"] - (NOW + 700)) <= row["captured_within"] <= 15


def test_a_twins_clock_is_not_taken_for_ones_own(office: Office) -> None:
    laptop = office.laptop()
    twin = copy.copy(laptop)
    office.now = NOW + 9000
    call(office, laptop, monotonic=9000)
    office.take(laptop, laptop.batch([reading(laptop, monotonic=100, wall=WRONG + NOW + 100)]))
    twin.seq = 5
    office.take(twin, twin.batch([person(twin, NOW + 700)]))
    (row,) = exported(office)
    assert row["captured_within"] > 1000


def test_a_reading_of_another_shape_is_refused_and_a_wild_one_stops_nothing(
    office: Office,
) -> None:
    laptop = office.laptop()
    office.now = NOW + 10
    wild = [
        reading(laptop, monotonic=2**62, wall=-(2**62)),
        reading(laptop, monotonic=-1, wall=0),
        reading(laptop, monotonic=1, wall=2**63),
        person(laptop, NOW),
    ]
    receipt = office.take(laptop, laptop.batch(wild))
    assert [verdict.outcome for verdict in receipt.verdicts] == [
        "rejected",
        "rejected",
        "rejected",
        "accepted",
    ]
    (row,) = exported(office)
    assert NOW <= row["captured_at"] <= NOW + 10


def test_a_reading_in_numbers_that_are_not_whole_by_type_is_refused(office: Office) -> None:
    laptop = office.laptop()
    bodies = [
        {"boot": BOOT, "monotonic": value, "wall": NOW} for value in (1e300, 5.0, 2**40 + 1, True)
    ] + [{"boot": BOOT, "monotonic": 1, "wall": NOW, "offset": -(2**41) - 1}]
    run = [laptop.operation(OperationKind.CLOCK_READING, body) for body in bodies]
    receipt = office.take(laptop, laptop.batch(run))
    assert {verdict.outcome for verdict in receipt.verdicts} == {"rejected"}
    assert office.count("SELECT count(*) FROM clock_readings") == 0


def test_a_laptop_that_reads_its_clock_all_day_is_exported_in_a_few_queries(
    office: Office,
) -> None:
    laptop = office.laptop()
    office.now = NOW + 9000
    run = [reading(laptop, monotonic=each, wall=NOW + each) for each in range(300)]
    office.take(laptop, laptop.batch([*run, person(laptop, NOW + 400)]))
    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        heard.append(statement)

    event.listen(office.store._engine, "before_cursor_execute", hear)
    (row,) = exported(office)
    assert abs(row["captured_at"] - (NOW + 400)) <= row["captured_within"]
    assert len(heard) < 30
