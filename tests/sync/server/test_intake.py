from __future__ import annotations

import dataclasses
import hashlib
import os
import threading

import pytest
from sqlalchemy import Connection

from server_laptops import Laptop, Office, link_body, person_body, record_id
from sync import wire
from sync.dictionaries import compress
from sync.errors import EnvelopeInvalid, ProtocolMismatch, TooLarge
from sync.protocol import LIMITS, Operation, OperationKind, Outcome, Receipt, SealedBatch
from sync.sealing import OpeningKey, SigningKey, seal_batch, sign
from sync.sealing.signed import context_of
from sync.server import intake, people
from sync.server.approval import revoke_device
from sync.server.arrival import Arrival, Decision
from sync.server.errors import HttpFault
from sync.server.held import WAITING_MAX


def outcomes(receipt: Receipt) -> list[tuple[str, str]]:
    return [(verdict.outcome.value, verdict.code) for verdict in receipt.verdicts]


def test_a_person_is_taken_once_and_signed_for(office: Office) -> None:
    laptop = office.laptop()
    receipt = office.take(laptop, laptop.batch([laptop.person(), laptop.person()]))
    assert outcomes(receipt) == [("accepted", "")] * 2
    assert office.count("SELECT count(*) FROM enrollments") == 2
    assert office.count("SELECT count(*) FROM sealed_ids") == 2


def test_the_same_batch_again_gets_the_same_verdicts(office: Office) -> None:
    laptop = office.laptop()
    bad = laptop.operation(OperationKind.LINK_ADD, link_body(record_id(), facility="nowhere"))
    batch = laptop.batch([laptop.person(), bad, laptop.link(record_id())])
    first = office.take(laptop, batch)
    assert [outcome for outcome, _ in outcomes(first)] == ["accepted", "rejected", "held"]
    for _ in range(3):
        assert office.take(laptop, batch).verdicts == first.verdicts
    assert office.count("SELECT count(*) FROM operations") == 3


def test_the_receipt_echoes_the_nonce_of_its_own_request(office: Office) -> None:
    laptop = office.laptop()
    batch = laptop.batch([laptop.person()])
    for nonce in (b"a" * 16, b"b" * 16):
        assert laptop.open_receipt(office.intake.take(batch.data, nonce).signed).nonce == nonce


def test_batches_may_come_in_any_order(office: Office) -> None:
    laptop = office.laptop()
    batches = [laptop.batch([laptop.person()]) for _ in range(4)]
    for place in (2, 0, 3):
        office.take(laptop, batches[place])
    reply = office.contact.greet(laptop.hello()).reply
    assert (reply.held_upto, reply.held_digest) == (1, batches[0].digest)
    office.take(laptop, batches[1])
    reply = office.contact.greet(laptop.hello()).reply
    assert (reply.held_upto, reply.held_digest) == (4, batches[3].digest)
    assert office.count("SELECT count(*) FROM enrollments") == 4


def test_two_identical_pushes_at_once_make_one_row(office: Office) -> None:
    laptop = office.laptop()
    batch = laptop.batch([laptop.person() for _ in range(5)])
    receipts: list[Receipt] = []
    start = threading.Barrier(4)

    def push() -> None:
        start.wait()
        receipts.append(office.take(laptop, batch))

    threads = [threading.Thread(target=push) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcomes(receipt) for receipt in receipts] == [[("accepted", "")] * 5] * 4
    assert office.count("SELECT count(*) FROM enrollments") == 5
    assert office.count("SELECT count(*) FROM batches") == 1


def test_an_operation_seen_in_another_batch_is_a_duplicate(office: Office) -> None:
    laptop = office.laptop()
    person, other = laptop.person(), laptop.person()
    office.take(laptop, laptop.batch([person]))
    receipt = office.take(laptop, laptop.batch([person, other], first_seq=1))
    assert outcomes(receipt) == [("duplicate", ""), ("accepted", "")]
    assert office.count("SELECT count(*) FROM enrollments") == 2


def test_an_operation_number_with_other_content_is_judged_by_its_content(office: Office) -> None:
    laptop = office.laptop()
    person = laptop.person()
    office.take(laptop, laptop.batch([person]))
    changed = dataclasses.replace(person, body=person_body(gender="O"))
    batch = laptop.batch([changed], first_seq=1)
    assert outcomes(office.take(laptop, batch)) == [("held", "enrollment:differs")]
    assert outcomes(office.take(laptop, batch)) == [("held", "enrollment:differs")]
    assert office.count("SELECT count(*) FROM held_operations") == 1


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"name": None}, "schema:required", "/name"),
        ({"name": "x" * 101}, "schema:max-length", "/name"),
        ({"mobile": "123"}, "schema:format:mobile", "/mobile"),
        ({"surprise": 1}, "schema:unknown-key", "/surprise"),
        ({"birth": {"year": 10**15}}, "schema:maximum", "/birth/year"),
    ],
)
def test_a_fault_of_shape_is_refused_at_its_pointer_and_the_rest_goes_on(
    office: Office, changes: dict[str, object], code: str, pointer: str
) -> None:
    laptop = office.laptop()
    run = [laptop.person(), laptop.person(**changes), laptop.person()]
    receipt = office.take(laptop, laptop.batch(run))
    assert [verdict.outcome for verdict in receipt.verdicts] == [
        Outcome.ACCEPTED,
        Outcome.REJECTED,
        Outcome.ACCEPTED,
    ]
    assert (receipt.verdicts[1].code, receipt.verdicts[1].pointer) == (code, pointer)


@pytest.mark.parametrize(
    ("last4", "payload", "code"),
    [
        ("4321", None, "aadhaar:missing"),
        (None, bytes(28), "aadhaar:unannounced"),
        ("4321", b"999999990019", "aadhaar:length"),
    ],
)
def test_a_body_that_lies_about_the_aadhaar_number_is_refused(
    office: Office, last4: str | None, payload: bytes | None, code: str
) -> None:
    laptop = office.laptop()
    body = person_body(aadhaar_last4=last4, capture_session=last4 and "0" * 16)
    lying = laptop.operation(OperationKind.ENROLLMENT_SUBMIT, body, payload=payload)
    receipt = office.take(laptop, laptop.batch([lying]))
    assert outcomes(receipt) == [("rejected", code)]
    assert office.count("SELECT count(*) FROM enrollments") == 0


def test_a_kind_from_a_newer_laptop_is_held_whole(office: Office) -> None:
    laptop = office.laptop()
    newer = laptop.operation("enrollment.celebrate" * 10, {"cake": 1})
    receipt = office.take(laptop, laptop.batch([newer, laptop.person()]))
    assert outcomes(receipt) == [("held", "kind:unknown"), ("accepted", "")]
    assert office.count("SELECT count(*) FROM held_operations") == 1


def test_no_text_that_postgresql_cannot_keep_leaves_the_savepoint(office: Office) -> None:
    laptop = office.laptop()
    run = [
        laptop.operation("new\0kind", {}),
        laptop.person(**{"sur\0prise": 1}),
        laptop.person(name="Ze\0bra"),
    ]
    receipt = office.take(laptop, laptop.batch(run))
    assert [outcome for outcome, _ in outcomes(receipt)] == ["held", "rejected", "accepted"]
    with office.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT kind, code, pointer FROM operations").all()
        rows += connection.exec_driver_sql("SELECT body, '', '' FROM enrollment_versions").all()
    assert rows[0].kind == "newkind"
    assert not any("\0" in text for row in rows for text in row)


@pytest.mark.parametrize("huge", ["number", "first_seq"])
def test_a_number_that_no_table_can_hold_is_the_senders_fault(office: Office, huge: str) -> None:
    laptop = office.laptop()
    setattr(laptop, {"number": "number", "first_seq": "seq"}[huge], 2**63 - 3)
    with pytest.raises(EnvelopeInvalid):
        office.intake.take(laptop.batch([laptop.person()]).data, bytes(16))


def test_a_version_that_no_table_can_hold_is_refused(office: Office) -> None:
    laptop = office.laptop()
    run = [
        laptop.operation(OperationKind.ENROLLMENT_AMEND, person_body(), base_version=2**63 - 1),
        laptop.operation(OperationKind.ENROLLMENT_WITHDRAW, {}, base_version=2**63 - 1),
    ]
    assert outcomes(office.take(laptop, laptop.batch(run))) == [
        ("rejected", "version:impossible"),
        ("held", "enrollment:unknown"),
    ]


def test_one_id_with_the_same_content_is_a_duplicate_and_with_other_content_held(
    office: Office,
) -> None:
    one, two = office.laptop(), office.laptop()
    record = record_id()
    office.take(one, one.batch([one.person(record)]))
    receipt = office.take(two, two.batch([two.person(record), two.person(record, gender="O")]))
    assert outcomes(receipt) == [("duplicate", ""), ("held", "enrollment:differs")]
    assert office.count("SELECT count(*) FROM enrollment_versions") == 1


def test_a_correction_counts_once_and_only_on_a_version_that_is_here(office: Office) -> None:
    laptop = office.laptop()
    record = record_id()

    def amend(base: int, gender: str) -> object:
        body = person_body(gender=gender)
        receipt = office.take(
            laptop,
            laptop.batch(
                [
                    laptop.operation(
                        OperationKind.ENROLLMENT_AMEND, body, record=record, base_version=base
                    )
                ]
            ),
        )
        return outcomes(receipt)[0]

    office.take(laptop, laptop.batch([laptop.person(record)]))
    assert amend(1, "O") == ("accepted", "")
    assert amend(1, "O") == ("duplicate", "")
    assert amend(1, "M") == ("held", "conflict")
    assert amend(9, "M") == ("held", "version:ahead")
    assert amend(0, "M") == ("rejected", "version:impossible")


def test_a_correction_cannot_bring_in_a_number_that_was_never_sealed(office: Office) -> None:
    laptop = office.laptop()
    record = record_id()
    plain = laptop.person(record, aadhaar_last4=None, capture_session=None)
    lying = laptop.operation(
        OperationKind.ENROLLMENT_AMEND, person_body(), record=record, base_version=1
    )
    receipt = office.take(laptop, laptop.batch([plain, lying]))
    assert outcomes(receipt) == [("accepted", ""), ("rejected", "aadhaar:missing")]


def test_what_overtook_its_person_is_taken_when_the_person_arrives(office: Office) -> None:
    laptop = office.laptop()
    record = record_id()
    first = laptop.batch([laptop.person(record)])
    amend = laptop.operation(
        OperationKind.ENROLLMENT_AMEND, person_body(gender="O"), record=record, base_version=1
    )
    link = laptop.link(record)
    remove = laptop.operation(OperationKind.LINK_REMOVE, {"enrollment": record}, record=link.record)
    second = laptop.batch([remove, link, amend])
    assert [code for _, code in outcomes(office.take(laptop, second))] == [
        "link:unknown",
        "enrollment:unknown",
        "version:ahead",
    ]
    office.take(laptop, first)
    assert outcomes(office.take(laptop, second)) == [("accepted", "")] * 3
    assert office.count("SELECT version FROM enrollments") == 2
    assert office.count("SELECT count(*) FROM links WHERE state = 'REMOVED'") == 1
    assert office.count("SELECT count(*) FROM held_operations") == 0


def test_few_wait_for_one_record_and_nothing_is_tried_that_cannot_be_decided(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = office.laptop()
    record = record_id()

    def amend(base: int) -> Operation:
        body = person_body(gender="O")
        return laptop.operation(
            OperationKind.ENROLLMENT_AMEND, body, record=record, base_version=base
        )

    ahead = laptop.batch([amend(1_000_000) for _ in range(WAITING_MAX + 5)])
    assert set(outcomes(office.take(laptop, ahead))) == {("held", "version:ahead")}
    waiting = "SELECT count(*) FROM held_operations WHERE waits_for IS NOT NULL"
    assert office.count(waiting) == WAITING_MAX
    assert office.count("SELECT count(*) FROM held_operations") == WAITING_MAX + 5
    tried: list[int] = []
    apply = people.amend

    def counted(connection: Connection, arrival: Arrival) -> Decision:
        tried.append(arrival.operation.base_version)
        return apply(connection, arrival)

    table = {**intake._APPLY, OperationKind.ENROLLMENT_AMEND: counted}
    monkeypatch.setattr(intake, "_APPLY", table)
    run = laptop.batch([laptop.person(record), *[amend(base) for base in range(1, 11)]])
    assert set(outcomes(office.take(laptop, run))) == {("accepted", "")}
    assert tried == list(range(1, 11))
    assert office.count(waiting) == WAITING_MAX


def test_a_batch_full_of_refusals_gets_a_receipt_that_can_be_read(office: Office) -> None:
    laptop = office.laptop()
    body = {"!" + "\U0001f600" * 100: 1}
    run = [laptop.operation(OperationKind.ENROLLMENT_SUBMIT, body) for _ in range(1000)]
    taken = office.intake.take(laptop.batch(run).data, bytes(16))
    assert len(taken.signed) <= LIMITS.receipt_bytes_max
    assert {verdict.outcome for verdict in taken.receipt.verdicts} == {Outcome.REJECTED}


def test_a_withdrawal_beats_a_later_correction(office: Office) -> None:
    laptop = office.laptop()
    record = record_id()
    run = [
        laptop.person(record),
        laptop.operation(OperationKind.ENROLLMENT_WITHDRAW, {}, record=record),
        laptop.operation(OperationKind.ENROLLMENT_WITHDRAW, {}, record=record),
        laptop.operation(
            OperationKind.ENROLLMENT_AMEND, person_body(gender="O"), record=record, base_version=1
        ),
    ]
    assert outcomes(office.take(laptop, laptop.batch(run))) == [
        ("accepted", ""),
        ("accepted", ""),
        ("duplicate", ""),
        ("held", "enrollment:withdrawn"),
    ]
    assert office.count("SELECT count(*) FROM enrollments WHERE state = 'WITHDRAWN'") == 1


def test_one_reference_at_one_facility_is_one_link(office: Office) -> None:
    laptop = office.laptop()
    record = record_id()
    run = [
        laptop.person(record),
        laptop.link(record),
        laptop.link(record),
        laptop.link(record, display="Another visit"),
        laptop.link(record, reference="OPD-2"),
    ]
    assert outcomes(office.take(laptop, laptop.batch(run))) == [
        ("accepted", ""),
        ("accepted", ""),
        ("duplicate", ""),
        ("held", "link:differs"),
        ("accepted", ""),
    ]
    assert office.count("SELECT count(*) FROM links WHERE state = 'ACCEPTED'") == 2


def test_a_removed_link_leaves_its_reference_free(office: Office) -> None:
    laptop = office.laptop()
    record = record_id()
    link = laptop.link(record)
    remove = laptop.operation(OperationKind.LINK_REMOVE, {"enrollment": record}, record=link.record)
    run = [laptop.person(record), link, remove, laptop.link(record)]
    assert outcomes(office.take(laptop, laptop.batch(run))) == [("accepted", "")] * 4


def test_taking_a_link_away_leaves_the_one_that_another_laptop_added(office: Office) -> None:
    one, other = office.laptop(), office.laptop()
    record = record_id()
    first, second = one.link(record), other.link(record)
    office.take(one, one.batch([one.person(record), first]))
    assert outcomes(office.take(other, other.batch([second]))) == [("duplicate", "")]
    gone = one.operation(OperationKind.LINK_REMOVE, {"enrollment": record}, record=first.record)
    assert outcomes(office.take(one, one.batch([gone]))) == [("accepted", "")]
    assert office.count("SELECT count(*) FROM links WHERE state = 'ACCEPTED'") == 1
    gone = other.operation(OperationKind.LINK_REMOVE, {"enrollment": record}, record=second.record)
    assert outcomes(office.take(other, other.batch([gone]))) == [("accepted", "")]
    assert office.count("SELECT count(*) FROM links WHERE state = 'REMOVED'") == 2
    assert outcomes(office.take(one, one.batch([first]))) == [("duplicate", "")]


def test_a_link_that_stood_against_another_is_taken_when_that_is_taken_away(
    office: Office,
) -> None:
    one, other = office.laptop(), office.laptop()
    record = record_id()
    first = one.link(record)
    office.take(one, one.batch([one.person(record), first]))
    differing = other.batch([other.link(record, display="Another visit")])
    assert outcomes(office.take(other, differing)) == [("held", "link:differs")]
    gone = one.operation(OperationKind.LINK_REMOVE, {"enrollment": record}, record=first.record)
    office.take(one, one.batch([gone]))
    assert outcomes(office.take(other, differing)) == [("accepted", "")]


def test_a_blob_is_complete_when_all_chunks_fit_its_digest(office: Office) -> None:
    laptop = office.laptop()
    data = os.urandom(3000)
    run = chunks(laptop, data, data)
    receipt = office.take(laptop, laptop.batch([run[2], run[0], run[1]]))
    assert outcomes(receipt) == [("accepted", "")] * 3
    assert office.count("SELECT count(*) FROM blobs WHERE completed_at IS NOT NULL") == 1


def test_a_blob_that_does_not_fit_its_digest_is_refused_and_may_come_again(
    office: Office,
) -> None:
    laptop = office.laptop()
    data = os.urandom(3000)
    receipt = office.take(laptop, laptop.batch(chunks(laptop, data, data[:-1] + b"!")))
    assert outcomes(receipt)[-1] == ("rejected", "blob:digest")
    receipt = office.take(laptop, laptop.batch(chunks(laptop, data, data)))
    assert outcomes(receipt) == [("accepted", "")] * 3


def chunks(laptop: Laptop, data: bytes, sent: bytes) -> list[Operation]:
    digest = hashlib.sha256(data).hexdigest()
    return [
        laptop.operation(
            OperationKind.BLOB_CHUNK,
            {"media_type": "image/jpeg", "index": index, "count": 3, "sha256": digest},
            record=digest[:32],
            payload=sent[index * 1000 : (index + 1) * 1000],
        )
        for index in range(3)
    ]


def test_what_a_revoked_laptop_sends_is_kept_in_quarantine(office: Office) -> None:
    laptop = office.laptop()
    office.take(laptop, laptop.batch([laptop.person()]))
    with office.store.write() as connection:
        revoke_device(connection, office.keys, laptop.id, now=office.now)
    receipt = office.take(laptop, laptop.batch([laptop.person()]))
    assert outcomes(receipt) == [("held", "device:revoked")]
    assert office.count("SELECT count(*) FROM enrollments") == 1
    assert office.count("SELECT count(*) FROM held_operations WHERE payload IS NOT NULL") == 1


@pytest.mark.parametrize("approved", [True, False])
def test_an_unknown_or_pending_laptop_leaves_nothing_here(office: Office, approved: bool) -> None:  # noqa: FBT001 - a parameter of the test
    laptop = office.laptop(approved=False)
    if approved:
        laptop.key = SigningKey.generate()
    with pytest.raises(HttpFault) as caught:
        office.take(laptop, laptop.batch([laptop.person()]))
    assert caught.value.code == ("device-unknown" if approved else "device-pending")
    assert office.count("SELECT count(*) FROM batches") == 0


def test_a_forged_signature_opens_nothing(office: Office) -> None:
    laptop = office.laptop()
    batch = laptop.batch([laptop.person()])
    with pytest.raises(EnvelopeInvalid):
        office.intake.take(batch.data[:-64] + os.urandom(64), bytes(16))
    assert office.count("SELECT count(*) FROM batches") == 0


def test_every_flipped_byte_is_noticed(office: Office) -> None:
    laptop = office.laptop()
    data = laptop.batch([laptop.person()]).data
    for place in range(0, len(data), 13):
        broken = bytearray(data)
        broken[place] ^= 0xFF
        with pytest.raises((EnvelopeInvalid, TooLarge, ProtocolMismatch, HttpFault)):
            office.intake.take(bytes(broken), bytes(16))
    assert office.count("SELECT count(*) FROM batches") == 0


def test_a_compression_bomb_is_not_unpacked(office: Office) -> None:
    laptop = office.laptop()
    laptop.number = 1
    person = laptop.person()
    meaning = ["batch", *wire.encode_header(laptop.header([person]))]
    bomb = compress(bytes(64 * 1024 * 1024))
    sealed = laptop.programme.ingest.seal(bomb, context_of(meaning, laptop.key.public.kid))
    data = sign(sealed, meaning, laptop.key)
    assert len(data) < LIMITS.blob_batch_bytes_max
    with pytest.raises(TooLarge):
        office.intake.take(data, bytes(16))


def test_a_body_that_holds_itself_is_the_senders_fault(office: Office) -> None:
    laptop = office.laptop()
    laptop.number = 1
    meaning = ["batch", *wire.encode_header(laptop.header([laptop.person()]))]
    itself = bytes.fromhex("d81c81d81d00")  # tags 28 and 29: a list whose item is the list
    row = b"\x86\x01\x50" + bytes(16) + b"\x00\x01\x18\x20\xa1\x61a" + itself
    info = context_of(meaning, laptop.key.public.kid)
    sealed = laptop.programme.ingest.seal(compress(b"\x81" + row), info)
    with pytest.raises(EnvelopeInvalid):
        office.intake.take(sign(sealed, meaning, laptop.key), bytes(16))


def test_a_batch_for_another_programme_does_not_open(office: Office) -> None:
    laptop = office.laptop()
    laptop.number = 1
    run = [laptop.person()]
    foreign = OpeningKey.generate().public
    batch: SealedBatch = seal_batch(laptop.header(run, key_id=foreign.id), run, laptop.key, foreign)
    with pytest.raises(EnvelopeInvalid):
        office.intake.take(batch.data, bytes(16))


def test_the_sealed_number_lies_apart_from_every_readable_body(office: Office) -> None:
    laptop = office.laptop()
    office.take(laptop, laptop.batch([laptop.person()]))
    with office.store.read() as connection:
        sealed = connection.exec_driver_sql("SELECT sealed FROM sealed_ids").scalar_one()
        body = connection.exec_driver_sql("SELECT body FROM enrollment_versions").scalar_one()
    assert sealed == bytes(28)
    assert bytes(28).hex() not in body


def test_an_audit_head_is_stored(office: Office) -> None:
    laptop = office.laptop()
    head = laptop.operation(OperationKind.AUDIT_HEAD, {"head": "ab" * 32})
    assert outcomes(office.take(laptop, laptop.batch([head]))) == [("accepted", "")]
    assert office.count("SELECT count(*) FROM audit_heads") == 1
