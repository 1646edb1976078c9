from __future__ import annotations

from server_laptops import Laptop, Office
from sync.protocol import DeviceState
from sync.server.contact import Contact
from sync.server.devices import find_device

DAY = 24 * 3600


class Table:
    """A server with room for three strangers, which forgets who did not call for ten days."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.contact = Contact(
            store=office.store,
            keys=office.keys,
            epoch="0" * 16,
            clock=lambda: office.now,
            pending_max=3,
            silent_seconds_max=10 * DAY,
        )

    def call(self, laptop: Laptop | None = None) -> Laptop:
        laptop = laptop or Laptop(programme=self.office.programme())
        self.contact.greet(laptop.hello())
        self.office.now += 1
        return laptop

    def knows(self, laptop: Laptop) -> bool:
        with self.office.store.read() as connection:
            return find_device(connection, laptop.id) is not None


def test_strangers_cannot_fill_the_disk_nor_keep_a_new_laptop_out(office: Office) -> None:
    table = Table(office)
    laptops = [table.call() for _ in range(10)]
    assert [table.knows(laptop) for laptop in laptops] == [False] * 7 + [True] * 3
    assert office.count("SELECT count(*) FROM devices") == 3
    assert office.count("SELECT count(*) FROM boots") == 0


def test_who_called_longest_ago_is_forgotten_first(office: Office) -> None:
    table = Table(office)
    first, second, third = (table.call() for _ in range(3))
    table.call(first)
    table.call()
    assert [table.knows(laptop) for laptop in (first, second, third)] == [True, False, True]


def test_a_forgotten_laptop_introduces_itself_again_and_is_approved(office: Office) -> None:
    table = Table(office)
    laptop = table.call()
    for _ in range(5):
        table.call()
    assert not table.knows(laptop)
    office.approve(laptop)
    assert table.contact.greet(laptop.hello()).reply.state is DeviceState.APPROVED


def test_who_fell_silent_is_forgotten_though_there_is_room(office: Office) -> None:
    table = Table(office)
    silent, calling = table.call(), table.call()
    office.now += 9 * DAY
    table.call(calling)
    office.now += 2 * DAY
    table.call()
    assert [table.knows(laptop) for laptop in (silent, calling)] == [False, True]


def test_approved_laptops_are_never_forgotten(office: Office) -> None:
    table = Table(office)
    approved = [office.laptop() for _ in range(5)]
    office.now += 400 * DAY
    for _ in range(10):
        table.call()
    assert all(table.knows(laptop) for laptop in approved)
