from __future__ import annotations

import asyncio
import copy
import dataclasses
import io
import itertools
import json
import os
import random

import pytest
from sqlalchemy import insert, select

from server_laptops import Laptop, Office
from sync.protocol import NO_DIGEST, HelloReply, Outcome, Receipt, SealedBatch
from sync.server.devices import list_devices
from sync.server.lives import FORKS_DEEP_MAX, LIVES_MAX, Chain, chain_from, trace, whole_chains
from sync.server.store.tables import batches, chains


def cloned(laptop: Laptop) -> Laptop:
    """Copy the disk: same keys, same chain so far."""
    return copy.copy(laptop)


def greet(
    office: Office, laptop: Laptop, receipted_upto: int = 0
) -> tuple[HelloReply, list[Receipt]]:
    signed = office.contact.greet(laptop.hello(receipted_upto=receipted_upto)).signed
    return laptop.open_reply(signed[0]), [laptop.open_receipt(raw) for raw in signed[1:]]


def people(laptop: Laptop, count: int) -> list[SealedBatch]:
    return [laptop.batch([laptop.person()]) for _ in range(count)]


def twins(office: Office, shared: int = 2) -> tuple[Laptop, Laptop]:
    laptop = office.laptop()
    for batch in people(laptop, shared):
        office.take(laptop, batch)
    return laptop, cloned(laptop)


def test_a_number_with_other_content_is_kept_beside_the_first(office: Office) -> None:
    one, other = twins(office)
    (mine,), (theirs,) = people(one, 1), people(other, 1)
    assert not office.intake.take(mine.data, bytes(16)).began_fork
    taken = office.intake.take(theirs.data, bytes(16))
    assert taken.began_fork
    receipt = other.open_receipt(taken.signed)
    assert (receipt.incarnation, receipt.batch, receipt.digest) == (
        other.incarnation,
        3,
        theirs.digest,
    )
    assert office.count("SELECT count(*) FROM enrollments") == 4
    assert not office.intake.take(theirs.data, bytes(16)).began_fork
    assert office.count("SELECT count(*) FROM batches") == 4


def test_a_batch_that_does_not_follow_its_predecessor_is_kept(office: Office) -> None:
    laptop, _ = twins(office, 1)
    laptop.previous = os.urandom(32)
    (stray,) = people(laptop, 1)
    assert office.intake.take(stray.data, bytes(16)).began_fork
    assert office.count("SELECT count(*) FROM enrollments") == 2


def test_one_operation_number_in_two_lives_is_two_operations(office: Office) -> None:
    one, other = twins(office)
    for laptop in (one, other):
        receipt = office.take(laptop, laptop.batch([laptop.person(), laptop.person()]))
        assert [verdict.outcome for verdict in receipt.verdicts] == ["accepted", "accepted"]
    assert office.count("SELECT count(*) FROM held_operations") == 0


@pytest.mark.parametrize("order", itertools.permutations(range(4)))
def test_a_fork_that_arrives_in_any_order_ends_in_one_life(
    office: Office, order: tuple[int, ...]
) -> None:
    one, other = twins(office)
    for batch in people(one, 5):
        office.take(one, batch)
    batches = people(other, 4)
    for place in order:
        office.take(other, batches[place])
    assert office.count("SELECT count(*) FROM chains") == 2
    reply, receipts = greet(office, other, receipted_upto=2)
    assert (reply.held_upto, reply.held_digest) == (6, batches[-1].digest)
    assert [receipt.digest for receipt in receipts] == [batch.digest for batch in batches]
    reply, receipts = greet(office, one, receipted_upto=7)
    assert (reply.held_upto, reply.held_digest, receipts) == (7, one.previous, [])


def test_each_twin_is_told_of_the_chain_that_holds_its_newest_batch(office: Office) -> None:
    one, other = twins(office)
    for laptop in (one, other):
        for batch in people(laptop, 2):
            office.take(laptop, batch)
    for laptop in (one, other):
        reply, receipts = greet(office, laptop, receipted_upto=1)
        assert reply.held_digest == laptop.previous
        assert [receipt.batch for receipt in receipts] == [2, 3, 4]
        assert receipts[-1].digest == laptop.previous


def test_a_twin_whose_newest_batch_is_not_here_is_shown_the_first_chain_and_no_receipt(
    office: Office,
) -> None:
    one, other = twins(office)
    for batch in people(one, 2):
        office.take(one, batch)
    first, *_ = people(other, 5)
    reply, receipts = greet(office, other, receipted_upto=2)
    assert (reply.held_upto, reply.held_digest) == (4, one.previous)
    assert reply.durable_upto == 0
    office.take(other, first)
    reply, receipts = greet(office, other, receipted_upto=2)
    assert (reply.held_upto, receipts) == (4, [])


def test_a_fork_with_a_missing_beginning_is_not_spoken_of(office: Office) -> None:
    one, other = twins(office)
    for batch in people(one, 3):
        office.take(one, batch)
    first, second = people(other, 2)
    office.take(other, second)
    assert greet(office, other)[0].held_digest == one.previous
    office.take(other, first)
    assert greet(office, other)[0].held_digest == other.previous


def test_a_clone_of_a_clone_is_followed_down_to_the_first_batch(office: Office) -> None:
    one, other = twins(office, 1)
    office.take(one, *people(one, 1))
    office.take(other, *people(other, 1))
    third = cloned(other)
    office.take(other, *people(other, 1))
    office.take(third, *people(third, 1))
    reply, receipts = greet(office, third)
    assert (reply.held_upto, reply.held_digest) == (3, third.previous)
    assert [receipt.batch for receipt in receipts] == [1, 2, 3]
    assert office.count("SELECT count(*) FROM chains") == 3


def test_a_laptop_that_was_never_heard_may_be_forked_from_its_first_batch(office: Office) -> None:
    one = office.laptop()
    other = cloned(one)
    for laptop in (one, other):
        for batch in people(laptop, 2):
            office.take(laptop, batch)
        assert greet(office, laptop)[0].held_digest == laptop.previous
    assert other.number == 2


def test_forks_without_end_are_all_kept_and_found_again(office: Office) -> None:
    laptop = office.laptop()
    batches = []
    for _ in range(LIVES_MAX + 6):
        laptop.number, laptop.previous, laptop.seq = 0, NO_DIGEST, 0
        batches += [laptop.batch([laptop.operation("new.kind", {})])]
        office.take(laptop, batches[-1])
    for batch in batches:
        office.take(laptop, batch)
    assert office.count("SELECT count(*) FROM batches") == LIVES_MAX + 6


def test_the_list_of_laptops_shows_a_fork(office: Office) -> None:
    one, other = twins(office)
    with office.store.read() as connection:
        assert not list_devices(connection)[0].forked
    for laptop in (one, other):
        office.take(laptop, *people(laptop, 1))
    with office.store.read() as connection:
        (listed,) = list_devices(connection)
    assert listed.forked
    main, fork = listed.chain
    assert (main["incarnation"], fork["incarnation"]) == (one.incarnation, one.incarnation)
    assert (fork["after"], fork["held_upto"]) == (2, 3)


def test_a_database_that_holds_less_than_it_signed_for_raises_an_alert(office: Office) -> None:
    laptop, _ = twins(office)
    assert not office.contact.greet(laptop.hello(receipted_upto=2)).is_rolled_back
    assert office.contact.greet(laptop.hello(receipted_upto=3)).is_rolled_back


def test_a_batch_out_of_order_waits_in_the_first_life_and_not_in_a_fork(office: Office) -> None:
    laptop = office.laptop()
    batches = people(laptop, 6)
    for place in (4, 2, 5, 0, 3, 1):
        assert not office.intake.take(batches[place].data, bytes(16)).began_fork
    assert greet(office, laptop)[0].held_upto == 6


def test_the_log_tells_of_a_fork_and_of_a_restored_database(
    office: Office, office_log: io.StringIO
) -> None:
    one, other = twins(office)
    office.take(one, *people(one, 1))
    (theirs,) = people(other, 1)

    async def call() -> None:
        async with office.client() as client:
            await client.post("/v1/batches", content=other.push_body([theirs]))
            await client.post("/v1/hello", content=one.hello(receipted_upto=9))

    asyncio.run(call())
    alerts = [json.loads(line) for line in office_log.getvalue().splitlines()]
    warned = {each["event"]: each["device"] for each in alerts if each["level"] == "warning"}
    assert warned == {"fork": one.id, "rolled-back": one.id}


def test_forks_of_forks_are_followed_down_so_far_and_no_farther(office: Office) -> None:
    laptop = office.laptop()
    depth = FORKS_DEEP_MAX + 3
    names = [laptop.incarnation, *(f"{place:016x}" for place in range(1, depth))]
    digests = [NO_DIGEST, *(os.urandom(32) for _ in names)]
    with office.store.write() as connection:
        for number, life in enumerate(names, start=1):
            chain = Chain(
                device=laptop.id, life=life, incarnation=laptop.incarnation,
                base_number=number - 1, base_digest=digests[number - 1], held_upto=number,
                held_digest=digests[number], durable_upto=0,
            )  # fmt: skip
            connection.execute(insert(chains).values(dataclasses.asdict(chain)))
            connection.execute(
                insert(batches).values(
                    device=laptop.id, life=life, number=number, digest=digests[number],
                    previous=digests[number - 1], first_seq=number, operation_count=1,
                    audit_head=NO_DIGEST, received_at=office.now,
                )
            )  # fmt: skip
        rows = [chain_from(row) for row in connection.execute(select(chains))]
        traced = {chain.life for chain in rows if trace(connection, chain) is not None}
        assert {chain.life for chain in whole_chains(connection)} == traced
    assert len(rows) - len(traced) == 2


@pytest.mark.parametrize("seed", range(12))
def test_three_copies_whose_batches_come_in_any_order_are_each_known_to_be_held(
    office: Office, seed: int
) -> None:
    laptop = office.laptop()
    office.take(laptop, *people(laptop, 1))
    copies = [laptop, cloned(laptop), cloned(laptop)]
    sent = [(copy_, batch) for copy_ in copies for batch in people(copy_, 5)]
    random.Random(seed).shuffle(sent)
    for copy_, batch in sent:
        office.take(copy_, batch)
    for copy_ in copies:
        reply, receipts = greet(office, copy_, receipted_upto=copy_.number - 1)
        assert (reply.held_upto, reply.held_digest) == (copy_.number, copy_.previous)
        assert [receipt.digest for receipt in receipts] == [copy_.previous]
        _, every = greet(office, copy_)
        assert [receipt.batch for receipt in every] == list(range(1, copy_.number + 1))


def test_a_copys_batch_above_a_gap_does_not_take_the_numbers_of_what_comes_to_fill_it(
    office: Office,
) -> None:
    mine, theirs = twins(office)
    *_, above = people(theirs, 3)
    run = mine.batch([mine.person() for _ in range(3)])
    office.take(theirs, above)
    receipt = office.take(mine, run)
    assert [verdict.outcome for verdict in receipt.verdicts] == [Outcome.ACCEPTED] * 3
    assert office.count("SELECT count(*) FROM held_operations") == 0


def test_a_mixture_of_copies_with_a_batch_missing_is_not_called_whole(office: Office) -> None:
    one, other = twins(office)
    mine, theirs = people(one, 4), people(other, 4)
    for batch in (theirs[3], mine[0], mine[3], theirs[1], mine[1], theirs[0]):
        office.take(one if batch in mine else other, batch)
    for laptop in (one, other):
        reply, _ = greet(office, laptop)
        assert (reply.held_upto, reply.held_digest) != (laptop.number, laptop.previous)
    office.take(one, mine[2])
    office.take(other, theirs[2])
    for laptop in (one, other):
        reply, _ = greet(office, laptop)
        assert (reply.held_upto, reply.held_digest) == (laptop.number, laptop.previous)
