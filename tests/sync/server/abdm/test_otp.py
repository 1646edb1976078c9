"""Finishing with the person present, by the real client against the practice ABDM."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from abdm_office import Camp, aadhaar
from abdm_present import Present
from practice_abdm import PracticeAbdm, practice_abdm
from server_laptops import Office
from sync.protocol import FinishStage
from sync.server.abdm.enrolling import advance_enrollment
from sync.server.abdm.finish_turns import claim_steps, forget_secrets
from sync.server.abdm.jobs import Fate
from sync.server.abdm.link_tokens import keep_token
from sync.server.abdm.outcomes import ask_for_person
from sync.server.sandbox.rules import FULL_MOBILE, Rule, number_for
from sync.server.store.tables import devices, finish_steps, finishes

PROVEN_MOBILE = "9123456780"
OTHER_MOBILE = "9123456781"


class PowerCut(BaseException):
    """Ends a turn where it happens, as kill -9 would."""


@pytest.fixture
def practice(office: Office) -> Iterator[PracticeAbdm]:
    with practice_abdm(clock=lambda: float(office.now)) as found:
        yield found


@pytest.fixture
def camp(office: Office) -> Camp:
    camp = Camp(office)
    camp.bring_key()
    return camp


@pytest.fixture
def client(office: Office, practice: PracticeAbdm) -> Iterator[Any]:
    with Present.client_of(practice, lambda: float(office.now)) as found:
        yield found


@pytest.fixture
def present(camp: Camp, practice: PracticeAbdm, client: Any) -> Present:
    return Present(camp, practice, client, camp.person(aadhaar(1), mobile=PROVEN_MOBILE))


def person(present: Present, number: str | None, **changes: Any) -> Present:
    """Let somebody else stand there."""
    record = present.camp.person(number, **changes)
    return Present(present.camp, present.practice, present.client, record)


def test_a_code_becomes_a_number_and_an_address(present: Present) -> None:
    answer = present.ask("send")
    assert (answer.stage, answer.code) == (FinishStage.CODE_SENT, "")
    assert answer.hint.startswith("******")
    answer = present.ask("code", present.practice.code)
    assert (answer.stage, answer.code) == (FinishStage.ADDRESS, "")
    assert answer.abha_number is not None
    assert len(answer.handles) == 3
    answer = present.ask("address", answer.handles[0])
    assert (answer.stage, answer.code) == (FinishStage.DONE, "")
    assert answer.abha_address is not None
    assert answer.abha_address.startswith("practice.")
    assert present.camp.state(present.record) == "ISSUED"
    assert [done.fate for done in present.advances] == [Fate.SETTLED] * 3


def test_the_laptops_are_told_of_the_number_at_once_and_of_the_address_after(
    present: Present,
) -> None:
    present.ask("send")
    number = present.ask("code", present.practice.code).abha_number
    (first,) = present.camp.news()
    assert (first[0], first[2]["abha_number"]) == ("abha.issued", number)
    address = present.ask("address", "asha.devi87").abha_address
    told = {"abha_number": number, "abha_address": address}
    assert present.camp.news()[1:] == [("abha.issued", present.record, told)]


def test_the_sealed_number_goes_when_the_abha_number_is_known(present: Present) -> None:
    present.ask("send")
    assert present.camp.sealed(present.record) == 1
    present.ask("code", present.practice.code)
    assert present.camp.sealed(present.record) == 0


def test_qr_and_card_are_fetched_and_no_secret_stays(present: Present) -> None:
    present.ask("send")
    present.ask("code", present.practice.code)
    count = "SELECT count(*) FROM abdm_papers"
    assert present.camp.office.count(count) == 2
    assert present.finish_row()["secret"] is not None
    present.ask("address-skip")
    assert present.finish_row()["secret"] is None
    assert all(step["sealed"] is None for step in present.steps())


def test_another_mobile_is_verified_or_left_out(present: Present) -> None:
    first = person(present, aadhaar(2), mobile=OTHER_MOBILE)
    first.ask("send")
    answer = first.ask("code", first.practice.code)
    assert (answer.stage, answer.hint) == (FinishStage.MOBILE, "******6781")
    assert answer.abha_number is not None
    assert first.ask("mobile-send").stage is FinishStage.MOBILE_SENT
    answer = first.ask("mobile-code", first.practice.code)
    assert (answer.stage, len(answer.handles)) == (FinishStage.ADDRESS, 3)
    second = person(present, aadhaar(3), mobile=OTHER_MOBILE)
    second.ask("send")
    second.ask("code", second.practice.code)
    answer = second.ask("mobile-skip")
    assert (answer.stage, len(answer.handles)) == (FinishStage.ADDRESS, 3)
    assert second.ask("address-skip").stage is FinishStage.DONE


def test_a_wrong_code_to_that_mobile_is_told(present: Present) -> None:
    other = person(present, aadhaar(2), mobile=OTHER_MOBILE)
    other.ask("send")
    other.ask("code", other.practice.code)
    other.ask("mobile-send")
    answer = other.ask("mobile-code", wrong(other.practice.code))
    assert (answer.stage, answer.code) == (FinishStage.MOBILE_SENT, "otp:wrong")
    answer = other.ask("mobile-code", "12")
    assert (answer.stage, answer.code) == (FinishStage.MOBILE_SENT, "otp:wrong")
    assert other.ask("mobile-code", other.practice.code).stage is FinishStage.ADDRESS


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_wrong_code_can_be_tried_again(present: Present) -> None:
    present.ask("send")
    answer = present.ask("code", wrong(present.practice.code))
    assert (answer.stage, answer.code) == (FinishStage.CODE_SENT, "otp:wrong")
    assert present.ask("code", present.practice.code).stage is FinishStage.ADDRESS


@pytest.mark.parametrize("typed", ["12345", "1234567", "12345a"])
def test_what_can_be_no_code_is_not_asked_for(present: Present, typed: str) -> None:
    present.ask("send")
    answer = present.ask("code", typed)
    assert (answer.stage, answer.code) == (FinishStage.CODE_SENT, "otp:wrong")
    assert ("otp-enrol", "refused") not in present.endings()


def test_too_many_wrong_codes_ask_for_another(present: Present) -> None:
    present.ask("send")
    code = wrong(present.practice.code)
    answers = [present.ask("code", code) for _ in range(4)]
    assert [answer.code for answer in answers] == ["otp:wrong"] * 3 + ["otp:too-many"]
    assert answers[-1].stage is FinishStage.READY
    present.wait(61)
    assert present.ask("send").stage is FinishStage.CODE_SENT


def test_our_own_limit_holds_where_abdm_has_none(present: Present) -> None:
    present.ask("send")
    answers = [present.ask("code", "12") for _ in range(5)]
    assert [answer.code for answer in answers] == ["otp:wrong"] * 4 + ["otp:too-many"]


def test_a_code_that_came_too_late_asks_for_another(present: Present) -> None:
    present.ask("send")
    code = present.practice.code
    request = present.request("code", code)
    present.wait(599)
    present.hand_in(request)
    present.wait(2)
    present.work()
    answer = present.look()
    assert (answer.stage, answer.code) == (FinishStage.READY, "otp:late")


def test_another_code_can_be_sent_after_a_minute(present: Present) -> None:
    present.ask("send")
    first = present.practice.code
    assert present.ask("send").code == "otp:wait"
    present.wait(61)
    answer = present.ask("send")
    assert (answer.stage, answer.code) == (FinishStage.CODE_SENT, "")
    assert present.finish_row()["sends"] == 2
    assert present.practice.code != first
    assert present.ask("code", present.practice.code).stage is FinishStage.ADDRESS


def test_where_abdm_forgot_the_transaction_a_new_one_is_begun(present: Present) -> None:
    present.ask("send")
    present.wait(61)
    present.practice.sandbox.codes._open.clear()
    assert present.ask("send").stage is FinishStage.CODE_SENT
    assert present.endings() == [
        ("otp-send", "done"),
        ("otp-send", "refused"),
        ("otp-send", "done"),
    ]
    assert present.finish_row()["sends"] == 2
    assert present.ask("code", present.practice.code).stage is FinishStage.ADDRESS


def test_somebody_who_had_a_number_is_found(present: Present) -> None:
    other = person(present, number_for(Rule.EXISTING), mobile=PROVEN_MOBILE)
    other.ask("send")
    answer = other.ask("code", other.practice.code)
    assert (answer.stage, answer.code) == (FinishStage.DONE, "abdm:exists")
    assert answer.abha_number is not None
    assert other.camp.state(other.record) == "DUPLICATE"


def test_all_are_told_of_a_number_of_whom_abdm_had_only_said_that_it_exists(
    present: Present,
) -> None:
    with present.camp.store.write() as connection:
        ask_for_person(
            connection, present.record, code="abdm:exists-unnamed", pointer="", now=present.camp.now
        )
    assert present.camp.state(present.record) == "NEEDS_PERSON"
    present.ask("send")
    number = present.ask("code", present.practice.code).abha_number
    assert number is not None
    assert [told[2].get("abha_number") for told in present.camp.news()] == [None, number]
    assert present.camp.state(present.record) == "ISSUED"


def test_a_number_that_the_other_road_brought_a_moment_ago_is_no_old_one(present: Present) -> None:
    camp, client = present.camp, present.client
    present.ask("send")
    present.hand_in(present.request("code", present.practice.code))
    (step,), (job,) = present.claims(), camp.claim()

    class Both:
        """The list's worker asks for the same person, between our look and our call."""

        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

        def enrol_by_otp(self, begin: Any, *asked: Any, **named: Any) -> Any:
            def begun(what: Any) -> None:
                begin(what)
                with pytest.raises(PowerCut):
                    advance_enrollment(
                        camp.store, Cut(client, "fetch_qr", after=False), present.vault,
                        present.practice.settings, job, clock=lambda: camp.now,
                    )  # fmt: skip

            return client.enrol_by_otp(begun, *asked, **named)

    present.do(step, Both())
    assert [(row["step"], row["ending"]) for row in camp.exchanges(present.record)][:3] == [
        ("otp-send", "done"),
        ("otp-enrol", "done"),
        ("demo-auth", "done"),
    ]
    assert (camp.state(present.record), present.look().stage) == ("ISSUED", FinishStage.ADDRESS)
    assert [told[0] for told in camp.news()] == ["abha.issued"]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (Rule.DEACTIVATED, "abdm:deactivated"),
        (Rule.REVIEW, "abdm:exists-unnamed"),
        (Rule.UNKNOWN_CODE, "abdm:unknown ABDM-4711"),
    ],
)
def test_a_refusal_says_why_and_can_be_begun_anew(present: Present, rule: Rule, code: str) -> None:
    other = person(present, number_for(rule), mobile=PROVEN_MOBILE)
    other.ask("send")
    answer = other.ask("code", other.practice.code)
    assert (answer.stage, answer.code) == (FinishStage.REFUSED, code)
    other.wait(61)
    assert other.ask("send").stage is FinishStage.CODE_SENT


def test_a_full_mobile_is_told_at_its_field(present: Present) -> None:
    other = person(present, aadhaar(2), mobile=FULL_MOBILE)
    other.ask("send")
    answer = other.ask("code", other.practice.code)
    assert (answer.stage, answer.code, answer.pointer) == (
        FinishStage.REFUSED, "abdm:mobile-full", "/mobile",
    )  # fmt: skip


def test_an_outage_leaves_it_where_it_is(present: Present) -> None:
    present.practice.script(otp=["unavailable"] * 3)
    answer = present.ask("send")
    assert (answer.stage, answer.code) == (FinishStage.READY, "finish:wait")
    assert present.advances[-1].fate is Fate.OUTAGE


def test_who_has_no_sealed_number_or_no_mobile_is_told_so(present: Present) -> None:
    nobody = person(present, None, mobile=PROVEN_MOBILE)
    assert nobody.ask("send").code == "person:aadhaar-missing"
    no_mobile = person(present, aadhaar(2), mobile=None, mobile_owner="none")
    answer = no_mobile.ask("send")
    assert (answer.stage, answer.code, answer.pointer) == (
        FinishStage.REFUSED, "person:mobile", "/mobile",
    )  # fmt: skip
    assert nobody.endings() == no_mobile.endings() == []


def test_an_address_that_is_taken_or_none_asks_for_another(present: Present) -> None:
    present.ask("send")
    present.ask("code", present.practice.code)
    answer = present.ask("address", "taken.name87")
    assert (answer.stage, answer.code) == (FinishStage.ADDRESS, "abdm:address-taken")
    answer = present.ask("address", "7")
    assert (answer.stage, answer.code) == (FinishStage.ADDRESS, "abdm:address")
    assert present.ask("address", "asha.devi87").stage is FinishStage.DONE


def test_the_same_step_asked_again_does_nothing_again(present: Present) -> None:
    present.ask("send")
    request = present.request("code", present.practice.code)
    first = present.say(request)
    requests = len(present.endings())
    again = present.say(request)
    assert replace(again, nonce=first.nonce) == first
    assert len(present.endings()) == requests


def test_a_code_opens_for_the_laptop_that_sealed_it_alone(present: Present) -> None:
    other = present.camp.office.laptop()
    present.ask("send", laptop=other)
    stolen = present.request("code", present.practice.code)
    forged = replace(present.request("code", "1", laptop=other), sealed=stolen.sealed)
    answer = present.say(forged, laptop=other)
    assert (answer.stage, answer.code) == (FinishStage.CODE_SENT, "otp:wrong")


def test_another_laptop_goes_on_where_the_first_left(present: Present) -> None:
    other = present.camp.office.laptop()
    present.ask("send")
    answer = present.ask("code", present.practice.code, laptop=other)
    assert (answer.stage, answer.code) == (FinishStage.READY, "otp:elsewhere")
    present.wait(61)
    assert present.ask("send", laptop=other).stage is FinishStage.CODE_SENT
    answer = present.ask("code", present.practice.code, laptop=other)
    assert (answer.stage, answer.abha_number is None) == (FinishStage.ADDRESS, False)
    assert present.look().abha_number == answer.abha_number
    third = present.camp.office.laptop()
    answer = present.look(laptop=third)
    assert (answer.stage, answer.abha_number) == (FinishStage.DONE, None)


def test_a_stranger_cannot_use_up_the_tries_of_a_code(present: Present) -> None:
    other = present.camp.office.laptop()
    present.ask("send")
    code = present.practice.code
    for _try in range(6):
        present.ask("code", wrong(code), laptop=other)
    assert present.ask("code", code).stage is FinishStage.ADDRESS


def test_who_withdrew_meanwhile_is_not_asked_for(present: Present) -> None:
    present.hand_in(present.request("send"))
    present.camp.withdraw(present.record)
    present.work()
    assert present.endings() == []
    assert present.look().code == "enrollment:withdrawn"


def test_who_was_corrected_during_the_call_is_asked_for_anew(present: Present) -> None:
    present.ask("send")
    present.hand_in(present.request("code", present.practice.code))
    (claim,) = present.claims()

    class Meanwhile:
        def __getattr__(self, name: str) -> Any:
            present.camp.amend(present.record, name="Asha Kumari")
            return getattr(present.client, name)

    present.do(claim, Meanwhile())
    assert ("otp-enrol", "done") not in present.endings()
    assert present.look().stage is FinishStage.CODE_SENT


def test_a_code_for_a_number_that_was_corrected_gives_nobody_anything(present: Present) -> None:
    present.ask("send")
    code = present.practice.code
    present.camp.amend(present.record, aadhaar(2))
    answer = present.ask("code", code)
    assert (answer.stage, answer.code) == (FinishStage.READY, "otp:late")
    assert (present.endings(), present.finish_row()["secret"]) == ([("otp-send", "done")], None)
    assert present.practice.accounts == []
    present.wait(61)
    present.ask("send")
    assert present.ask("code", present.practice.code).stage is FinishStage.ADDRESS
    assert present.practice.person(aadhaar(1))["creations"] == 0
    assert present.practice.person(aadhaar(2))["creations"] == 1


def test_another_code_after_a_correction_is_for_the_number_as_it_is_now(present: Present) -> None:
    present.ask("send")
    first = present.practice.code
    present.camp.amend(present.record, aadhaar(2))
    present.wait(61)
    assert present.ask("send").stage is FinishStage.CODE_SENT
    assert present.ask("code", first).code == "otp:wrong"
    assert present.ask("code", present.practice.code).stage is FinishStage.ADDRESS
    assert present.practice.person(aadhaar(1))["creations"] == 0
    assert present.practice.person(aadhaar(2))["creations"] == 1


def test_a_code_stays_good_where_a_correction_left_the_number(present: Present) -> None:
    present.ask("send")
    present.camp.amend(present.record, name="Asha Kumari")
    assert present.ask("code", present.practice.code).stage is FinishStage.ADDRESS


def test_a_number_that_is_corrected_during_the_call_gets_no_answer_to_the_old_one(
    present: Present,
) -> None:
    present.ask("send")
    present.hand_in(present.request("code", present.practice.code))
    (claim,) = present.claims()
    after = After(
        present.client, "enrol_by_otp", lambda: present.camp.amend(present.record, aadhaar(2))
    )
    present.do(claim, after)
    assert present.endings()[-1] == ("otp-enrol", "done")
    assert present.camp.row(present.record)["abha_number"] is None
    assert present.camp.state(present.record) == "ACCEPTED"
    answer = present.look()
    assert (answer.stage, answer.code) == (FinishStage.READY, "otp:late")


def test_of_who_withdraws_during_the_call_nothing_is_fetched_or_kept(present: Present) -> None:
    present.ask("send")
    present.hand_in(present.request("code", present.practice.code))
    (claim,) = present.claims()
    withdraw = partial(present.camp.withdraw, present.record)
    present.do(claim, After(present.client, "enrol_by_otp", withdraw))
    assert present.endings() == [("otp-send", "done"), ("otp-enrol", "done")]
    assert (present.finish_row()["secret"], present.camp.sealed(present.record)) == (None, 0)
    assert present.camp.news() == []
    assert present.look().code == "enrollment:withdrawn"


@pytest.mark.parametrize("method", ["suggest_addresses", "fetch_qr", "fetch_card"])
def test_of_who_withdraws_no_picture_is_kept(present: Present, method: str) -> None:
    present.ask("send")
    present.hand_in(present.request("code", present.practice.code))
    (claim,) = present.claims()
    withdraw = partial(present.camp.withdraw, present.record)
    present.do(claim, After(present.client, method, withdraw))
    assert present.camp.office.count("SELECT count(*) FROM abdm_papers") == 0
    assert present.finish_row()["secret"] is None


def test_who_withdraws_takes_pictures_and_secrets_along(present: Present) -> None:
    present.ask("send")
    present.ask("code", present.practice.code)
    assert present.camp.office.count("SELECT count(*) FROM abdm_papers") == 2
    with present.camp.store.write() as connection:
        vault, now = present.vault.public, present.camp.now
        keep_token(connection, vault, present.record, "IN0001", "a.b.c", now=now)
    present.camp.withdraw(present.record)
    assert present.camp.office.count("SELECT count(*) FROM abdm_papers") == 0
    assert present.camp.office.count("SELECT count(*) FROM link_tokens") == 0
    assert present.finish_row()["secret"] is None


class After:
    """A client after one of whose calls something happens before the answer is read."""

    def __init__(self, client: Any, method: str, then: Callable[[], None]) -> None:
        self._client, self._method, self._then = client, method, then

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name != self._method:
            return call

        def called(*arguments: Any, **named: Any) -> Any:
            answer = call(*arguments, **named)
            self._then()
            return answer

        return called


class Cut:
    """A client whose worker dies before or after one of its calls."""

    def __init__(self, client: Any, method: str, *, after: bool) -> None:
        self._client, self._method, self._after = client, method, after

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name != self._method:
            return call

        def cut(begin: Any, *arguments: Any, **named: Any) -> Any:
            def begun(what: Any) -> None:
                begin(what)
                if not self._after:
                    raise PowerCut

            call(begun, *arguments, **named)
            raise PowerCut

        return cut


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
@pytest.mark.parametrize(
    "method", ["request_aadhaar_otp", "enrol_by_otp", "suggest_addresses", "create_address"]
)
def test_a_worker_that_dies_at_any_call_costs_one_more_step_at_most(
    present: Present, method: str, *, after: bool
) -> None:
    def step(action: str, value: str | None = None) -> None:
        present.hand_in(present.request(action, value))
        (claim,) = present.claims()
        try:
            present.do(claim, Cut(present.client, method, after=after))
        except PowerCut:
            present.wait(46)
            present.work()

    step("send")
    if present.look().stage is not FinishStage.CODE_SENT:
        present.wait(61)
        present.ask("send")
    step("code", present.practice.code)
    if present.look().stage is not FinishStage.ADDRESS:
        present.wait(61)
        present.ask("send")
        present.ask("code", present.practice.code)
    assert present.camp.state(present.record) == "ISSUED"
    step("address", "asha.devi87")
    if present.look().stage is not FinishStage.DONE:
        assert present.look().code in {"abdm:address-taken", "finish:wait"}
        present.ask("address", "asha.devi88")
    assert present.look().stage is FinishStage.DONE
    assert len(present.practice.accounts) == 1
    assert present.practice.person(aadhaar(1))["creations"] == 1
    assert present.practice.person(aadhaar(1))["asks_after_grant"] <= 1


def test_a_lost_answer_to_a_code_is_asked_for_again(present: Present) -> None:
    present.ask("send")
    present.practice.script(enrol=["lost-reply"])
    answer = present.ask("code", present.practice.code)
    assert present.practice.person(aadhaar(1))["creations"] == 1
    if answer.stage is FinishStage.READY:
        present.wait(61)
        present.ask("send")
        answer = present.ask("code", present.practice.code)
    assert (answer.stage, answer.code) == (FinishStage.ADDRESS, "")
    assert present.camp.state(present.record) == "ISSUED"


def test_two_workers_do_a_step_once(present: Present) -> None:
    present.hand_in(present.request("send"))
    (claim,) = present.claims()
    assert present.claims() == []
    present.wait(46)
    (later,) = present.claims()
    present.do(claim)
    assert present.advances[-1].fate is Fate.WAITS
    assert present.endings() == []
    present.do(later)
    assert present.endings() == [("otp-send", "done")]


def test_a_step_that_came_too_long_ago_is_not_done(present: Present) -> None:
    present.hand_in(present.request("send"))
    present.wait(121)
    assert present.claims() == []
    assert present.endings() == []
    assert present.look().code == "finish:wait"
    assert all(step["done_at"] is not None for step in present.steps())


def test_a_step_of_another_release_is_given_up_and_the_others_are_done(present: Present) -> None:
    other = person(present, aadhaar(2), mobile=PROVEN_MOBILE)
    other.hand_in(other.request("send"))
    with present.camp.store.write() as connection:
        connection.execute(update(finish_steps).values(action="dance"))
    present.hand_in(present.request("send"))
    present.work()
    assert other.endings() == []
    assert (other.look().stage, other.look().code) == (FinishStage.READY, "finish:wait")
    assert present.look().stage is FinishStage.CODE_SENT


@pytest.mark.parametrize(
    ("values", "stage", "code"),
    [
        ({"detail": '{"code": "otp:wrong", "dance": 1, "tries": "x"}'}, "code-sent", "otp:wrong"),
        ({"detail": "[]"}, "ready", ""),
        ({"detail": '{"handles"'}, "ready", ""),
        ({"stage": "dancing"}, "ready", ""),
    ],
)
def test_what_another_release_wrote_down_ends_nothing(
    present: Present, values: dict[str, Any], stage: str, code: str
) -> None:
    present.ask("send")
    with present.camp.store.write() as connection:
        connection.execute(update(finishes).values(values))
    answer = present.look()
    assert (answer.stage.value, answer.code) == (stage, code)
    assert present.ask("send").code == "otp:wait"
    present.wait(61)
    assert present.ask("send").stage is FinishStage.CODE_SENT
    assert present.finish_row()["sends"] == 2


def revoke(present: Present) -> None:
    with present.camp.store.write() as connection:
        mine = devices.c.device == present.camp.laptop.id
        connection.execute(update(devices).where(mine).values(state="revoked"))


def test_a_step_of_a_laptop_that_was_revoked_meanwhile_is_given_up(present: Present) -> None:
    present.hand_in(present.request("send"))
    revoke(present)
    present.work()
    assert present.endings() == []
    assert all(step["done_at"] is not None for step in present.steps())


def test_a_laptop_that_is_revoked_while_a_worker_is_at_it_has_nothing_sent(
    present: Present,
) -> None:
    present.hand_in(present.request("send"))
    (claim,) = present.claims()
    revoke(present)
    present.do(claim)
    assert present.endings() == []
    assert all(step["done_at"] is not None for step in present.steps())


def test_secrets_that_nobody_used_are_forgotten(present: Present) -> None:
    present.ask("send")
    assert forget_secrets(present.camp.store, now=present.camp.now) == 0
    present.wait(3601)
    assert forget_secrets(present.camp.store, now=present.camp.now) == 1
    assert present.finish_row()["secret"] is None


def test_neither_disk_nor_exchanges_hold_what_is_secret(present: Present) -> None:
    present.ask("send")
    code = present.practice.code
    present.ask("code", code)
    present.ask("address", "asha.devi87")
    told = json.dumps(present.camp.exchanges(present.record), default=str)
    for secret in (aadhaar(1), code, PROVEN_MOBILE, "asha.devi87", "Marked Zebra Quokka"):
        assert secret not in told
    with present.camp.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM finish_steps").all()
    assert code not in str(rows)


def test_where_nobody_asks_there_is_nothing_to_do(present: Present) -> None:
    assert claim_steps(present.camp.store, now=present.camp.now, limit=5, lease_ms=1) == []
