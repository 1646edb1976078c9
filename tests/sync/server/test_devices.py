from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import delete, update

from server_laptops import Laptop, Office
from sync import sealing
from sync.errors import EnvelopeInvalid
from sync.protocol import DeviceState
from sync.sealing import SigningKey
from sync.server.approval import approve_code, revoke_device
from sync.server.contact import Contact
from sync.server.errors import (
    CodeAmbiguous,
    CodeInvalid,
    DeviceShutOut,
    DeviceUnknown,
    HttpFault,
)
from sync.server.programme import publish
from sync.server.store.tables import devices, programmes


def state(office: Office, laptop: Laptop) -> DeviceState:
    return laptop.open_reply(office.contact.greet(laptop.hello()).signed[0]).state


def test_a_laptop_waits_until_the_office_approves_its_code(office: Office) -> None:
    laptop = office.laptop(approved=False)
    assert state(office, laptop) is DeviceState.PENDING
    assert office.approve(laptop) == laptop.id
    assert state(office, laptop) is DeviceState.APPROVED


def test_a_code_approved_beforehand_admits_the_laptop_at_its_first_call(office: Office) -> None:
    laptop = Laptop(programme=office.programme())
    assert office.approve(laptop) is None
    assert state(office, laptop) is DeviceState.APPROVED
    listed = office.programme().device(laptop.id)
    assert listed is not None
    assert listed.state is DeviceState.APPROVED


@pytest.mark.parametrize(
    "respell",
    [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code[:9]}{code[9:]} "],
)
def test_a_code_may_be_typed_in_any_spelling(office: Office, respell: object) -> None:
    laptop = office.laptop(approved=False)
    with office.store.write() as connection:
        typed = respell(laptop.approval_code)  # type: ignore[operator]
        assert approve_code(connection, office.keys, typed, now=1) == laptop.id


def test_a_mistyped_code_approves_nobody(office: Office) -> None:
    laptop = office.laptop(approved=False)
    wrong = ("0" if laptop.approval_code[0] != "0" else "1") + laptop.approval_code[1:]
    with office.store.write() as connection, pytest.raises(CodeInvalid):
        approve_code(connection, office.keys, wrong, now=1)
    assert state(office, laptop) is DeviceState.PENDING


def test_a_code_that_two_laptops_have_is_refused(office: Office) -> None:
    one, two = office.laptop(approved=False), office.laptop(approved=False)
    with office.store.write() as connection:
        connection.execute(update(devices).values(approval_code=one.approval_code))
    with pytest.raises(CodeAmbiguous):
        office.approve(one)
    assert state(office, two) is DeviceState.PENDING


def test_one_approval_beforehand_serves_one_laptop(office: Office) -> None:
    one = office.laptop()
    assert office.count("SELECT count(*) FROM approvals WHERE used_by IS NOT NULL") == 1
    assert office.approve(one) == one.id
    assert office.count("SELECT count(*) FROM programmes") == 2


def test_an_approval_lists_the_laptop_in_the_next_programme(office: Office) -> None:
    before = office.programme().serial
    laptop = office.laptop()
    programme = office.programme()
    assert programme.serial > before
    assert [device.key for device in programme.devices] == [laptop.key.public]


def test_a_revoked_laptop_is_told_so_and_stays_so(office: Office) -> None:
    laptop = office.laptop()
    with office.store.write() as connection:
        revoke_device(connection, office.keys, laptop.id, now=2)
        revoke_device(connection, office.keys, laptop.id, now=3)
    assert state(office, laptop) is DeviceState.REVOKED
    assert office.count("SELECT count(*) FROM programmes") == 3
    with pytest.raises(DeviceShutOut):
        office.approve(laptop)


def test_revoking_a_laptop_that_nobody_knows_is_an_error(office: Office) -> None:
    with office.store.write() as connection, pytest.raises(DeviceUnknown):
        revoke_device(connection, office.keys, "0" * 16, now=2)


def test_a_hello_gives_the_receipts_that_the_laptop_misses(office: Office) -> None:
    laptop = office.laptop()
    batches = [laptop.batch([laptop.person()]) for _ in range(3)]
    for batch in batches:
        office.take(laptop, batch)
    greeting = office.contact.greet(laptop.hello(receipted_upto=1))
    receipts = [laptop.open_receipt(raw) for raw in greeting.signed[1:]]
    assert [receipt.digest for receipt in receipts] == [batch.digest for batch in batches[1:]]


def test_a_revoked_laptop_still_gets_the_receipts_it_misses(office: Office) -> None:
    laptop = office.laptop()
    before = laptop.batch([laptop.person()])
    office.take(laptop, before)
    with office.store.write() as connection:
        revoke_device(connection, office.keys, laptop.id, now=2)
    after = laptop.batch([laptop.person()])
    office.take(laptop, after)
    greeting = office.contact.greet(laptop.hello())
    assert greeting.reply.state is DeviceState.REVOKED
    receipts = [laptop.open_receipt(raw) for raw in greeting.signed[1:]]
    assert [receipt.digest for receipt in receipts] == [before.digest, after.digest]
    assert receipts[1].verdicts[0].code == "device:revoked"


def test_a_hello_looks_up_no_more_verdicts_than_a_laptop_can_need(office: Office) -> None:
    laptop = office.laptop()
    for _ in range(4):
        run = [laptop.operation("new.kind", {}) for _ in range(10)]
        office.take(laptop, laptop.batch(run))
    contact = Contact(
        store=office.store,
        keys=office.keys,
        epoch="0" * 16,
        clock=lambda: 1,
        pending_max=1,
        verdicts_max=35,
    )
    assert len(contact.greet(laptop.hello()).signed) == 1 + 3


def test_an_unknown_laptop_that_shows_no_keys_is_not_stored(office: Office) -> None:
    laptop = Laptop(programme=office.programme())
    with pytest.raises((EnvelopeInvalid, HttpFault)):
        office.contact.greet(laptop.hello(with_keys=False))
    assert office.count("SELECT count(*) FROM devices") == 0


def test_a_hello_under_another_laptops_id_is_refused(office: Office) -> None:
    laptop = office.laptop()
    hello = sealing.open_hello(laptop.hello())
    thief = SigningKey.generate()
    forged = sealing.sign_hello(dataclasses.replace(hello, public_key=thief.public.raw), thief)
    with pytest.raises(EnvelopeInvalid):
        office.contact.greet(forged)


def test_a_restored_server_issues_higher_serials_than_those_it_forgot(office: Office) -> None:
    laptop = office.laptop()
    with office.store.write() as connection:
        forgotten = publish(connection, office.keys, now=1_795_300_000).serial
        connection.execute(delete(programmes).where(programmes.c.serial == forgotten))
        later = publish(connection, office.keys, now=1_795_300_001).serial
        at_once = publish(connection, office.keys, now=1_795_300_001).serial
    assert laptop.id
    assert forgotten < later < at_once
