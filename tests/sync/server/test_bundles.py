from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import httpx
import pytest
from sqlalchemy import Connection

from server_laptops import NOW, Laptop, Office, record_id, sequence_items
from server_sticks import bundle_of, courier_body, opened_digests, stick_hello
from sync import wire
from sync.bundle import Bundle, decode_bundle
from sync.errors import EnvelopeInvalid
from sync.protocol import DeviceState, FeedKind
from sync.sealing import open_server_time, read_unverified
from sync.server import feed
from sync.server.approval import revoke_device
from sync.server.errors import HttpFault
from sync.server.push import Push


def post(office: Office, path: str, content: bytes | Iterable[bytes]) -> httpx.Response:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in [content] if isinstance(content, bytes) else content:
            yield piece

    async def call() -> httpx.Response:
        async with office.client() as client:
            return await client.post(path, content=pieces())

    return asyncio.run(call())


def named(items: list[bytes]) -> list[str]:
    return [read_unverified(item)[1][0] for item in items]


def fault(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, wire.decode(response.content)["code"]


def people(office: Office) -> int:
    return office.count("SELECT count(*) FROM enrollments")


def test_a_bundle_is_answered_with_reply_receipts_and_news(office: Office) -> None:
    laptop = office.laptop()
    batches = [laptop.batch([laptop.person()]) for _ in range(3)]
    bundle = decode_bundle(bundle_of(laptop, batches, b"n" * 16))
    answer = office.services.receiver.receive(bundle)
    assert opened_digests(laptop, answer) == [batch.digest for batch in batches]
    nonces = {laptop.open_receipt(receipt).nonce for receipt in answer.receipts}
    assert nonces == {laptop.open_reply(answer.reply).nonce} == {b"n" * 16}
    (page,) = [laptop.open_page(raw) for raw in answer.pages]
    assert (page.after, page.nonce) == (0, b"n" * 16)
    assert "programme.updated" in {entry.kind for entry in page.entries}
    assert people(office) == 3


def test_a_bundle_again_gives_the_same_receipts_once_each_and_stores_nothing_twice(
    office: Office,
) -> None:
    laptop = office.laptop()
    batches = [laptop.batch([laptop.person()]) for _ in range(3)]
    bundle = decode_bundle(bundle_of(laptop, batches))
    told = [opened_digests(laptop, office.services.receiver.receive(bundle)) for _ in range(3)]
    assert told == [[batch.digest for batch in batches]] * 3
    assert people(office) == 3


def test_bundles_may_come_in_any_order(office: Office) -> None:
    laptop = office.laptop()
    first, second = laptop.batch([laptop.person()]), laptop.batch([laptop.person()])
    files = [bundle_of(laptop, [second]), bundle_of(laptop, [first])]
    for data in files:
        office.services.receiver.receive(decode_bundle(data))
    reply = laptop.open_reply(office.contact.greet(laptop.hello()).signed[0])
    assert reply.held_upto == 2
    assert people(office) == 2


def test_a_damaged_batch_has_no_receipt_and_the_rest_goes_on(office: Office) -> None:
    laptop = office.laptop()
    batches = [laptop.batch([laptop.person()]) for _ in range(3)]
    broken = batches[1].data[:-1] + bytes([batches[1].data[-1] ^ 1])
    hello = stick_hello(laptop)
    answer = office.services.receiver.receive(
        Bundle(hello=hello, batches=(batches[0].data, broken, b"noise", batches[2].data))
    )
    assert opened_digests(laptop, answer) == [batches[0].digest, batches[2].digest]
    assert people(office) == 2


def test_a_batch_of_another_laptop_is_not_taken_under_this_ones_hello(office: Office) -> None:
    laptop, other = office.laptop(), office.laptop()
    mine, foreign = laptop.batch([laptop.person()]), other.batch([other.person()])
    answer = office.services.receiver.receive(
        Bundle(hello=stick_hello(laptop), batches=(mine.data, foreign.data))
    )
    assert opened_digests(laptop, answer) == [mine.digest]
    assert people(office) == 1


def test_a_laptop_that_nobody_met_is_introduced_by_its_bundle_and_nothing_is_stored(
    office: Office,
) -> None:
    laptop = Laptop(programme=office.programme())
    bundle = decode_bundle(bundle_of(laptop, [laptop.batch([laptop.person()])]))
    answer = office.services.receiver.receive(bundle)
    assert laptop.open_reply(answer.reply).state is DeviceState.PENDING
    assert (answer.receipts, answer.pages) == ((), ())
    assert people(office) == 0
    office.approve(laptop)
    assert len(office.services.receiver.receive(bundle).receipts) == 1
    assert people(office) == 1


def test_a_laptop_that_nobody_met_and_that_does_not_introduce_itself_is_unknown(
    office: Office,
) -> None:
    laptop = Laptop(programme=office.programme())
    with pytest.raises(HttpFault, match="device-unknown"):
        office.services.receiver.receive(
            Bundle(hello=stick_hello(laptop, with_keys=False), batches=())
        )


def test_a_laptop_that_is_shut_out_gets_receipts_and_learns_nothing(office: Office) -> None:
    laptop = office.laptop()
    with office.store.write() as connection:
        revoke_device(connection, office.keys, laptop.id, now=NOW)
    bundle = decode_bundle(bundle_of(laptop, [laptop.batch([laptop.person()])]))
    answer = office.services.receiver.receive(bundle)
    (receipt,) = [laptop.open_receipt(raw) for raw in answer.receipts]
    assert [verdict.code for verdict in receipt.verdicts] == ["device:revoked"]
    assert answer.pages == ()
    assert people(office) == 0


def test_a_hello_with_one_bit_changed_is_no_hello(office: Office) -> None:
    laptop = office.laptop()
    hello = stick_hello(laptop)
    with pytest.raises(EnvelopeInvalid):
        office.services.receiver.receive(
            Bundle(hello=hello[:-1] + bytes([hello[-1] ^ 1]), batches=())
        )


def test_news_that_fills_several_pages_comes_home_on_one_stick(office: Office) -> None:
    laptop = office.laptop()
    lost = [laptop.link(record_id()) for _ in range(450)]
    office.take(laptop, laptop.batch(lost))
    with office.store.write() as connection:
        for place in range(450):
            _add_news(office, laptop, place, connection)
    answer = office.services.receiver.receive(decode_bundle(bundle_of(laptop, [])))
    pages = [laptop.open_page(raw) for raw in answer.pages]
    numbers = [entry.seq for page in pages for entry in page.entries]
    assert len(pages) > 2
    assert numbers == list(range(1, pages[-1].head + 1))
    assert [page.after for page in pages[1:]] == [page.entries[-1].seq for page in pages[:-1]]


def _add_news(office: Office, laptop: Laptop, place: int, connection: Connection) -> None:
    body = {"link": f"{place:032x}"}
    feed.append(connection, laptop.id, FeedKind.LINK_LINKED, body, at=office.now)


def test_no_news_costs_no_page(office: Office) -> None:
    laptop = office.laptop()
    head = laptop.open_reply(office.contact.greet(laptop.hello()).signed[0]).feed_head
    bundle = Bundle(hello=stick_hello(laptop, cursor=head), batches=())
    assert office.services.receiver.receive(bundle).pages == ()


def test_a_courier_gets_reply_receipts_and_pages_in_that_order(office: Office) -> None:
    laptop = office.laptop()
    batches = [laptop.batch([laptop.person()]) for _ in range(2)]
    response = post(office, "/v1/bundles", courier_body(laptop, batches))
    assert response.headers["content-type"] == "application/cbor-seq"
    items = sequence_items(response.content)
    assert named(items) == ["hello-reply", "receipt", "receipt", "feed-page"]
    receipts = [laptop.open_receipt(item) for item in items[1:3]]
    assert [receipt.digest for receipt in receipts] == [batch.digest for batch in batches]


def test_what_a_courier_brings_again_has_one_receipt_each(office: Office) -> None:
    laptop = office.laptop()
    body = courier_body(laptop, [laptop.batch([laptop.person()]) for _ in range(2)])
    told = [named(sequence_items(post(office, "/v1/bundles", body).content)) for _ in range(2)]
    assert told[0] == told[1]
    assert people(office) == 2


def test_a_couriers_request_cut_anywhere_keeps_what_was_whole(office: Office) -> None:
    laptop = office.laptop()
    batches = [laptop.batch([laptop.person()]) for _ in range(3)]
    body = courier_body(laptop, batches)
    ends = [body.index(batch.data) + len(batch.data) for batch in batches]
    hello_end = body.index(batches[0].data) - 3
    for cut in [*range(0, len(body), 211), *ends]:
        response = post(office, "/v1/bundles", body[:cut])
        if cut < hello_end:
            assert fault(response) == (400, "bad-request")
            continue
        digests = {
            laptop.open_receipt(item).digest
            for item in sequence_items(response.content)
            if named([item]) == ["receipt"]
        }
        whole = {batch.digest for batch, end in zip(batches, ends, strict=True) if end <= cut}
        assert digests >= whole
    assert people(office) == 3


def test_a_courier_of_a_pending_laptop_gets_the_reply_and_the_server_stores_nothing(
    office: Office,
) -> None:
    laptop = Laptop(programme=office.programme())
    body = courier_body(laptop, [laptop.batch([laptop.person()])])
    items = sequence_items(post(office, "/v1/bundles", body).content)
    assert [laptop.open_reply(item).state for item in items] == [DeviceState.PENDING]
    assert people(office) == 0


@pytest.mark.parametrize("body", [b"", b"<html>", wire.encode(bytes(16)), wire.encode(b"hello")])
def test_a_couriers_request_that_makes_no_sense_is_refused(office: Office, body: bytes) -> None:
    assert fault(post(office, "/v1/bundles", body)) == (400, "bad-request")


def test_the_time_is_signed_together_with_the_nonce(office: Office) -> None:
    response = post(office, "/v1/time", wire.encode(b"t" * 16))
    told = open_server_time(response.content, office.keys.signing.public)
    assert (told.server_time, told.nonce) == (office.now, b"t" * 16)


@pytest.mark.parametrize("body", [b"", wire.encode(b"t" * 15), wire.encode("t" * 16), b"\xff"])
def test_the_time_is_told_for_a_nonce_alone(office: Office, body: bytes) -> None:
    assert fault(post(office, "/v1/time", body)) == (400, "bad-request")


def test_a_question_for_the_time_has_a_largest_size(office: Office) -> None:
    assert fault(post(office, "/v1/time", bytes(20_000))) == (413, "too-large")


def test_what_anybody_may_have_recorded_makes_nobody_known(office: Office) -> None:
    laptop = office.laptop()
    old = laptop.batch([laptop.person()])
    office.take(laptop, old)
    push = Push(office.intake.take)
    push.begin(bytes(16))
    reception = office.services.receiver.open_reception()
    reception.begin(laptop.hello())
    for dialogue in (push, reception):
        dialogue.take(old.data)
        assert not dialogue.is_known
        dialogue.take(laptop.batch([laptop.person()]).data)
        assert dialogue.is_known
