from __future__ import annotations

import pytest
from sqlalchemy import func, update

from abdm_fakes import FakeAbdm, refused, unknown, unsent
from abdm_office import Camp, aadhaar
from server_laptops import Office
from sync.server.abdm.calls import Effect, Step
from sync.server.abdm.enrolling import advance_enrollment
from sync.server.abdm.jobs import Advance, Claim, Fate
from sync.server.abdm.settings import AbdmSettings
from sync.server.abdm.standing import read_abdm_standing, standing_lines
from sync.server.abdm.turns import Turn
from sync.server.keys import open_vault
from sync.server.store.tables import enrollment_versions

SETTINGS = AbdmSettings(benefit="CAMP", abha_url="http://a", gateway_url="http://g", client_id="c")
FIRST = "00-0000-0000-0001"


@pytest.fixture
def camp(office: Office) -> Camp:
    camp = Camp(office)
    camp.bring_key()
    return camp


@pytest.fixture
def abdm() -> FakeAbdm:
    return FakeAbdm()


class PowerCut(BaseException):
    """Ends a turn where it happens, as kill -9 would."""


def advance(camp: Camp, abdm: FakeAbdm, claim: Claim | None = None) -> Advance:
    if claim is None:
        (claim,) = camp.claim()
    vault = open_vault(camp.office.settings.home, None)
    return advance_enrollment(camp.store, abdm, vault, SETTINGS, claim, clock=lambda: camp.now)


def come_again(camp: Camp, seconds: int = 1000) -> None:
    camp.office.now += seconds


def test_a_person_is_issued_a_number_and_the_laptop_is_told(camp: Camp, abdm: FakeAbdm) -> None:
    record = camp.person(aadhaar(1))
    assert advance(camp, abdm) == Advance(fate=Fate.SETTLED)
    assert (camp.state(record), camp.row(record)["abha_number"]) == ("ISSUED", FIRST)
    told = {"abha_number": FIRST, "abha_address": "00000000000001@sbx"}
    assert camp.news() == [("abha.issued", record, told)]
    assert [each["ending"] for each in camp.exchanges(record)] == ["done", "done", "done"]
    assert camp.claim() == []


def test_abdm_is_asked_with_what_the_card_says(camp: Camp, abdm: FakeAbdm) -> None:
    camp.person(aadhaar(1), birth={"year": 1980})
    advance(camp, abdm)
    ((number, ask),) = abdm.asks
    assert number == aadhaar(1)
    assert (ask.name, ask.birth, ask.gender) == ("Marked Zebra Quokka", (1980, 0, 0), "F")
    assert (ask.state, ask.district, ask.mobile) == (7, 77, "9123456780")
    assert (ask.pincode, ask.address) == ("110001", "Pangolin House, Okapipur")


def test_the_number_is_overwritten_after_the_call_and_its_seal_deleted(
    camp: Camp, abdm: FakeAbdm
) -> None:
    record = camp.person(aadhaar(1))
    advance(camp, abdm)
    assert [bytes(each) for each in abdm.buffers] == [bytes(12)]
    assert camp.sealed(record) == 0


def test_the_number_is_overwritten_where_the_call_fails(camp: Camp, abdm: FakeAbdm) -> None:
    camp.person(aadhaar(1))
    abdm.failures[Step.DEMOGRAPHICS] = [unknown]
    advance(camp, abdm)
    assert [bytes(each) for each in abdm.buffers] == [bytes(12)]


def test_pictures_are_fetched_while_the_token_lives(camp: Camp, abdm: FakeAbdm) -> None:
    camp.person(aadhaar(1))
    advance(camp, abdm)
    assert camp.office.count("SELECT count(*) FROM abdm_papers") == 2


def test_the_address_that_was_wished_for_is_made_within_the_transaction(
    camp: Camp, abdm: FakeAbdm
) -> None:
    abdm.txn_id = "t"
    record = camp.person(aadhaar(1), abha_address_choice="zebra.quokka")
    advance(camp, abdm)
    assert camp.news()[0][2]["abha_address"] == "zebra.quokka@sbx"
    assert camp.row(record)["abha_address"] == "zebra.quokka@sbx"


def test_without_its_pictures_and_address_a_number_goes_home_all_the_same(
    camp: Camp, abdm: FakeAbdm
) -> None:
    abdm.txn_id = "t"
    abdm.failures[Step.ADDRESS] = [refused("ABDM-1101", Effect.RETURN)]
    abdm.failures[Step.QR] = [unknown]
    record = camp.person(aadhaar(1), abha_address_choice="zebra.quokka")
    assert advance(camp, abdm).fate is Fate.SETTLED
    assert camp.state(record) == "ISSUED"
    endings = [(each["step"], each["ending"]) for each in camp.exchanges(record)]
    assert endings == [("demo-auth", "done"), ("address-create", "refused"), ("qr", "unknown")]


def test_who_had_a_number_already_is_a_duplicate_with_it(camp: Camp, abdm: FakeAbdm) -> None:
    abdm.accounts[aadhaar(1)] = "91-1111-2222-3333"
    record = camp.person(aadhaar(1))
    advance(camp, abdm)
    assert camp.state(record) == "DUPLICATE"
    ((kind, _, body),) = camp.news()
    assert (kind, body["code"], body["abha_number"]) == (
        "enrollment.duplicate",
        "abdm:exists",
        "91-1111-2222-3333",
    )


def test_a_person_enrolled_twice_gets_one_number(camp: Camp, abdm: FakeAbdm) -> None:
    first, second = camp.person(aadhaar(1)), camp.person(aadhaar(1))
    for claim in camp.claim(2):
        advance(camp, abdm, claim)
    assert sorted([camp.state(first), camp.state(second)]) == ["DUPLICATE", "ISSUED"]
    assert camp.row(first)["abha_number"] == camp.row(second)["abha_number"]


def test_a_lost_answer_is_asked_for_again_and_is_no_duplicate(camp: Camp, abdm: FakeAbdm) -> None:
    abdm.loses_answers = 1
    record = camp.person(aadhaar(1))
    assert advance(camp, abdm).fate is Fate.OUTAGE
    assert (camp.state(record), camp.news(), camp.claim()) == ("ACCEPTED", [], [])
    come_again(camp)
    advance(camp, abdm)
    assert (camp.state(record), len(abdm.accounts)) == ("ISSUED", 1)


def test_an_answer_lost_in_another_enrollment_does_not_hide_a_duplicate(
    camp: Camp, abdm: FakeAbdm
) -> None:
    abdm.loses_answers = 1
    first = camp.person(aadhaar(1))
    advance(camp, abdm)
    second = camp.person(aadhaar(1))
    advance(camp, abdm)
    come_again(camp)
    advance(camp, abdm)
    assert (camp.state(first), camp.state(second)) == ("ISSUED", "DUPLICATE")


def test_a_number_that_another_enrollment_has_is_a_duplicate_though_an_answer_was_lost(
    camp: Camp, abdm: FakeAbdm
) -> None:
    first = camp.person(aadhaar(1))
    advance(camp, abdm)
    second = camp.person(aadhaar(1))
    abdm.failures[Step.DEMOGRAPHICS] = [unknown]
    advance(camp, abdm)
    come_again(camp)
    advance(camp, abdm)
    assert (camp.state(first), camp.state(second)) == ("ISSUED", "DUPLICATE")


def test_what_did_not_leave_leaves_no_doubt(camp: Camp, abdm: FakeAbdm) -> None:
    abdm.accounts[aadhaar(1)] = "91-1111-2222-3333"
    abdm.failures[Step.DEMOGRAPHICS] = [unsent]
    record = camp.person(aadhaar(1))
    advance(camp, abdm)
    come_again(camp)
    advance(camp, abdm)
    assert camp.state(record) == "DUPLICATE"


@pytest.mark.parametrize(
    ("state", "refusal", "reason", "pointer"),
    [
        ("RETURNED", ("ABDM-1207", Effect.RETURN), "abdm:mismatch", ""),
        ("RETURNED", ("ABDM-1124", Effect.RETURN), "abdm:mobile-full", "/mobile"),
        ("RETURNED", ("ABDM-4711", Effect.LOOK), "abdm:unknown ABDM-4711", ""),
        ("NEEDS_PERSON", ("ABDM-1407", Effect.CALL), "abdm:deactivated", ""),
        ("NEEDS_PERSON", ("ABDM-1141", Effect.CALL), "abdm:exists-unnamed", ""),
    ],
)
def test_a_refusal_goes_home_with_its_reason(
    camp: Camp, state: str, refusal: tuple[str, Effect], reason: str, pointer: str
) -> None:
    abdm = FakeAbdm()
    abdm.failures[Step.DEMOGRAPHICS] = [refused(*refusal, reason, pointer)]
    record = camp.person(aadhaar(1))
    assert advance(camp, abdm).fate is Fate.SETTLED
    assert camp.state(record) == state
    ((_, about, body),) = camp.news()
    assert (about, body) == (record, {"code": reason, "pointer": pointer})
    assert camp.job(record)["code"] == reason
    assert camp.sealed(record) == 1
    assert camp.claim() == []


def test_who_is_to_be_called_later_is_called_later(camp: Camp, abdm: FakeAbdm) -> None:
    late = refused("ABDM-1", Effect.CALL, "otp:too-many", wait_seconds=600)
    abdm.failures[Step.DEMOGRAPHICS] = [late]
    camp.person(aadhaar(1))
    advance(camp, abdm)
    assert camp.news()[0][2]["call_at"] == camp.office.now + 600


def test_a_corrected_person_is_asked_for_again_with_the_number_sealed_before(
    camp: Camp, abdm: FakeAbdm
) -> None:
    abdm.failures[Step.DEMOGRAPHICS] = [refused("ABDM-1207", Effect.RETURN, "abdm:mismatch")]
    record = camp.person(aadhaar(1))
    advance(camp, abdm)
    camp.amend(record, name="Marked Zebra Quoll")
    advance(camp, abdm)
    assert camp.state(record) == "ISSUED"
    assert [(number, ask.name) for number, ask in abdm.asks] == [(aadhaar(1), "Marked Zebra Quoll")]


def test_a_corrected_number_is_the_one_that_is_sent(camp: Camp, abdm: FakeAbdm) -> None:
    record = camp.person(aadhaar(1))
    camp.amend(record, aadhaar(2))
    camp.amend(record, name="Marked Zebra Quoll")
    advance(camp, abdm)
    assert [number for number, _ in abdm.asks] == [aadhaar(2)]
    assert camp.state(record) == "ISSUED"


def test_a_merged_version_uses_the_number_of_its_parent(camp: Camp, abdm: FakeAbdm) -> None:
    record = camp.person(aadhaar(1))
    camp.amend(record, mobile="9123456781")
    camp.versions[record] = 1  # a second correction of version 1, made elsewhere
    camp.amend(record, language="mr", mobile="9123456780")
    assert camp.row(record)["version"] > 3
    advance(camp, abdm)
    assert [number for number, _ in abdm.asks] == [aadhaar(1)]


@pytest.mark.parametrize(("year", "code"), [(1980, "person:document"), (2020, "person:parent")])
def test_who_has_no_aadhaar_number_is_called_without_asking_abdm(
    camp: Camp, abdm: FakeAbdm, year: int, code: str
) -> None:
    record = camp.person(birth={"year": year})
    assert advance(camp, abdm) == Advance(fate=Fate.SETTLED, code=code, asked=False)
    assert camp.state(record) == "NEEDS_PERSON"
    assert camp.news() == [("needs.person", record, {"code": code, "pointer": "/aadhaar"})]
    assert abdm.calls == []


def test_an_outage_bothers_nobody(camp: Camp, abdm: FakeAbdm) -> None:
    abdm.failures[Step.DEMOGRAPHICS] = [
        refused("ABDM-1019", Effect.WAIT, status=503, wait_seconds=60)
    ]
    record = camp.person(aadhaar(1))
    done = advance(camp, abdm)
    assert done == Advance(fate=Fate.OUTAGE, code="ABDM-1019", wait_seconds=60)
    assert (camp.state(record), camp.news()) == ("ACCEPTED", [])
    come_again(camp, 59)
    assert camp.claim() == []
    come_again(camp, 14)
    advance(camp, abdm)
    assert camp.state(record) == "ISSUED"


def test_the_offices_own_fault_halts_and_counts_against_nobody(camp: Camp, abdm: FakeAbdm) -> None:
    abdm.failures[Step.DEMOGRAPHICS] = [refused("ABDM-1094", Effect.STOP, "abdm:benefit")]
    record = camp.person(aadhaar(1))
    assert advance(camp, abdm) == Advance(fate=Fate.HALTED, code="ABDM-1094")
    assert (camp.state(record), camp.news(), camp.job(record)["attempts"]) == ("ACCEPTED", [], 0)
    assert len(camp.claim()) == 1


def test_a_number_whose_session_key_is_still_on_its_way_waits(
    office: Office, abdm: FakeAbdm
) -> None:
    camp = Camp(office)
    record = camp.person(aadhaar(1))
    done = advance(camp, abdm)
    assert (done.fate, done.asked) == (Fate.WAITS, False)
    assert (camp.state(record), abdm.calls) == ("ACCEPTED", [])
    camp.bring_key()
    come_again(camp)
    advance(camp, abdm)
    assert camp.state(record) == "ISSUED"


def test_a_session_key_that_never_comes_ends_in_a_number_that_is_typed_again(
    office: Office, abdm: FakeAbdm
) -> None:
    camp = Camp(office)
    record = camp.person(aadhaar(1))
    come_again(camp, 14 * 86_400 - 1)
    assert advance(camp, abdm).fate is Fate.WAITS
    come_again(camp)
    assert advance(camp, abdm).fate is Fate.SETTLED
    assert (camp.state(record), abdm.calls) == ("RETURNED", [])
    assert camp.news()[0][2] == {"code": "abdm:aadhaar", "pointer": "/aadhaar"}


@pytest.mark.parametrize(("status", "seconds"), [(422, 43_200), (503, 450)])
def test_what_is_refused_again_and_again_is_asked_once_a_day_but_no_outage(
    camp: Camp, abdm: FakeAbdm, status: int, seconds: int
) -> None:
    no = refused("ABDM-4711", Effect.WAIT, status=status)
    abdm.failures[Step.DEMOGRAPHICS] = [no] * 22
    record = camp.person(aadhaar(1))
    for _ in range(21):
        advance(camp, abdm)
        come_again(camp, 86_400)
    job = camp.job(record)
    wait = (job["due_at"] - job["changed_at"]) / 1000
    assert seconds <= wait <= 2 * seconds
    with camp.store.read() as connection:
        standing = read_abdm_standing(connection, now=camp.now)
    assert standing["needs_look"] == ({"ABDM-4711": 1} if status == 422 else {})
    assert any("ABDM-4711 1" in line for line in standing_lines(standing)) is (status == 422)


def test_a_number_that_does_not_open_is_asked_for_anew(camp: Camp, abdm: FakeAbdm) -> None:
    whole, camp.key = camp.key, bytes(32)
    record = camp.person(aadhaar(1))
    camp.key = whole
    advance(camp, abdm)
    assert (camp.state(record), abdm.calls) == ("RETURNED", [])
    assert camp.news()[0][2] == {"code": "abdm:aadhaar", "pointer": "/aadhaar"}
    camp.amend(record, aadhaar(1))
    advance(camp, abdm)
    assert camp.state(record) == "ISSUED"


def test_a_number_that_ends_otherwise_than_its_person_says_is_never_sent(
    camp: Camp, abdm: FakeAbdm
) -> None:
    record = camp.person(aadhaar(1))
    with camp.store.write() as connection:
        connection.execute(
            update(enrollment_versions).values(
                body=func.replace(enrollment_versions.c.body, f'"{aadhaar(1)[-4:]}"', '"0000"')
            )
        )
    advance(camp, abdm)
    assert (camp.state(record), abdm.calls) == ("RETURNED", [])


def test_every_laptop_that_holds_the_person_is_told(camp: Camp, abdm: FakeAbdm) -> None:
    other, stranger = Camp(camp.office), Camp(camp.office)
    record = camp.person(aadhaar(1))
    operation = camp.laptop.operation("enrollment.submit", camp.body(record), record=record)
    with camp.store.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO witnesses (enrollment, device) VALUES (?, ?)",
            (operation.record, other.laptop.id),
        )
    advance(camp, abdm)
    assert [len(each.news()) for each in (camp, other, stranger)] == [1, 1, 0]


def test_a_revoked_laptop_is_told_nothing(camp: Camp, abdm: FakeAbdm) -> None:
    camp.person(aadhaar(1))
    with camp.store.write() as connection:
        connection.exec_driver_sql("UPDATE devices SET state = 'revoked'")
    advance(camp, abdm)
    assert camp.news() == []


# What happens while a call is in work.


def test_who_withdraws_during_the_call_stays_withdrawn(camp: Camp, abdm: FakeAbdm) -> None:
    record = camp.person(aadhaar(1))
    abdm.after[Step.DEMOGRAPHICS] = lambda: camp.withdraw(record)
    advance(camp, abdm)
    assert (camp.state(record), camp.news(), camp.sealed(record)) == ("WITHDRAWN", [], 0)
    assert camp.row(record)["abha_number"] == FIRST
    assert abdm.calls == [Step.DEMOGRAPHICS]
    assert camp.claim() == []


def test_who_withdraws_before_the_call_is_never_asked_for(camp: Camp, abdm: FakeAbdm) -> None:
    record = camp.person(aadhaar(1))
    (claim,) = camp.claim()
    camp.withdraw(record)
    advance(camp, abdm, claim)
    assert (abdm.calls, camp.sealed(record), camp.claim()) == ([], 0, [])


def test_who_withdraws_while_pictures_are_fetched_is_not_told_of(
    camp: Camp, abdm: FakeAbdm
) -> None:
    record = camp.person(aadhaar(1))
    abdm.after[Step.QR] = lambda: camp.withdraw(record)
    advance(camp, abdm)
    assert (camp.state(record), camp.news()) == ("WITHDRAWN", [])
    assert abdm.calls == [Step.DEMOGRAPHICS, Step.QR]


def test_a_refusal_of_a_version_that_was_corrected_meanwhile_is_nobodys_news(
    camp: Camp, abdm: FakeAbdm
) -> None:
    record = camp.person(aadhaar(1))
    abdm.before[Step.DEMOGRAPHICS] = lambda: camp.amend(record, name="Marked Zebra Quoll")
    abdm.failures[Step.DEMOGRAPHICS] = [refused("ABDM-1207", Effect.RETURN, "abdm:mismatch")]
    advance(camp, abdm)
    assert (camp.state(record), camp.news()) == ("ACCEPTED", [])
    abdm.before.clear()
    advance(camp, abdm)
    assert camp.state(record) == "ISSUED"
    assert [ask.name for _, ask in abdm.asks] == ["Marked Zebra Quoll"]


def test_a_number_for_a_version_that_was_corrected_meanwhile_is_kept(
    camp: Camp, abdm: FakeAbdm
) -> None:
    record = camp.person(aadhaar(1))
    abdm.after[Step.DEMOGRAPHICS] = lambda: camp.amend(record, name="Marked Zebra Quoll")
    advance(camp, abdm)
    assert (camp.state(record), camp.claim()) == ("ISSUED", [])


def test_a_number_that_was_asked_for_with_another_aadhaar_number_is_not_kept(
    camp: Camp, abdm: FakeAbdm
) -> None:
    record = camp.person(aadhaar(1))
    abdm.after[Step.DEMOGRAPHICS] = lambda: camp.amend(record, aadhaar(2), name="Someone Else")
    assert advance(camp, abdm) == Advance(fate=Fate.WAITS)
    assert (camp.state(record), camp.row(record)["abha_number"]) == ("ACCEPTED", None)
    assert [(each["step"], each["ending"]) for each in camp.exchanges(record)] == [
        ("demo-auth", "done")
    ]
    assert camp.news() == []
    abdm.after.clear()
    advance(camp, abdm)
    assert [number for number, _ in abdm.asks] == [aadhaar(1), aadhaar(2)]
    assert camp.row(record)["abha_number"] == abdm.accounts[aadhaar(2)]


def test_a_number_of_who_turned_out_to_have_no_aadhaar_number_is_not_kept(
    camp: Camp, abdm: FakeAbdm
) -> None:
    record = camp.person(aadhaar(1))
    abdm.after[Step.DEMOGRAPHICS] = lambda: camp.amend(
        record, aadhaar_last4=None, capture_session=None
    )
    advance(camp, abdm)
    assert (camp.state(record), camp.row(record)["abha_number"]) == ("ACCEPTED", None)
    abdm.after.clear()
    advance(camp, abdm)
    assert camp.state(record) == "NEEDS_PERSON"


def test_a_correction_of_who_has_a_number_asks_nobody_again(camp: Camp, abdm: FakeAbdm) -> None:
    record = camp.person(aadhaar(1))
    advance(camp, abdm)
    camp.amend(record, name="Marked Zebra Quoll")
    assert (camp.state(record), camp.claim()) == ("ISSUED", [])


def test_two_workers_never_both_ask(camp: Camp, abdm: FakeAbdm) -> None:
    camp.person(aadhaar(1))
    (mine,) = camp.claim(worker="w1")
    come_again(camp, 121)
    (theirs,) = camp.claim(worker="w2")
    assert advance(camp, abdm, mine) == Advance(fate=Fate.WAITS, asked=False)
    advance(camp, abdm, theirs)
    assert abdm.calls.count(Step.DEMOGRAPHICS) == 1


def test_a_number_that_comes_after_the_lease_is_kept_all_the_same(
    camp: Camp, abdm: FakeAbdm
) -> None:
    record = camp.person(aadhaar(1))
    (mine,) = camp.claim(worker="w1")

    def take_over() -> None:
        come_again(camp, 121)
        camp.claim(worker="w2")

    abdm.after[Step.DEMOGRAPHICS] = take_over
    advance(camp, abdm, mine)
    assert (camp.state(record), camp.row(record)["abha_number"]) == ("ISSUED", FIRST)


def test_who_is_corrected_between_the_look_and_the_end_of_a_turn_stays_due(
    camp: Camp, abdm: FakeAbdm, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = camp.person(aadhaar(1))
    (claim,) = camp.claim()
    with camp.store.write() as connection:
        connection.exec_driver_sql("UPDATE enrollments SET state = 'RETURNED'")
    real = Turn.close

    def close_late(turn: Turn) -> Advance:
        camp.amend(record, name="Marked Zebra Quoll")
        return real(turn)

    monkeypatch.setattr(Turn, "close", close_late)
    assert advance(camp, abdm, claim) == Advance(fate=Fate.WAITS, asked=False)
    assert (camp.job(record)["state"], camp.job(record)["version"]) == ("due", 2)
    advance(camp, abdm)
    assert camp.state(record) == "ISSUED"


def test_a_refusal_that_comes_after_the_lease_does_not_settle_for_the_other_worker(
    camp: Camp, abdm: FakeAbdm
) -> None:
    record = camp.person(aadhaar(1))
    (mine,) = camp.claim(worker="w1")
    theirs: list[Claim] = []

    def take_over() -> None:
        come_again(camp, 121)
        theirs.extend(camp.claim(worker="w2"))

    abdm.before[Step.DEMOGRAPHICS] = take_over
    abdm.failures[Step.DEMOGRAPHICS] = [refused("ABDM-1207", Effect.RETURN, "abdm:mismatch")]
    advance(camp, abdm, mine)
    assert (camp.state(record), camp.job(record)["state"]) == ("RETURNED", "due")
    advance(camp, abdm, theirs[0])
    assert (camp.state(record), camp.job(record)["state"]) == ("RETURNED", "settled")


# The power fails.


@pytest.mark.parametrize(
    ("moment", "step"),
    [
        ("before", Step.DEMOGRAPHICS),
        ("after", Step.DEMOGRAPHICS),
        ("before", Step.QR),
        ("after", Step.QR),
        ("before", Step.CARD),
        ("after", Step.CARD),
    ],
)
def test_wherever_the_power_fails_there_is_one_account_and_one_piece_of_news(
    camp: Camp, abdm: FakeAbdm, moment: str, step: Step
) -> None:
    record = camp.person(aadhaar(1))

    def cut() -> None:
        raise PowerCut

    getattr(abdm, moment)[step] = cut
    with pytest.raises(PowerCut):
        advance(camp, abdm)
    getattr(abdm, moment).clear()
    known = camp.row(record)["abha_number"] is not None
    come_again(camp, 121)
    advance(camp, abdm)
    assert (camp.state(record), len(abdm.accounts), len(camp.news())) == ("ISSUED", 1, 1)
    asked = abdm.calls.count(Step.DEMOGRAPHICS)
    assert asked == (1 if known else 2)


def test_a_duplicate_stays_one_where_the_power_fails_before_it_is_told(
    camp: Camp, abdm: FakeAbdm
) -> None:
    abdm.accounts[aadhaar(1)] = "91-1111-2222-3333"
    record = camp.person(aadhaar(1))

    def cut() -> None:
        raise PowerCut

    abdm.before[Step.QR] = cut
    with pytest.raises(PowerCut):
        advance(camp, abdm)
    come_again(camp, 121)
    advance(camp, abdm)
    assert camp.state(record) == "DUPLICATE"
