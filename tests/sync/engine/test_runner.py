"""A whole session against a server in memory: what happens, in which order, and what is claimed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine_fakes import QUICK, FakeOutbox, Laptop
from engine_server import INCARNATION, batch, news
from sync.engine.account import Progress, Summary
from sync.engine.runner import deliver
from sync.errors import (
    CertificateExpired,
    ClockSkew,
    ClockWrong,
    DevicePending,
    DeviceRevoked,
    Offline,
    Portal,
    ProtocolMismatch,
    ReceiptInvalid,
    Refused,
    ServerUnavailable,
    SyncBusy,
)
from sync.protocol import NO_DIGEST, DeviceState, Outcome, SealedBatch


def run(laptop: Laptop, **options: object) -> Summary:
    return deliver(laptop.ports, approval_code="7K2M-94QD-XV3T-8", pacing=QUICK, **options)


def test_everybody_who_waits_is_signed_for_and_counted_once() -> None:
    laptop = Laptop(people=6)
    summary = run(laptop)
    assert summary.error is None
    assert (summary.sent, summary.accepted, summary.waiting) == (6, 6, 0)
    assert laptop.outbox.receipted_upto(INCARNATION) == 3


def test_a_second_session_says_one_hello_and_nothing_else() -> None:
    laptop = Laptop(people=6)
    run(laptop)
    laptop.events.clear()
    summary = run(laptop)
    assert laptop.events == ["hello"]
    assert (summary.sent, summary.requests, summary.accepted) == (0, 1, 0)


def test_each_batch_is_noted_as_offered_before_its_first_byte_leaves() -> None:
    laptop = Laptop(people=4)
    run(laptop)
    assert laptop.events == [
        "hello", "push", "offered 1", "bytes 1", "offered 2", "bytes 2", "applied 1", "applied 2",
    ]  # fmt: skip


def test_pushing_comes_wholly_before_the_news() -> None:
    laptop = Laptop(people=40, news=news(5))
    summary = run(laptop)
    assert laptop.events.count("push") > 1
    assert laptop.events.index("feed") > max(
        place for place, event in enumerate(laptop.events) if event == "push"
    )
    assert (summary.feed, laptop.inbox.cursor(), laptop.events.count("feed")) == (5, 5, 3)


def test_a_lost_reply_is_made_good_by_the_receipts_that_come_with_the_next_hello() -> None:
    laptop = Laptop(people=4, faults=iter(["", "lost reply"]))
    summary = run(laptop)
    assert laptop.events.count("push") == 1
    assert (summary.sent, summary.accepted, summary.waiting) == (4, 4, 0)


def test_what_came_before_a_cut_stays_and_only_the_rest_is_done_again() -> None:
    laptop = Laptop(people=6, faults=iter(["", "cut down"]))
    summary = run(laptop)
    assert [event for event in laptop.events if event.startswith("applied")] == [
        "applied 1", "applied 2", "applied 3",
    ]  # fmt: skip
    assert summary.accepted == 6


def test_a_cut_while_sending_costs_one_partial_batch() -> None:
    laptop = Laptop(people=6, faults=iter(["", "cut up"]))
    run(laptop)
    assert [event for event in laptop.events if event.startswith("bytes")] == [
        "bytes 1", "bytes 2", "bytes 2", "bytes 3",
    ]  # fmt: skip


def test_doubled_receipts_count_people_once() -> None:
    summary = run(Laptop(people=4, faults=iter(["doubled", "doubled"])))
    assert (summary.accepted, summary.error) == (4, None)


@pytest.mark.parametrize("fault", ["forged", "other device", "other batch", "stale", "short"])
def test_a_receipt_that_is_not_for_this_batch_of_this_request_marks_nothing(fault: str) -> None:
    laptop = Laptop(people=2, faults=iter(["", fault, "offline", "offline", "offline"]))
    summary = run(laptop)
    assert not [event for event in laptop.events if event.startswith("applied")]
    assert (summary.waiting, summary.accepted) == (2, 0)
    assert isinstance(summary.error, Offline)


@pytest.mark.parametrize("fault", ["forged", "other device", "stale"])
def test_a_reply_that_the_server_did_not_sign_for_this_hello_teaches_nothing(fault: str) -> None:
    laptop = Laptop(people=2, faults=iter([fault, fault]))
    summary = run(laptop)
    assert isinstance(summary.error, ReceiptInvalid)
    assert laptop.outbox.contacts == []
    assert "push" not in laptop.events


def test_an_answer_without_any_receipt_is_no_success() -> None:
    laptop = Laptop(people=2, faults=iter(["", *["silent", ""] * 20]))
    laptop.server.held = []
    summary = run(laptop)
    # The server held the batch after all, so the next hello brought its receipt.
    assert (summary.accepted, summary.error) == (2, None)
    assert "rest 5" in [event.split(".")[0] for event in laptop.events]


def test_a_login_page_marks_nothing_and_ends_the_session_at_once() -> None:
    laptop = Laptop(people=2, faults=iter(["portal"]))
    summary = run(laptop)
    assert isinstance(summary.error, Portal)
    assert laptop.events == ["hello"]
    assert summary.waiting == 2


def test_a_server_restored_from_a_backup_is_offered_everything_again() -> None:
    laptop = Laptop(people=8)
    run(laptop)
    laptop.server.restore(1)
    laptop.events.clear()
    summary = run(laptop)
    assert summary.rolled_back
    assert [event for event in laptop.events if event.startswith("bytes")] == [
        "bytes 2", "bytes 3", "bytes 4",
    ]  # fmt: skip
    assert (summary.sent, summary.accepted, summary.waiting) == (6, 0, 0)
    assert len(laptop.server.held) == 4


def test_a_server_that_lost_what_is_no_longer_kept_here_is_not_sent_a_gap() -> None:
    class Forgetful(FakeOutbox):
        def batches_after(
            self, incarnation: str, number: int, *, bytes_max: int
        ) -> list[SealedBatch]:
            del incarnation, bytes_max
            return [each for each in self.batches if each.number > max(number, 2)]

    laptop = Laptop(people=6)
    run(laptop)
    kept = Forgetful(laptop.events)
    kept.batches, kept.receipts = laptop.outbox.batches, laptop.outbox.receipts
    laptop.outbox = kept
    laptop.server.restore(0)
    laptop.events.clear()
    assert isinstance(run(laptop).error, Refused)
    assert laptop.events == ["hello"]


def test_a_device_that_waits_for_approval_is_told_its_code_and_delivers_afterwards() -> None:
    laptop = Laptop(people=4, state=DeviceState.PENDING, knows_device=False)
    laptop.outbox.approved = False
    first = run(laptop)
    assert isinstance(first.error, DevicePending)
    assert first.error.approval_code == "7K2M-94QD-XV3T-8"
    assert "7K2M-94QD-XV3T-8" in first.error.text
    assert (first.sent, first.waiting, laptop.events) == (0, 4, ["hello"])
    laptop.server.state = DeviceState.APPROVED
    assert run(laptop).accepted == 4


def test_a_revoked_device_delivers_into_quarantine_and_learns_nothing() -> None:
    laptop = Laptop(people=4, state=DeviceState.REVOKED, outcome=Outcome.HELD, news=news(3))
    summary = run(laptop)
    assert isinstance(summary.error, DeviceRevoked)
    assert (summary.held, summary.waiting, summary.feed) == (4, 0, 0)
    assert "feed" not in laptop.events
    assert [reply.state for reply in laptop.outbox.contacts] == [DeviceState.REVOKED]


def test_a_server_that_forgot_the_device_is_told_its_keys_without_a_rest() -> None:
    laptop = Laptop(people=2, knows_device=False)
    summary = run(laptop)
    assert summary.accepted == 2
    assert laptop.events[:3] == ["hello", "hello", "push"]


def test_a_copied_disk_begins_a_new_life_and_both_chains_are_kept() -> None:
    laptop = Laptop(people=2)
    theirs = batch(1, NO_DIGEST, count=9).digest
    laptop.server.held = [theirs]
    summary = run(laptop)
    assert (summary.error, summary.forked) == (None, True)
    assert laptop.events[:3] == ["hello", "new life", "hello"]
    assert (summary.accepted, summary.waiting) == (2, 0)
    assert laptop.server.held == [theirs]
    assert [each.incarnation for each in laptop.server.forks] == [INCARNATION]


def test_what_is_enrolled_after_the_new_life_began_goes_into_its_chain() -> None:
    laptop = Laptop(people=2)
    laptop.server.held = [batch(1, NO_DIGEST, count=9).digest]
    run(laptop)
    laptop.outbox.unfrozen = 2
    summary = run(laptop)
    assert (summary.accepted, summary.forked, summary.waiting) == (2, False, 0)
    assert len(laptop.server.chain(laptop.outbox.incarnation())) == 1


def test_a_server_that_holds_more_than_a_restored_laptop_ever_made_starts_a_new_life() -> None:
    laptop = Laptop()
    laptop.server.held = [batch(1, NO_DIGEST).digest]
    summary = run(laptop)
    assert (summary.forked, summary.error) == (True, None)
    assert laptop.outbox.incarnation() != INCARNATION


def test_news_of_a_restored_server_is_read_again_and_applied_once() -> None:
    laptop = Laptop(news=news(3))
    run(laptop)
    fresh = replace(news(3)[2], id="ff" * 8)
    laptop.server.news = [*news(2), fresh]
    summary = run(laptop)
    assert summary.rolled_back
    assert [entry.id for entry in laptop.inbox.entries] == [
        *(entry.id for entry in news(3)),
        fresh.id,
    ]


def test_news_of_what_was_held_is_asked_for_in_the_same_session() -> None:
    laptop = Laptop(people=2, outcome=Outcome.HELD)
    run(laptop)
    assert laptop.events.count("feed") == 1
    assert run(Laptop(people=2)).requests == 2


def test_photos_go_after_people_and_people_saved_meanwhile_before_the_next_photos() -> None:
    laptop = Laptop(people=2)
    laptop.outbox.photos = 2
    summary = run(laptop)
    assert [event for event in laptop.events if event.startswith(("push", "applied"))] == [
        "push", "applied 1", "push", "applied 2",
    ]  # fmt: skip
    assert summary.waiting == 0


def test_a_session_that_is_asked_to_stop_ends_after_the_batch_under_way() -> None:
    laptop = Laptop(people=8)
    summary = run(laptop, is_stopping=lambda: "offered 2" in laptop.events)
    assert (summary.stopped, summary.error) == (True, None)
    assert (summary.accepted, summary.waiting) == (4, 4)
    assert run(laptop).waiting == 0


def test_a_rest_ends_when_somebody_asks_to_stop() -> None:
    laptop = Laptop(people=2, faults=iter(["", "cut up"]))
    laptop.server.faults = iter(["", "lost reply"])
    summary = run(laptop, is_stopping=lambda: laptop.stage.seconds >= 2)
    assert (summary.stopped, laptop.stage.seconds) == (True, 2)


def test_receipts_beyond_the_servers_measure_are_asked_for_and_not_sent_for_again() -> None:
    laptop = Laptop(people=8, receipts_max=2)
    laptop.server.faults = iter(["", "lost reply"])
    summary = run(laptop)
    assert summary.waiting == 0
    assert laptop.events.count("bytes 1") == 1
    assert laptop.events.count("bytes 4") == 1


def test_a_clock_that_is_years_off_is_told_by_the_servers_signed_time() -> None:
    laptop = Laptop(people=2, faults=iter(["certificate"]), time=1_795_000_000)
    summary = run(laptop)
    assert isinstance(summary.error, ClockWrong)
    assert "01.01.2019" in summary.error.text
    assert "18.11.2026" in summary.error.text
    assert summary.waiting == 2


def test_a_certificate_that_ran_out_under_a_right_clock_is_the_offices_to_renew() -> None:
    laptop = Laptop(people=2, faults=iter(["certificate"]), time=1_546_300_900)
    assert isinstance(run(laptop).error, CertificateExpired)


def test_a_clock_is_not_judged_by_an_unsigned_word() -> None:
    laptop = Laptop(people=2, faults=iter(["certificate", "offline"]), time=1_795_000_000)
    summary = run(laptop)
    assert type(summary.error) is ClockSkew


def test_a_server_that_is_too_new_is_said_so() -> None:
    assert isinstance(run(Laptop(minimum_version=2)).error, ProtocolMismatch)


def test_rejected_and_held_people_step_aside_and_the_rest_goes_on() -> None:
    laptop = Laptop(people=6, poisoned=frozenset({1}))
    summary = run(laptop)
    assert (summary.accepted, summary.rejected, summary.waiting) == (5, 1, 0)
    assert run(Laptop(people=2, outcome=Outcome.HELD)).held == 2


def test_rests_grow_and_a_server_that_names_a_time_is_not_called_before() -> None:
    laptop = Laptop(people=2, faults=iter(["", "busy", "busy", "busy", "busy"]))
    summary = run(laptop)
    rests = [float(event[5:]) for event in laptop.events if event.startswith("rest")]
    assert len(rests) == 3
    assert rests[0] >= 7
    assert rests[1] >= 10
    assert rests[2] >= 20
    assert isinstance(summary.error, ServerUnavailable)


def test_no_server_at_all_ends_after_the_tries_that_were_allowed() -> None:
    laptop = Laptop(people=2, faults=iter(["offline"] * 9))
    summary = run(laptop)
    assert laptop.events.count("hello") == QUICK.first_tries_max
    assert (summary.waiting, summary.sent) == (2, 0)


def test_a_proxy_that_refuses_large_requests_gets_smaller_ones() -> None:
    summary = run(Laptop(people=40, request_bytes_max=100))
    assert (summary.accepted, summary.error) == (40, None)


def test_the_allowance_of_bytes_ends_the_session_with_the_rest_still_waiting() -> None:
    laptop = Laptop(people=40, news=news(1))
    summary = run(laptop, limit_bytes=200)
    assert summary.limited
    assert 0 < summary.accepted < 40
    assert summary.accepted + summary.waiting == 40
    assert "feed" not in laptop.events


def test_people_enrolled_during_a_rest_come_along() -> None:
    laptop = Laptop(people=2, faults=iter(["", "offline"]))
    laptop.stage.sleep = lambda _seconds: setattr(laptop.outbox, "unfrozen", 4)
    summary = run(laptop)
    assert (summary.accepted, summary.waiting) == (6, 0)


def test_only_one_session_runs_at_a_time() -> None:
    laptop = Laptop(people=2)
    laptop.stage.is_busy = True
    with pytest.raises(SyncBusy):
        run(laptop)
    assert laptop.events == []


def test_a_full_disk_is_not_taken_for_a_bad_road() -> None:
    class Full(Exception):
        pass

    def fill(_batch: SealedBatch) -> int:
        raise Full

    laptop = Laptop(people=2)
    laptop.outbox.note_offered = fill
    with pytest.raises(Full):
        run(laptop)
    assert not laptop.stage.is_busy
    assert laptop.server.held == []


def test_progress_never_claims_more_than_is_signed_for() -> None:
    told: list[Progress] = []
    laptop = Laptop(people=8, faults=iter(["", "cut down"]), news=news(1))

    def hear(progress: Progress) -> None:
        assert progress.people_signed == 2 * len(laptop.outbox.receipts)
        told.append(progress)

    run(laptop, on_progress=hear)
    assert {progress.phase for progress in told} == {
        "connecting", "people", "news", "waiting", "done",
    }  # fmt: skip
    assert all(progress.people_total == 8 for progress in told[1:])
    assert [progress.people_signed for progress in told] == sorted(
        progress.people_signed for progress in told
    )
    assert told[-1].text == "The server has signed for everything."


def test_the_figures_of_a_session_are_its_own_on_a_road_that_served_before() -> None:
    laptop = Laptop(people=2)
    run(laptop)
    assert run(laptop).requests == 1


def test_the_counters_have_the_keys_that_scripts_rely_on() -> None:
    assert list(run(Laptop()).counters()) == [
        "sent", "accepted", "duplicate", "held", "rejected", "feed", "bytes_up", "bytes_down",
        "requests", "seconds", "waiting", "rolled_back", "forked", "limited", "stopped",
    ]  # fmt: skip
