"""A laptop without a network, and another that carries for it: the origin's people arrive, once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from enrollkit.app.errands import carry_all
from journey_camp import Laptop, open_office
from journey_sticks import Camp, statement_of
from sync.bundle import decode_return
from sync.engine.http import HttpTransport


@pytest.fixture
def camp(tmp_path: Path) -> Iterator[Camp]:
    with open_office(tmp_path / "office") as office:
        yield Camp(office=office, folder=tmp_path)


def files(stick: Path, suffix: str) -> list[Path]:
    return sorted(file for file in stick.iterdir() if file.suffix == suffix)


def _nothing() -> None:
    """A trap without a deed only cuts the line."""


def test_a_neighbour_carries_for_a_laptop_without_a_network(camp: Camp) -> None:
    a, b, stick = camp.laptop("a"), camp.laptop("b"), camp.stick("stick")
    camp.enroll(a, 2)
    ids = camp.enroll(b, 4, papers=2)
    camp.export(b, stick)
    (bundle,) = files(stick, ".ekb")
    taken = a.run("courier", bundle, "--json").object
    assert (len(taken["files"]), taken["taken"][0]["device"]) == (1, b.device)
    assert a.run("courier", bundle, "--json").object["taken"][0]["already"]

    told = a.run("sync", "--json")
    assert told.code == 0, told.err
    camp.everybody_arrived()
    assert a.status()["total"] == 2
    with a.unlocked() as kit:
        held = Laptop.ask(kit, "SELECT data FROM carried_answers")
        for ident in ids:
            assert kit.people.search(camp.known[ident]["name"]) == []
        name = camp.known[ids[0]]["name"].encode()
        assert all(name not in bytes(item) for item in held)

    out = camp.export(a, stick)
    assert out["carried"] == 1
    assert statement_of(b)["signed_for"] == 0
    (answer,) = files(stick, ".ekr")
    home = b.run("receive", answer, "--json")
    assert home.object["accepted"] == 6, home.err
    assert statement_of(b)["signed_for"] == 4
    assert b.status()["waiting"] == 0


def test_a_courier_hands_on_to_another_courier(camp: Camp) -> None:
    a, b, c = camp.laptop("a"), camp.laptop("b"), camp.laptop("c")
    first, second, third = camp.stick("first"), camp.stick("second"), camp.stick("third")
    camp.enroll(b, 2)
    camp.export(b, first)
    a.run("courier", first, "--json")
    assert camp.export(a, second)["carried"] == 1
    took = c.run("courier", second, "--json").object
    assert b.device in {one["device"] for one in took["taken"]}
    assert c.run("sync").code == 0
    camp.everybody_arrived()
    camp.export(c, third)
    assert camp.home(a, third)["taken"] >= 1
    camp.export(a, second)
    camp.home(b, second)
    assert statement_of(b)["signed_for"] == 2


def test_a_cut_costs_a_courier_only_what_was_in_the_air(camp: Camp) -> None:
    """The line breaks in the middle of the carried file; the second try carries on."""
    a, b, stick = camp.laptop("a"), camp.laptop("b"), camp.stick("stick")
    for _ in range(6):
        camp.enroll(b, 3, papers=0)
        with b.unlocked() as kit:
            Laptop.freeze(kit)
    camp.export(b, stick)
    (bundle,) = files(stick, ".ekb")
    a.run("courier", bundle)
    relay = camp.office.relay
    relay.set_trap("up", bundle.stat().st_size // 2, _nothing)
    with a.unlocked() as kit, closing(HttpTransport(relay.url)) as road:
        told = carry_all(kit._open(), road)
    assert told.error is not None
    relay.clear_trap()
    with a.unlocked() as kit, closing(HttpTransport(relay.url)) as road:
        rest = carry_all(kit._open(), road)
        assert (rest.error, rest.waiting) == (None, 0)
        assert told.receipts + rest.receipts == 6
        up, _down, _requests = road.traffic()
    if told.receipts:
        assert up < bundle.stat().st_size
    camp.everybody_arrived()
    camp.export(a, stick)
    (answer,) = files(stick, ".ekr")
    assert len(decode_return(answer.read_bytes()).receipts) == 6
    camp.home(b, stick)
    assert statement_of(b)["signed_for"] == 18


def test_a_laptop_that_nobody_approved_is_carried_again_after_its_approval(camp: Camp) -> None:
    a, b, stick = camp.laptop("a"), camp.laptop("b", approved=False), camp.stick("stick")
    camp.enroll(b, 2)
    camp.export(b, stick)
    a.run("courier", stick)
    with a.unlocked() as kit, closing(HttpTransport(camp.office.relay.url)) as road:
        assert carry_all(kit._open(), road).waiting == 1
        camp.office.run("device", "approve", b.approval_code)
        assert carry_all(kit._open(), road).waiting == 0
    camp.everybody_arrived()
    camp.export(a, stick)
    camp.home(b, stick)
    assert statement_of(b)["signed_for"] == 2
