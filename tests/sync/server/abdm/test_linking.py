from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from link_office import NUMBER, LinkCamp, Said
from schemas.numbers import provisional_number
from server_laptops import Office
from sync.server.abdm.calls import LinkAsk, LinkTokenAsk, Step
from sync.server.abdm.jobs import Fate
from sync.server.store.tables import link_tokens

TEN_MINUTES = 600
HIP = "IN0123456789"
OTHER = "IN9876543210"


@pytest.fixture
def camp(office: Office) -> LinkCamp:
    return LinkCamp(office)


def with_token(camp: LinkCamp) -> None:
    """Let the token of whoever waits for one come, and the worker go on."""
    camp.advance()
    camp.call_back(camp.client.said[-1])
    camp.advance()


def test_a_record_is_linked_and_everybody_who_holds_the_person_is_told(camp: LinkCamp) -> None:
    record, [link] = camp.linked_person()
    [first] = camp.advance()
    assert (first.fate, first.asked) == (Fate.WAITS, True)
    token = camp.client.said[0]
    assert token.ask.abha_number == NUMBER.replace("-", "")
    camp.call_back(token)
    camp.advance()
    linked = camp.client.said[1]
    assert isinstance(linked.ask, LinkAsk)
    assert (linked.token, linked.hip) == ("a.token.b", HIP)
    assert linked.ask.patient_reference == provisional_number(record)
    assert "Zebra" not in linked.ask.patient_display
    assert [each.display for each in linked.ask.contexts] == ["Visit at camp"]
    assert camp.states() == {link: "ACCEPTED"}
    camp.call_back(linked)
    assert camp.states() == {link: "LINKED"}
    assert camp.news() == [("link.linked", link, {})]
    camp.advance()
    assert camp.job(record, "link")["state"] == "settled"


def test_the_token_is_matched_by_what_the_newest_version_says(camp: LinkCamp) -> None:
    record, _ = camp.linked_person()
    camp.amend(record, name="Marked Zebra Okapi")
    camp.issue(record, NUMBER)
    camp.advance()
    ask = camp.client.said[0].ask
    assert isinstance(ask, LinkTokenAsk)
    assert (ask.name, ask.gender, ask.birth_year) == ("Marked Zebra Okapi", "F", 1980)
    assert ask.abha_address == f"{NUMBER.replace('-', '')}@sbx"


def test_the_token_lies_sealed_and_only_the_worker_opens_it(camp: LinkCamp) -> None:
    camp.linked_person()
    camp.advance()
    camp.call_back(camp.client.said[0], token="very.secret.token")
    with camp.store.read() as connection:
        row = connection.execute(select(link_tokens)).one()
    assert b"secret" not in row.sealed
    assert row.expires_at - camp.now == 180 * 86_400_000
    assert (
        b"very.secret" not in camp.office.settings.home.joinpath("enrollkit-server.db").read_bytes()
    )
    camp.advance()
    assert camp.client.said[1].token == "very.secret.token"


def test_two_facilities_have_a_token_each(camp: LinkCamp) -> None:
    record, _ = camp.linked_person()
    camp.link(record, facility=OTHER)
    camp.advance()
    assert [one.hip for one in camp.client.said] == [HIP, OTHER]


def test_a_programme_with_a_hip_of_its_own_links_in_its_name(office: Office) -> None:
    camp = LinkCamp(office)
    camp.settings = replace(camp.settings, hip_id="IN5555555555")
    record, _ = camp.linked_person()
    camp.link(record, facility=OTHER)
    with_token(camp)
    assert [one.hip for one in camp.client.said] == ["IN5555555555"] * 3


def test_nothing_is_asked_twice_while_an_answer_may_come(camp: LinkCamp) -> None:
    camp.linked_person()
    camp.advance()
    camp.wait(TEN_MINUTES - 1)
    assert camp.advance() == []
    assert len(camp.client.said) == 1
    camp.wait(1)
    camp.advance()
    assert [one.step for one in camp.client.said] == [Step.LINK_TOKEN] * 2
    camp.wait(TEN_MINUTES)
    assert camp.advance() == []


def test_a_callback_that_overtakes_the_answer_to_its_request_is_not_lost(camp: LinkCamp) -> None:
    record, [link] = camp.linked_person()
    camp.client.script = [camp.call_back, camp.call_back]
    [advance] = camp.advance()
    assert advance.fate is Fate.SETTLED
    assert camp.states() == {link: "LINKED"}
    assert camp.job(record, "link")["state"] == "settled"


@pytest.mark.parametrize("lost", ["unknown", "taken"])
def test_a_lost_link_is_asked_for_again_and_already_linked_is_a_success(
    camp: LinkCamp, lost: str
) -> None:
    record, [link] = camp.linked_person()
    camp.client.script = ["taken", lost]
    with_token(camp)
    camp.wait(TEN_MINUTES)
    camp.advance()
    assert [one.step for one in camp.client.said[1:]] == [Step.LINK, Step.LINK]
    camp.call_back(camp.client.said[-1], "ABDM-1056")
    assert camp.states() == {link: "LINKED"}
    assert camp.news() == [("link.linked", link, {})]
    camp.advance()
    assert camp.job(record, "link")["state"] == "settled"


def test_already_linked_said_of_several_is_found_out_one_by_one(camp: LinkCamp) -> None:
    _, links = camp.linked_person(3)
    camp.client.script = ["taken", "ABDM-1056", "ABDM-1056"]
    with_token(camp)
    sizes = [len(one.ask.contexts) for one in camp.client.said if isinstance(one.ask, LinkAsk)]
    assert sizes == [3, 1, 1, 1]
    assert sorted(camp.states().values()) == ["ACCEPTED", "ACCEPTED", "LINKED"]
    for said in camp.client.said[3:]:
        camp.call_back(said)
    assert set(camp.states().values()) == {"LINKED"}
    assert sorted(news[1] for news in camp.news()) == sorted(links)


def test_a_crash_between_request_and_answer_is_like_a_lost_answer(camp: LinkCamp) -> None:
    _, [link] = camp.linked_person()
    camp.client.script = ["taken", _crash]
    camp.advance()
    camp.call_back(camp.client.said[0])
    with pytest.raises(KeyboardInterrupt):
        camp.advance()
    camp.wait(121)  # the lease of the dead worker
    camp.advance()
    assert len(camp.client.said) == 2
    camp.call_back(camp.client.said[1])
    assert camp.states() == {link: "LINKED"}


def _crash(said: Said) -> None:
    raise KeyboardInterrupt


def test_a_mismatch_with_the_account_comes_back_with_its_reason(camp: LinkCamp) -> None:
    record, [link] = camp.linked_person()
    camp.advance()
    camp.call_back(camp.client.said[0], "ABDM-1043")
    assert camp.states() == {link: "RETURNED"}
    assert camp.news() == [("link.returned", link, {"code": "link:kyc", "pointer": ""})]
    camp.advance()
    assert camp.job(record, "link")["state"] == "settled"
    assert len(camp.client.said) == 1


def test_a_link_that_is_added_after_the_correction_is_asked_for_with_the_new_name(
    camp: LinkCamp,
) -> None:
    record, [link] = camp.linked_person()
    camp.advance()
    camp.call_back(camp.client.said[0], "ABDM-1043")
    camp.advance()
    camp.amend(record, name="Zebra Quokka")
    camp.issue(record, NUMBER)
    camp.remove(record, link)
    again = camp.link(record)
    camp.wait(TEN_MINUTES)
    with_token(camp)
    camp.call_back(camp.client.said[-1])
    assert camp.states() == {link: "REMOVED", again: "LINKED"}


def test_a_wrong_facility_comes_back_at_its_field_and_only_its_links(camp: LinkCamp) -> None:
    record, [link] = camp.linked_person()
    other = camp.link(record, facility=OTHER)
    camp.client.script = ["ABDM-1035"]
    camp.advance()
    assert camp.states() == {link: "RETURNED", other: "ACCEPTED"}
    assert camp.news() == [
        ("link.returned", link, {"code": "link:facility", "pointer": "/facility"})
    ]


def test_a_duplicate_is_told_what_was_said_first(camp: LinkCamp) -> None:
    _, [link] = camp.linked_person()
    camp.client.script = ["unknown", "ABDM-1092"]
    camp.advance()
    camp.wait(TEN_MINUTES)
    camp.advance()
    assert camp.states() == {link: "ACCEPTED"}, "the first may still be answered"
    camp.call_back(camp.client.said[0], "ABDM-1051")
    assert camp.news()[0][2]["code"] == "link:unknown-abha"
    assert camp.exchanges_of(Step.LINK_TOKEN) == ["ABDM-1092"]


def test_a_duplicate_of_a_refused_request_means_that_refusal(camp: LinkCamp) -> None:
    record, [link] = camp.linked_person()
    camp.client.script = ["ABDM-2429", "ABDM-1092"]
    camp.advance()
    camp.wait(3 * TEN_MINUTES)
    camp.advance()
    assert camp.states() == {link: "ACCEPTED"}, "too many requests passes"
    assert camp.job(record, "link")["state"] == "due"


def test_blocked_for_a_day_means_a_day_and_stops_nobody_else(camp: LinkCamp) -> None:
    _, [link] = camp.linked_person()
    camp.advance()
    camp.call_back(camp.client.said[0], "ABDM-1027")
    [advance] = camp.advance()
    assert advance.fate is Fate.WAITS
    camp.wait(86_399)
    assert [each.asked for each in camp.advance()] == [False]
    assert len(camp.client.said) == 1
    camp.wait(1)
    camp.advance()
    assert len(camp.client.said) == 2
    assert (camp.states(), camp.news()) == ({link: "ACCEPTED"}, [])


@pytest.mark.parametrize("code", ["ABDM-1026", "ABDM-1038", "ABDM-1062", "ABDM-1063"])
def test_a_token_that_does_not_fit_is_renewed_once_and_then_somebody_must_look(
    camp: LinkCamp, code: str
) -> None:
    _, [link] = camp.linked_person()
    camp.client.script = ["taken", code]
    with_token(camp)
    assert len(camp.client.said) == 2, "ABDM remembers the first request for a token"
    camp.wait(TEN_MINUTES)
    camp.client.script = ["taken", code]
    with_token(camp)
    assert [one.step for one in camp.client.said] == [Step.LINK_TOKEN, Step.LINK] * 2
    assert camp.states() == {link: "RETURNED"}
    assert camp.news()[0][2]["code"] == "link:token"


def test_an_unknown_refusal_is_kept_whole_and_shown_as_it_is(camp: LinkCamp) -> None:
    _, [link] = camp.linked_person()
    camp.advance()
    camp.call_back(camp.client.said[0], "ABDM-4711")
    assert camp.news() == [
        ("link.returned", link, {"code": "abdm:unknown ABDM-4711", "pointer": ""})
    ]


def test_an_outage_bothers_nobody_and_is_told_to_the_worker(camp: LinkCamp) -> None:
    record, [link] = camp.linked_person()
    camp.client.script = ["unsent"]
    [advance] = camp.advance()
    assert advance.fate is Fate.OUTAGE
    assert (camp.states(), camp.news()) == ({link: "ACCEPTED"}, [])
    camp.wait(3600)
    camp.advance()
    assert len(camp.client.said) == 2, "what never left is asked for again at once"
    assert camp.job(record, "link")["state"] == "due"


def test_a_fault_of_ours_halts_and_tells_no_laptop(camp: LinkCamp) -> None:
    _, [link] = camp.linked_person()
    camp.client.script = ["ABDM-2402"]
    [advance] = camp.advance()
    assert (advance.fate, advance.code) == (Fate.HALTED, "abdm:clock")
    assert (camp.states(), camp.news()) == ({link: "ACCEPTED"}, [])


def test_what_was_removed_meanwhile_stays_removed(camp: LinkCamp) -> None:
    record, [link] = camp.linked_person()
    with_token(camp)
    camp.remove(record, link)
    camp.call_back(camp.client.said[-1])
    assert camp.states() == {link: "REMOVED"}
    assert camp.news() == []
    camp.advance()
    assert camp.job(record, "link")["state"] == "settled"


def test_nothing_leaves_for_who_withdrew_and_no_token_of_theirs_is_kept(camp: LinkCamp) -> None:
    record, _ = camp.linked_person()
    camp.advance()
    camp.withdraw(record)
    camp.call_back(camp.client.said[0])
    camp.advance()
    assert len(camp.client.said) == 1
    assert camp.office.count("SELECT count(*) FROM link_tokens") == 0


def test_a_link_removed_in_the_last_moment_is_not_asked_for(camp: LinkCamp) -> None:
    record, [link] = camp.linked_person()
    camp.advance()
    camp.call_back(camp.client.said[0])
    camp.client.before = lambda: camp.remove(record, link)
    [advance] = camp.advance()
    assert advance.fate is Fate.SETTLED
    assert len(camp.client.said) == 1


def test_a_twin_that_another_laptop_added_hears_of_it_too(camp: LinkCamp) -> None:
    record, [link] = camp.linked_person()
    other = camp.office.laptop()
    operation = other.link(record, reference=f"OPD-{camp.references}")
    camp.office.take(other, other.batch([operation]))
    with_token(camp)
    camp.call_back(camp.client.said[-1])
    assert camp.news(other) == [("link.linked", operation.record, {})]
    assert camp.news() == [("link.linked", link, {})]


def test_a_token_sealed_to_another_vault_is_asked_for_anew(camp: LinkCamp) -> None:
    camp.linked_person()
    camp.advance()
    camp.call_back(camp.client.said[0])
    with camp.store.write() as connection:
        connection.execute(link_tokens.update().values(sealed=b"\0" * 1200))
    camp.wait(TEN_MINUTES)
    camp.advance()
    assert [one.step for one in camp.client.said] == [Step.LINK_TOKEN] * 2


def test_forty_links_of_one_kind_go_in_two_requests_with_their_count(camp: LinkCamp) -> None:
    camp.linked_person(40)
    with_token(camp)
    sizes = [len(one.ask.contexts) for one in camp.client.said if isinstance(one.ask, LinkAsk)]
    assert sizes == [20, 20]


def test_without_the_keys_of_callbacks_nothing_is_asked(camp: LinkCamp) -> None:
    record, [link] = camp.linked_person()
    camp.settings = replace(camp.settings, callback_signature="required")
    camp.client.keys_fail = True
    [advance] = camp.advance()
    assert (advance.fate, advance.asked) == (Fate.WAITS, False)
    assert camp.job(record, "link")["code"] == "link:callback-keys"
    assert (camp.client.said, camp.states()) == ([], {link: "ACCEPTED"})


def test_a_link_that_comes_while_others_rest_for_a_day_is_asked_for_within_the_hour(
    camp: LinkCamp,
) -> None:
    record, _ = camp.linked_person()
    camp.advance()
    camp.call_back(camp.client.said[0], "ABDM-1027")
    camp.advance()
    camp.link(record, facility=OTHER)
    camp.wait(3600)
    camp.advance()
    assert [one.hip for one in camp.client.said] == [HIP, OTHER]
