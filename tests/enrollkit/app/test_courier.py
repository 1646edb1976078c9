"""A courier can neither read, nor forge, nor make the origin forget."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

import pytest

from enrollkit.app import courier as courier_module
from enrollkit.app.courier import CourierFull
from enrollkit.app.errands import CarriedAll, CarriedRefused, carry_all
from enrollkit.app.kit import Kit
from enrollkit.app.letters import OwnFile
from stick_office import StickOffice, enroll, open_stick_office
from sync.bundle import decode_bundle, decode_return, encode_bundle, encode_return, kind_of
from sync.errors import (
    BundleForeign,
    BundleInvalid,
    DeviceUnknown,
    Offline,
    ProtocolMismatch,
    ReceiptInvalid,
    Refused,
    SyncError,
)
from sync.protocol import NO_DIGEST, Hello
from sync.sealing import OpeningKey, SigningKey, read_unverified, sign_hello


@pytest.fixture
def office(tmp_path: Path) -> Iterator[StickOffice]:
    with open_stick_office(tmp_path) as office:
        yield office


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    path = tmp_path / "stick"
    path.mkdir()
    return path


class Road:
    """A road that keeps what was handed in, and may break or lie."""

    def __init__(self, office: StickOffice) -> None:
        self.office = office
        self.handed: list[list[bytes]] = []
        self.break_after: int | None = None
        self.lie: bytes | None = None
        self.error: SyncError | None = None

    def carry(self, hello: bytes, batches: Iterable[bytes]) -> Generator[bytes, None, None]:
        batches = list(batches)
        self.handed.append(batches)
        if self.error is not None:
            raise self.error
        if self.lie is not None:
            yield self.lie
        for place, item in enumerate(self.office.carry(hello, batches)):
            if place == self.break_after:
                raise Offline("cut")
            yield item


def carry(kit: Kit, road: Road) -> CarriedAll:
    return carry_all(kit._open(), road)


def bundle_of(kit: Kit, stick: Path, count: int = 3) -> Path:
    enroll(kit, count, freeze=True)
    (path,) = kit.sticks.export(stick).files
    return path


def answers_on(stick: Path) -> list[Path]:
    return [path for path in stick.iterdir() if kind_of(path.read_bytes()) == "return"]


def hand_over(kit: Kit, folder: Path) -> Path:
    """Give the one answer that a courier writes to a fresh stick."""
    folder.mkdir(exist_ok=True)
    kit.sticks.export(folder)
    (answer,) = answers_on(folder)
    return answer


def test_a_courier_brings_receipts_home(office: StickOffice, stick: Path, tmp_path: Path) -> None:
    origin, courier = office.kit("origin"), office.kit("courier")
    taken = courier.sticks.carry(bundle_of(origin, stick))
    assert (taken.device, taken.operations >= 3, taken.already) == (
        origin._open().keys.id,
        True,
        False,
    )
    done = carry(courier, Road(office))
    assert (done.files, done.receipts, done.answered, done.waiting, done.error) == (
        1, 3, 1, 0, None,
    )  # fmt: skip
    assert carry(courier, Road(office)).files == 0
    answer = hand_over(courier, tmp_path / "home")
    assert origin.sticks.receive(answer).accepted == 3
    assert origin.statement().signed_for == office.count() == 3
    assert courier.standing().total == 0


def test_a_courier_holds_nothing_that_can_be_read(
    office: StickOffice, stick: Path, tmp_path: Path
) -> None:
    origin, courier = office.kit("origin"), office.kit("courier")
    courier.sticks.carry(bundle_of(origin, stick))
    held = courier._open().database.read(
        lambda tx: tx.execute("SELECT data FROM carried").fetchall()
    )
    carry(courier, Road(office))
    held += courier._open().database.read(
        lambda tx: tx.execute("SELECT data FROM carried_answers").fetchall()
    )
    assert len(held) >= 5
    assert not any(b"Devi" in bytes(data) or b"Nagla" in bytes(data) for (data,) in held)


def test_after_a_cut_only_what_has_no_receipt_travels_again(
    office: StickOffice, stick: Path, tmp_path: Path
) -> None:
    origin, courier = office.kit("origin"), office.kit("courier")
    courier.sticks.carry(bundle_of(origin, stick, 5))
    road = Road(office)
    road.break_after = 3  # the reply and two receipts are through
    cut = carry(courier, road)
    assert (cut.receipts, cut.answered, cut.waiting) == (2, 0, 1)
    assert isinstance(cut.error, Offline)
    partial = decode_return(hand_over(courier, tmp_path / "early").read_bytes())
    assert len(partial.receipts) == 2
    assert origin.sticks.receive(tmp_path / "early").accepted == 2

    road.break_after = None
    rest = carry(courier, road)
    assert (rest.receipts, rest.waiting, rest.error) == (3, 0, None)
    assert [len(batches) for batches in road.handed] == [5, 3]
    assert road.handed[0][2:] == road.handed[1]
    whole = decode_return(hand_over(courier, tmp_path / "late").read_bytes())
    assert len(whole.receipts) == 5
    assert origin.sticks.receive(tmp_path / "late").accepted == 3
    assert origin.statement().signed_for == 5


def test_a_flipped_byte_costs_one_batch_and_the_origin_knows(
    office: StickOffice, stick: Path, tmp_path: Path
) -> None:
    origin, courier = office.kit("origin"), office.kit("courier")
    path = bundle_of(origin, stick)
    content = decode_bundle(path.read_bytes())
    spoilt = bytearray(content.batches[1])
    spoilt[-1] ^= 1
    batches = (content.batches[0], bytes(spoilt), content.batches[2])
    path.write_bytes(encode_bundle(content.hello, batches))
    courier.sticks.carry(path)
    done = carry(courier, Road(office))
    assert (done.receipts, done.waiting) == (2, 0)
    answer = hand_over(courier, tmp_path / "home")
    assert origin.sticks.receive(answer).accepted == 2
    told = origin.statement()
    assert (told.signed_for, told.people.on_sticks) == (2, 1)
    (again,) = origin.sticks.export(stick).files
    origin.sticks.receive(office.answer(again))
    assert origin.statement().signed_for == office.count() == 3


def test_receipts_that_a_courier_drops_are_asked_for_again(
    office: StickOffice, stick: Path
) -> None:
    origin = office.kit("origin")
    answer = office.answer(bundle_of(origin, stick))
    content = decode_return(answer.read_bytes())
    answer.write_bytes(encode_return(content.reply, content.receipts[:1], content.pages))
    assert origin.sticks.receive(answer).accepted == 1
    assert origin.statement().people.on_sticks == 2
    assert origin.standing().waiting == 2
    origin.sticks.receive(office.answer(origin.sticks.export(stick).files[0]))
    assert origin.statement().signed_for == office.count() == 3


def test_a_replayed_answer_changes_nothing(office: StickOffice, stick: Path) -> None:
    origin = office.kit("origin")
    answer = office.answer(bundle_of(origin, stick))
    origin.sticks.receive(answer)
    enroll(origin, 1)
    before = origin.statement().people
    for _ in range(3):
        assert origin.sticks.receive(answer).operations == 0
    assert origin.statement().people == before


def test_a_page_that_only_looks_like_an_answer_is_not_kept(
    office: StickOffice, stick: Path
) -> None:
    """A captive portal, or another laptop's receipt: the errand stays open."""
    origin, other, courier = office.kit("origin"), office.kit("other"), office.kit("courier")
    theirs = office.answer(bundle_of(other, stick))
    foreign_reply = decode_return(theirs.read_bytes()).reply
    courier.sticks.carry(bundle_of(origin, stick))
    road = Road(office)
    road.lie = foreign_reply
    lied = carry(courier, road)
    assert isinstance(lied.error, ReceiptInvalid)
    assert (lied.receipts, lied.waiting) == (0, 1)
    kept = courier._open().database.read(
        lambda tx: tx.execute("SELECT count(*) FROM carried_answers").fetchone()
    )
    assert kept == (0,)
    road.lie = None
    assert carry(courier, road).waiting == 0


def test_one_refused_file_does_not_keep_the_others_back(office: StickOffice, stick: Path) -> None:
    courier = office.kit("courier")
    for name in ("one", "two"):
        courier.sticks.carry(bundle_of(office.kit(name), stick))
    road = Road(office)
    road.error = Refused("not-now")
    done = carry(courier, road)
    assert len(road.handed) == 2
    assert (done.waiting, type(done.error)) == (2, Refused)
    road.error = Offline("gone")
    carry(courier, road)
    assert len(road.handed) == 3
    road.error = None
    assert carry(courier, road).waiting == 0


def test_what_has_no_answer_goes_on_to_the_next_courier_unchanged(
    office: StickOffice, stick: Path, tmp_path: Path
) -> None:
    origin, first, second = office.kit("origin"), office.kit("first"), office.kit("second")
    path = bundle_of(origin, stick)
    first.sticks.carry(path)
    folder = tmp_path / "next"
    folder.mkdir()
    told = first.sticks.export(folder)
    assert told.carried == 1
    handed = [file.read_bytes() for file in folder.iterdir()]
    assert path.read_bytes() in handed
    taken = second.sticks.carry_from(folder)
    assert origin._open().keys.id in {one.device for one in taken.files}
    assert first.sticks.carry_from(folder).files[0].already


def test_only_files_of_this_programme_and_of_other_laptops_are_taken(
    office: StickOffice, stick: Path, tmp_path: Path
) -> None:
    courier = office.kit("courier")
    with pytest.raises(OwnFile):
        courier.sticks.carry(bundle_of(courier, stick))
    with open_stick_office(tmp_path / "elsewhere") as elsewhere:
        foreign = bundle_of(elsewhere.kit("stranger"), stick)
        with pytest.raises(BundleForeign):
            courier.sticks.carry(foreign)
        with pytest.raises(BundleForeign):
            courier.sticks.carry(elsewhere.answer(foreign))
    rubbish = stick / "rubbish.ekb"
    rubbish.write_bytes(b"PK\x03\x04")
    with pytest.raises(BundleInvalid):
        courier.sticks.carry(rubbish)
    told = courier.sticks.carry_from(stick)
    assert told.files == ()
    assert {passed.code for passed in told.passed_over} == {"bundle-foreign", "bundle-invalid"}


def test_a_file_that_was_cut_short_is_carried_as_far_as_it_is_whole(
    office: StickOffice, stick: Path, tmp_path: Path
) -> None:
    """It may be the only copy: the origin may be burnt."""
    origin, courier = office.kit("origin"), office.kit("courier")
    path = bundle_of(origin, stick)
    path.write_bytes(path.read_bytes()[:-200])
    assert not courier.sticks.carry(path).is_whole
    assert carry(courier, Road(office)).receipts == 2
    assert origin.sticks.receive(hand_over(courier, tmp_path / "home")).accepted == 2


def test_batches_of_a_third_laptop_are_left_out_of_a_mixed_file(
    office: StickOffice, stick: Path
) -> None:
    one, two, courier = office.kit("one"), office.kit("two"), office.kit("courier")
    first = decode_bundle(bundle_of(one, stick).read_bytes())
    path = bundle_of(two, stick)
    second = decode_bundle(path.read_bytes())
    path.write_bytes(encode_bundle(second.hello, (*first.batches, *second.batches)))
    assert not courier.sticks.carry(path).is_whole
    road = Road(office)
    assert carry(courier, road).receipts == 3
    assert {read_unverified(batch)[0].hex() for batch in road.handed[0]} == {two._open().keys.id}


def test_a_courier_takes_no_more_than_it_may(
    office: StickOffice, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    courier = office.kit("courier")
    one, two = bundle_of(office.kit("one"), stick, 12), bundle_of(office.kit("two"), stick, 6)
    monkeypatch.setattr(courier_module, "CARRIED_BYTES_MAX", one.stat().st_size + 4_000)
    courier.sticks.carry(one)
    with pytest.raises(CourierFull):
        courier.sticks.carry(two)
    assert carry(courier, Road(office)).waiting == 0
    assert not courier.sticks.carry(two).already


def test_a_laptop_that_waits_for_approval_stays_on_the_errand(
    office: StickOffice, stick: Path
) -> None:
    origin, courier = office.kit("origin", approved=False), office.kit("courier")
    courier.sticks.carry(bundle_of(origin, stick))
    assert carry(courier, Road(office)).waiting == 1
    office.approve(origin)
    done = carry(courier, Road(office))
    assert (done.receipts, done.waiting) == (3, 0)


def test_a_large_file_travels_in_portions(
    office: StickOffice, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from enrollkit.app import errands  # noqa: PLC0415 - its limit is changed here

    monkeypatch.setattr(errands, "_REQUEST_BYTES", 4_000)
    origin, courier = office.kit("origin"), office.kit("courier")
    courier.sticks.carry(bundle_of(origin, stick, 6))
    road = Road(office)
    assert carry(courier, road).receipts == 6
    assert [len(batches) for batches in road.handed] == [2, 2, 2]


def stranger_file(
    folder: Path, *, keys: bool = True, version: int = 1, spoil: bool = False
) -> Path:
    """Write a bundle that no kit made: a hello of a new key, and nothing else."""
    key = SigningKey.generate()
    hello = Hello(
        version=version,
        device=key.public.id,
        incarnation="11" * 8,
        last_batch=0,
        last_digest=NO_DIGEST,
        receipted_upto=0,
        cursor=0,
        programme_serial=1,
        time=1,
        boot=bytes(8),
        monotonic=1,
        nonce=bytes(16),
        public_key=key.public.raw if keys else None,
        seal_key=OpeningKey.generate().public.raw if keys else None,
    )
    signed = bytearray(sign_hello(hello, key))
    signed[-1] ^= spoil
    path = folder / f"{key.public.id}.ekb"
    path.write_bytes(encode_bundle(bytes(signed), []))
    return path


@pytest.mark.parametrize("flaw", [{"spoil": True}, {"keys": False}, {"version": 0}])
def test_a_hello_that_no_server_would_take_is_not_taken_along(
    office: StickOffice, stick: Path, flaw: dict[str, bool]
) -> None:
    courier = office.kit("courier")
    with pytest.raises(BundleInvalid):
        courier.sticks.carry(stranger_file(stick, **flaw))
    courier.sticks.carry(stranger_file(stick))


@pytest.mark.parametrize("word", [DeviceUnknown("device-unknown"), Refused("bad-request")])
def test_what_the_server_will_never_take_is_told_once_and_offered_no_more(
    office: StickOffice, stick: Path, tmp_path: Path, word: SyncError
) -> None:
    courier = office.kit("courier")
    path = bundle_of(office.kit("one"), stick)
    courier.sticks.carry(path)
    road = Road(office)
    road.error = word
    done = carry(courier, road)
    assert (done.refused, done.waiting, type(done.error)) == (1, 0, CarriedRefused)
    again = carry(courier, road)
    assert (again.files, again.error, len(road.handed)) == (0, None, 1)
    folder = tmp_path / "next"
    folder.mkdir()
    assert courier.sticks.export(folder).carried == 0
    assert courier.sticks.carry(path).already


def test_a_file_of_another_version_does_not_keep_the_others_back(
    office: StickOffice, stick: Path
) -> None:
    courier = office.kit("courier")
    for name in ("one", "two"):
        courier.sticks.carry(bundle_of(office.kit(name), stick))
    road = Road(office)
    road.error = ProtocolMismatch("version 9")
    assert (carry(courier, road).waiting, len(road.handed)) == (2, 2)


def test_one_laptop_cannot_take_the_room_of_all_others(
    office: StickOffice, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    courier, one = office.kit("courier"), office.kit("one")
    first = bundle_of(one, stick)
    monkeypatch.setattr(courier_module, "CARRIED_BYTES_OF_ONE_MAX", first.stat().st_size + 100)
    courier.sticks.carry(first)
    with pytest.raises(CourierFull):
        courier.sticks.carry(bundle_of(one, stick))
    courier.sticks.carry(bundle_of(office.kit("two"), stick, 1))


def test_what_was_refused_makes_room(
    office: StickOffice, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    courier, one = office.kit("courier"), office.kit("one")
    first = bundle_of(one, stick)
    monkeypatch.setattr(courier_module, "CARRIED_BYTES_OF_ONE_MAX", first.stat().st_size * 2)
    courier.sticks.carry(first)
    road = Road(office)
    road.error = Refused("bad-request")
    carry(courier, road)
    assert not courier.sticks.carry(bundle_of(one, stick, 1)).already
