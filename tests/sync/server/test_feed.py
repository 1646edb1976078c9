from __future__ import annotations

import base64

import pytest

from server_laptops import Laptop, Office
from sync.chains import next_feed_digest
from sync.programme import Wording, open_programme
from sync.protocol import NO_DIGEST, FeedKind, FeedPage
from sync.server import feed
from sync.server.approval import revoke_device
from sync.server.errors import HttpFault, WordingInvalid
from sync.server.programme import CONSENT_CODE, publish, set_wording


def page(office: Office, laptop: Laptop, after: int = 0) -> FeedPage:
    return laptop.open_page(office.contact.page(laptop.feed_request(after), after))


def test_an_approved_laptop_learns_the_programme_that_lists_it(office: Office) -> None:
    laptop = office.laptop()
    (entry,) = page(office, laptop).entries
    signed = base64.b64decode(entry.body["programme"])
    programme = open_programme(signed, office.keys.signing.public)
    assert programme.device(laptop.id) is not None


def test_numbers_have_no_gaps_and_every_page_continues_the_last(office: Office) -> None:
    laptop = office.laptop()
    page(office, laptop)
    with office.store.write() as connection:
        for place in range(450):
            feed.append(connection, laptop.id, FeedKind.CORRECTION, {"place": place}, at=place)
    cursor, seen = 0, []
    while True:
        got = page(office, laptop, cursor)
        if not got.entries:
            break
        seen += [entry.seq for entry in got.entries]
        cursor = got.entries[-1].seq
    assert seen == list(range(1, 452))
    assert cursor == got.head


def test_a_programme_that_nobody_fetched_is_replaced_and_not_followed(office: Office) -> None:
    laptop = office.laptop()
    for _ in range(5):
        office.laptop()
    got = page(office, laptop)
    assert (got.head, len(got.entries)) == (1, 1)
    signed = base64.b64decode(got.entries[0].body["programme"])
    assert open_programme(signed, office.keys.signing.public).serial == office.programme().serial
    office.laptop()
    assert [entry.seq for entry in page(office, laptop, 1).entries] == [2]


def test_a_rolled_back_number_is_given_again(office: Office) -> None:
    laptop = office.laptop()
    with office.store.write() as connection, connection.begin_nested() as savepoint:
        assert feed.append(connection, laptop.id, FeedKind.CORRECTION, {}, at=1) == 2
        savepoint.rollback()
    with office.store.write() as connection:
        assert feed.append(connection, laptop.id, FeedKind.CORRECTION, {}, at=1) == 2


def test_a_revoked_laptop_learns_its_revocation_and_nothing_else(office: Office) -> None:
    laptop, other = office.laptop(), office.laptop()
    page(office, laptop)
    with office.store.write() as connection:
        revoke_device(connection, office.keys, laptop.id, now=2)
    (entry,) = page(office, laptop, 1).entries
    assert entry.kind == FeedKind.DEVICE_REVOKED
    with office.store.write() as connection:
        publish(connection, office.keys, now=3)
    for after in (0, 2):
        with pytest.raises(HttpFault, match="device-revoked"):
            page(office, laptop, after)
    assert page(office, other).entries


def test_what_comes_after_a_revocation_does_not_leave_with_it(office: Office) -> None:
    laptop = office.laptop()
    page(office, laptop)
    with office.store.write() as connection:
        revoke_device(connection, office.keys, laptop.id, now=2)
        feed.append(connection, laptop.id, FeedKind.CORRECTION, {}, at=3)
    assert [entry.kind for entry in page(office, laptop, 1).entries] == [FeedKind.DEVICE_REVOKED]


def test_the_digest_of_a_feed_is_that_of_its_ids_in_order(office: Office) -> None:
    laptop = office.laptop()
    with office.store.write() as connection:
        for place in range(3):
            feed.append(connection, laptop.id, FeedKind.CORRECTION, {}, at=place)
    digest = NO_DIGEST
    for entry in page(office, laptop).entries:
        digest = next_feed_digest(digest, entry.id)
        with office.store.read() as connection:
            assert feed.digest_at(connection, laptop.id, entry.seq) == digest
    with office.store.read() as connection:
        assert feed.digest_at(connection, laptop.id, 0) == NO_DIGEST
        assert feed.digest_at(connection, laptop.id, 99) == NO_DIGEST


def test_an_official_wording_takes_the_place_of_ours_and_is_announced(office: Office) -> None:
    laptop = office.laptop()
    before = office.programme()
    assert {(w.version, w.language, w.official) for w in before.consents} == {
        ("1.4", "en", False),
        ("1.4", "hi", False),
    }
    official = Wording(
        code=CONSENT_CODE, version="1.4", language="hi", text="आधिकारिक", official=True
    )
    with office.store.write() as connection:
        set_wording(connection, official, now=5)
        publish(connection, office.keys, now=5)
    assert official in office.programme().consents
    assert len(office.programme().consents) == 2
    signed = base64.b64decode(page(office, laptop).entries[0].body["programme"])
    assert official in open_programme(signed, office.keys.signing.public).consents


@pytest.mark.parametrize(
    "changes", [{"language": "xx"}, {"text": " "}, {"version": "v" * 30}, {"text": "x" * 20001}]
)
def test_a_wording_that_no_laptop_would_take_is_refused(
    office: Office, changes: dict[str, str]
) -> None:
    fields = {"version": "1.4", "language": "hi", "text": "text", **changes}
    wording = Wording(code=CONSENT_CODE, official=True, **fields)
    with office.store.write() as connection, pytest.raises(WordingInvalid):
        set_wording(connection, wording, now=5)


def test_a_cursor_ahead_of_the_feed_gets_an_empty_page_that_shows_the_head(office: Office) -> None:
    laptop = office.laptop()
    got = page(office, laptop, 99)
    assert (got.head, got.entries) == (1, ())
