"""Sticks: what goes out is known before it is out; what comes home, its signature speaks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from enrollkit.app import sticks as sticks_module
from enrollkit.app.kit import Kit
from enrollkit.app.letters import OutwardFile, StickUnknown
from enrollkit.app.outgoing import outbox_of
from enrollkit.domain.enrollment import State
from enrollkit.store.inbox import StoredInbox
from kit_samples import intake_row
from stick_office import StickOffice, enroll, open_stick_office
from sync.bundle import decode_bundle, decode_return, encode_return
from sync.errors import (
    BundleForeign,
    BundleInvalid,
    OperatorError,
    StickFull,
    StickGone,
    SyncBusy,
)
from sync.protocol import DeviceState, FeedKind
from sync.sealing import SigningKey, open_hello, sign_hello_reply
from sync.server.feed import announce_programme, append


@pytest.fixture
def office(tmp_path: Path) -> Iterator[StickOffice]:
    with open_stick_office(tmp_path) as office:
        yield office


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    path = tmp_path / "stick"
    path.mkdir()
    return path


def export(kit: Kit, stick: Path, **options: Any) -> Path:
    (path,) = kit.sticks.export(stick, **options).files
    return path


def ask(kit: Kit, sql: str) -> list[Any]:
    return kit._open().database.read(lambda tx: tx.execute(sql).fetchall())


def inbox(kit: Kit) -> StoredInbox:
    from enrollkit.app.incoming import inbox_of  # noqa: PLC0415 - beside what it is for

    return inbox_of(kit._open())


def test_a_file_is_known_before_it_has_its_name(
    office: StickOffice, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = office.kit("laptop")
    enroll(kit, 2)
    seen: list[Any] = []

    def write(path: Path, data: bytes) -> None:
        states = [state for (state,) in ask(kit, "SELECT DISTINCT state FROM enrollments")]
        seen.append((path.name, states, ask(kit, "SELECT name, written_at FROM bundles")))
        path.write_bytes(data)

    monkeypatch.setattr(sticks_module, "write_file", write)
    path = export(kit, stick)
    assert seen == [(path.name, [State.SENT.value], [(path.name, None)])]
    assert path.name.isascii()
    assert len(path.name) < 64


@pytest.mark.parametrize("failure", [StickGone, StickFull])
def test_a_stick_that_fails_changes_nothing_and_can_be_written_again(
    office: StickOffice, stick: Path, monkeypatch: pytest.MonkeyPatch, failure: type[OperatorError]
) -> None:
    kit = office.kit("laptop")
    enroll(kit, 3)

    def fail(_path: Path, _data: bytes) -> None:
        raise failure("pulled")

    with monkeypatch.context() as patch:
        patch.setattr(sticks_module, "write_file", fail)
        with pytest.raises(failure):
            kit.sticks.export(stick)
    told = kit.statement()
    assert (told.on_laptop, told.on_sticks) == (3, ())
    kit.sticks.receive(office.answer(export(kit, stick)))
    assert kit.statement().signed_for == office.count() == 3


def test_power_that_goes_after_the_stick_was_written_costs_no_answer(
    office: StickOffice, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = office.kit("laptop")
    enroll(kit, 2)

    def write_and_die(path: Path, data: bytes) -> None:
        path.write_bytes(data)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sticks_module, "write_file", write_and_die)
        with pytest.raises(KeyboardInterrupt):
            kit.sticks.export(stick)
    assert kit.statement().on_laptop == 2  # nobody has seen the file whole
    (left,) = stick.iterdir()
    assert kit.sticks.receive(office.answer(left)).accepted == 2
    assert kit.statement().signed_for == 2


def test_a_folder_that_is_not_there_is_said_so(office: StickOffice, tmp_path: Path) -> None:
    with pytest.raises(StickGone):
        office.kit("laptop").sticks.export(tmp_path / "nowhere")


def test_what_is_too_large_for_one_file_goes_into_several(office: StickOffice, stick: Path) -> None:
    kit = office.kit("laptop")
    enroll(kit, 8, freeze=True)
    exported = kit.sticks.export(stick, bytes_max=14_000)
    assert len(exported.files) > 2
    assert (exported.people, exported.operations) == (8, 8)
    assert all(file.stat().st_size <= 14_000 for file in exported.files)
    told = kit.statement()
    assert sum(one.people for one in told.on_sticks) == 8
    for file in reversed(exported.files):
        office.answer(file)
    assert len(kit.sticks.receive(stick).files) == len(exported.files)
    assert kit.statement().signed_for == office.count() == 8


def test_every_life_has_a_file_of_its_own(office: StickOffice, stick: Path) -> None:
    kit = office.kit("laptop")
    enroll(kit, 2, freeze=True)
    outbox_of(kit._open()).begin_life()
    enroll(kit, 3)
    exported = kit.sticks.export(stick)
    assert len(exported.files) == 2
    assert exported.people == 5
    for file in exported.files:
        office.answer(file)
    assert kit.sticks.receive(stick).accepted == 5
    assert kit.statement().signed_for == office.count() == 5


def test_photos_go_along_behind_the_text(office: StickOffice, stick: Path) -> None:
    """A sealed capture key is a blob too: it is on the stick before the number that needs it."""
    kit = office.kit("laptop")
    assert kit.enrolling.submit_row(intake_row()).ok
    office.answer(export(kit, stick))
    assert kit.sticks.receive(stick).operations == 1
    assert ask(kit, "SELECT count(*) FROM operations WHERE verdict IS NULL") == [(0,)]


def test_an_answer_cut_anywhere_is_used_as_far_as_it_is_whole(
    office: StickOffice, stick: Path
) -> None:
    kit = office.kit("laptop")
    enroll(kit, 4, freeze=True)
    answer = office.answer(export(kit, stick))
    whole = answer.read_bytes()
    signed = 0
    for end in range(0, len(whole), 131):
        answer.write_bytes(whole[:end])
        try:
            told = kit.sticks.receive(answer)
            assert not told.is_whole
            assert told.words
        except BundleInvalid:
            assert end < 700
        before, signed = signed, kit.statement().signed_for
        assert signed >= before
    answer.write_bytes(whole)
    assert kit.sticks.receive(answer).is_whole
    assert kit.statement().signed_for == 4


def test_a_flipped_bit_is_never_believed(office: StickOffice, stick: Path) -> None:
    kit = office.kit("laptop")
    enroll(kit, 2, freeze=True)
    answer = office.answer(export(kit, stick))
    whole = answer.read_bytes()
    used = 0
    for place in range(0, len(whole), 37):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        answer.write_bytes(changed)
        try:
            told = kit.sticks.receive(answer)
            assert told.taken or not told.is_whole
            used += 1
        except OperatorError as error:
            assert error.code in {"bundle-invalid", "bundle-foreign"}, error  # noqa: PT017 - both are fine here
        assert kit.statement().adds_up
        assert not ask(kit, "SELECT 1 FROM operations WHERE verdict <> 'accepted'")
    assert used
    answer.write_bytes(whole)
    kit.sticks.receive(answer)
    assert kit.statement().signed_for == 2


def test_files_of_others_are_told_from_ours(
    office: StickOffice, stick: Path, tmp_path: Path
) -> None:
    ours, other = office.kit("ours"), office.kit("other")
    enroll(ours, 1)
    enroll(other, 1)
    outward = export(other, stick)
    with pytest.raises(OutwardFile):
        ours.sticks.receive(outward)
    answer = office.answer(outward)
    told = ours.sticks.receive(answer)
    assert (told.files, told.operations, told.taken) == ([], 0, 1)
    assert ours.sticks.receive(answer).taken == 0
    with open_stick_office(tmp_path / "elsewhere") as elsewhere:
        stranger = elsewhere.kit("stranger")
        foreign = elsewhere.answer(export(stranger, stick))
        with pytest.raises(BundleForeign):
            ours.sticks.receive(foreign)
        mixed = ours.sticks.receive(stick)
        assert [passed.code for passed in mixed.passed_over] == ["bundle-foreign"]
    rubbish = tmp_path / "rubbish.ekr"
    rubbish.write_bytes(b"\x00" * 100)
    with pytest.raises(BundleInvalid):
        ours.sticks.receive(rubbish)


def test_an_answer_to_a_stick_that_nobody_remembers_is_not_used(
    office: StickOffice, stick: Path
) -> None:
    kit = office.kit("laptop")
    enroll(kit, 1)
    answer = office.answer(export(kit, stick))
    content = decode_return(answer.read_bytes())
    reply = office.reworded(content.reply, nonce=bytes(16))
    answer.write_bytes(encode_return(reply, content.receipts, content.pages))
    with pytest.raises(StickUnknown):
        kit.sticks.receive(answer)
    assert kit.statement().signed_for == 0


def test_a_courier_cannot_answer_in_the_servers_name(office: StickOffice, stick: Path) -> None:
    kit = office.kit("laptop")
    enroll(kit, 1)
    answer = office.answer(export(kit, stick))
    content = decode_return(answer.read_bytes())
    forged = sign_hello_reply(office.opened(content.reply), SigningKey.generate())
    answer.write_bytes(encode_return(forged, content.receipts, content.pages))
    with pytest.raises(BundleForeign):
        kit.sticks.receive(answer)
    assert kit.statement().signed_for == 0


def test_receipts_of_another_request_are_passed_over(office: StickOffice, stick: Path) -> None:
    """Two laptops' items mixed, or two requests' of one laptop: each is judged by itself."""
    kit, other = office.kit("laptop"), office.kit("other")
    enroll(kit, 1, freeze=True)
    enroll(other, 1, freeze=True)
    theirs = decode_return(office.answer(export(other, stick)).read_bytes())
    first = decode_return(office.answer(export(kit, stick)).read_bytes())
    answer = office.answer(export(kit, stick))
    second = decode_return(answer.read_bytes())
    answer.write_bytes(
        encode_return(second.reply, theirs.receipts + first.receipts, theirs.pages + first.pages)
    )
    told = kit.sticks.receive(answer)
    assert (told.operations, told.feed, told.is_whole) == (0, 0, False)
    assert kit.statement().signed_for == 0
    answer.write_bytes(
        encode_return(second.reply, (*theirs.receipts, *second.receipts), second.pages)
    )
    told = kit.sticks.receive(answer)
    assert (told.accepted, told.is_whole) == (1, False)


def test_an_old_answer_takes_nothing_back(office: StickOffice, stick: Path) -> None:
    kit = office.kit("laptop", approved=False)
    enroll(kit, 1)
    pending = office.answer(export(kit, stick))
    office.approve(kit)
    approved = office.answer(export(kit, stick))
    kit.sticks.receive(approved)
    outbox = outbox_of(kit._open())
    assert outbox.is_approved()
    for _ in range(2):
        kit.sticks.receive(pending)
        assert outbox.is_approved()
        assert kit.statement().signed_for == 1


def test_a_stick_says_nothing_of_this_laptops_clock(office: StickOffice, stick: Path) -> None:
    kit = office.kit("laptop")
    kit.sticks.receive(office.answer(export(kit, stick)))
    assert ask(kit, "SELECT 1 FROM meta WHERE key = 'server.offset'") == []


def test_a_server_that_knows_another_chain_makes_a_new_life(
    office: StickOffice, stick: Path
) -> None:
    kit = office.kit("laptop")
    enroll(kit, 1)
    answer = office.answer(export(kit, stick))
    content = decode_return(answer.read_bytes())
    reply = office.reworded(content.reply, held_upto=1, held_digest=bytes([7]) * 32)
    answer.write_bytes(encode_return(reply, (), ()))
    before = outbox_of(kit._open()).incarnation()
    told = kit.sticks.receive(answer)
    assert told.forked
    assert outbox_of(kit._open()).incarnation() != before
    assert not kit.sticks.receive(answer).forked
    enroll(kit, 1)
    exported = kit.sticks.export(stick)
    assert exported.people == 2
    for file in exported.files:
        office.answer(file)
    kit.sticks.receive(stick)
    assert kit.statement().signed_for == office.count() == 2


def test_a_server_that_forgot_batches_gets_them_with_the_next_stick(
    office: StickOffice, stick: Path
) -> None:
    kit = office.kit("laptop")
    enroll(kit, 3, freeze=True)
    kit.sticks.receive(office.answer(export(kit, stick)))
    answer = office.answer(export(kit, stick))
    content = decode_return(answer.read_bytes())
    digest = outbox_of(kit._open()).digest_at(outbox_of(kit._open()).incarnation(), 1)
    reply = office.reworded(content.reply, held_upto=1, held_digest=digest, epoch="77" * 8)
    answer.write_bytes(encode_return(reply, (), ()))
    told = kit.sticks.receive(answer)
    assert told.rolled_back
    assert told.words
    again = export(kit, stick)
    assert len(decode_bundle(again.read_bytes()).batches) == 2
    # The reply is older than the receipts beside it: together they say that all is there again.
    repaired = office.answer(again)
    fresh = decode_return(repaired.read_bytes())
    stale = office.reworded(fresh.reply, held_upto=1, held_digest=digest)
    repaired.write_bytes(encode_return(stale, fresh.receipts[:1], ()))
    assert kit.sticks.receive(repaired).rolled_back
    repaired.write_bytes(encode_return(stale, fresh.receipts, ()))
    assert not kit.sticks.receive(repaired).rolled_back
    assert len(decode_bundle(export(kit, stick).read_bytes()).batches) == 0
    # The answer of the time when it had forgotten comes once more, and is history.
    assert not kit.sticks.receive(answer).rolled_back
    assert len(decode_bundle(export(kit, stick).read_bytes()).batches) == 0


def tell_news(office: StickOffice) -> None:
    with office.office.store.write() as connection:
        announce_programme(connection, at=office.office.now)


def test_other_news_than_were_read_are_read_from_the_beginning(
    office: StickOffice, stick: Path
) -> None:
    kit = office.kit("laptop")
    first = office.answer(export(kit, stick))
    tell_news(office)
    second = office.answer(export(kit, stick))
    assert kit.sticks.receive(second).feed >= 1
    cursor = inbox(kit).cursor()
    third = export(kit, stick)
    tell_news(office)
    answer = office.answer(third)
    content = decode_return(answer.read_bytes())
    assert content.pages
    reply = office.reworded(content.reply, feed_digest=bytes([9]) * 32)
    answer.write_bytes(encode_return(reply, (), content.pages))
    assert kit.sticks.receive(answer).rolled_back
    assert inbox(kit).cursor() == 0
    # The true answer begins behind news that are to be read again, and the next one brings them.
    whole = third.with_name("whole.ekr")
    whole.write_bytes(encode_return(content.reply, (), content.pages))
    waits = kit.sticks.receive(whole)
    assert (waits.feed, waits.is_whole) == (0, True)
    assert any("News 1 is missing" in words for words in waits.words)
    assert kit.sticks.receive(second).feed == 0
    kit.sticks.receive(office.answer(export(kit, stick)))
    assert inbox(kit).cursor() == cursor + 1
    # Old words of other news come once more, and rewind nothing.
    assert not kit.sticks.receive(answer).rolled_back
    assert kit.sticks.receive(first).feed == 0
    assert inbox(kit).cursor() == cursor + 1


def test_a_revoked_laptop_hears_it_and_still_delivers(office: StickOffice, stick: Path) -> None:
    kit = office.kit("laptop")
    enroll(kit, 1)
    answer = office.answer(export(kit, stick))
    content = decode_return(answer.read_bytes())
    reply = office.reworded(content.reply, state=DeviceState.REVOKED)
    answer.write_bytes(encode_return(reply, content.receipts, ()))
    told = kit.sticks.receive(answer)
    assert told.accepted == 1
    assert any("shut this laptop out" in words for words in told.words)


def test_receiving_waits_for_a_session_to_end(office: StickOffice, stick: Path) -> None:
    from enrollkit.store.lock import SyncLock  # noqa: PLC0415 - the lock of the other window

    kit = office.kit("laptop")
    answer = office.answer(export(kit, stick))
    with SyncLock(kit._open().home.sync_lock).exclusive(), pytest.raises(SyncBusy):
        kit.sticks.receive(answer)
    assert kit.sticks.receive(answer).files == [answer]


def test_a_restored_server_whose_clock_is_behind_is_believed(
    office: StickOffice, stick: Path
) -> None:
    """Which word is newer, our own hellos say: a server's clock may have been set back."""
    kit = office.kit("laptop")
    enroll(kit, 2, freeze=True)
    kit.sticks.receive(office.answer(export(kit, stick)))
    answer = office.answer(export(kit, stick))
    content = decode_return(answer.read_bytes())
    earlier = office.office.now - 5 * 86_400
    reply = office.reworded(
        content.reply, server_time=earlier, held_upto=0, held_digest=bytes(32), epoch="77" * 8
    )
    answer.write_bytes(encode_return(reply, (), ()))
    assert kit.sticks.receive(answer).rolled_back
    assert len(decode_bundle(export(kit, stick).read_bytes()).batches) == 2


def test_one_word_from_a_fast_clock_does_not_outlast_a_revocation(
    office: StickOffice, stick: Path
) -> None:
    kit = office.kit("laptop")
    for changes in ({"server_time": office.office.now + 10**9}, {"state": DeviceState.REVOKED}):
        answer = office.answer(export(kit, stick))
        content = decode_return(answer.read_bytes())
        answer.write_bytes(encode_return(office.reworded(content.reply, **changes), (), ()))
        told = kit.sticks.receive(answer)
    assert any("shut this laptop out" in words for words in told.words)
    assert not outbox_of(kit._open()).is_approved()


def test_a_word_on_the_network_makes_every_stick_before_it_history(
    office: StickOffice, stick: Path
) -> None:
    kit = office.kit("laptop")
    answer = office.answer(export(kit, stick))
    content = decode_return(answer.read_bytes())
    later = office.reworded(content.reply, server_time=0, state=DeviceState.REVOKED)
    outbox_of(kit._open()).note_contact(office.opened(later))
    kit.sticks.receive(answer)
    assert not outbox_of(kit._open()).is_approved()
    kit.sticks.receive(office.answer(export(kit, stick)))
    assert outbox_of(kit._open()).is_approved()


def test_every_stick_introduces_its_laptop_to_a_server_that_never_met_it(
    office: StickOffice, stick: Path
) -> None:
    kit = office.kit("laptop")
    kit.sticks.receive(office.answer(export(kit, stick)))
    assert outbox_of(kit._open()).is_approved()
    hello = open_hello(decode_bundle(export(kit, stick).read_bytes()).hello)
    assert hello.public_key == kit._open().keys.signing.public.raw
    assert hello.seal_key is not None


def test_a_file_names_no_run_of_the_machine_that_wrote_it(office: StickOffice, stick: Path) -> None:
    """Its finder could post it as a hello said at that moment: no clock is measured by it."""
    kit = office.kit("laptop")
    hellos = [
        open_hello(decode_bundle(export(kit, stick).read_bytes()).hello) for _twice in range(2)
    ]
    boots = {hello.boot for hello in hellos} | {kit._open().system.boot()}
    assert len(boots) == 3
    assert [hello.monotonic for hello in hellos] == [0, 0]


def append_news(office: StickOffice, device: str, count: int) -> None:
    body = {"incarnation": "00" * 8, "seq": 1, "outcome": "accepted"}
    with office.office.store.write() as connection:
        for _each in range(count):
            append(
                connection,
                device,
                FeedKind.VERDICT_CHANGED,
                body,
                at=office.office.now,
                record="00" * 16,
            )


def test_old_news_of_before_a_restore_is_never_put_behind_the_new(
    office: StickOffice, stick: Path
) -> None:
    kit = office.kit("laptop")
    device = kit._open().keys.id
    first = export(kit, stick)
    office.answer(first)
    append_news(office, device, 5)
    old = office.answer(first)
    assert kit.sticks.receive(old).feed >= 5
    with office.office.store.write() as connection:
        connection.execute(text("DELETE FROM feed"))
        connection.execute(text("UPDATE devices SET feed_head = 0"))
    append_news(office, device, 2)
    assert kit.sticks.receive(office.answer(export(kit, stick))).rolled_back
    kit.sticks.receive(office.answer(export(kit, stick)))
    assert inbox(kit).cursor() == 2
    for _again in range(2):
        assert kit.sticks.receive(old).feed == 0
        assert inbox(kit).cursor() == 2
        assert not kit.sticks.receive(office.answer(export(kit, stick))).rolled_back


def test_news_numbered_anew_behind_the_hello_of_a_stick_waits_for_the_next(
    office: StickOffice, stick: Path
) -> None:
    """Its hello had read nothing, so its digest fits any server: the entries' ids do not."""
    kit = office.kit("laptop")
    device = kit._open().keys.id
    bundle = export(kit, stick)
    office.answer(bundle)
    append_news(office, device, 3)
    kit.sticks.receive(office.answer(bundle))
    read = inbox(kit).cursor()
    with office.office.store.write() as connection:
        connection.execute(text("DELETE FROM feed"))
        connection.execute(text("UPDATE devices SET feed_head = 0"))
    append_news(office, device, read + 1)
    told = kit.sticks.receive(office.answer(bundle))
    assert (told.feed, inbox(kit).cursor()) == (0, read)
    assert any("numbered its news anew" in words for words in told.words)
