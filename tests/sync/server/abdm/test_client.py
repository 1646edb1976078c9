from __future__ import annotations

import json
import re
import socket
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from abdm_stub import (
    ADDRESS,
    CARD,
    CERTIFICATE,
    ENROL,
    LINK,
    NOW,
    OTP,
    PROFILE,
    QR,
    SESSION,
    SUGGESTION,
    VERIFY,
    AbdmStub,
    Said,
    Witness,
    abdm_stub,
    an_ask,
    keys,
    opened,
    refused,
    said,
)
from sync.server.abdm.calls import (
    AbdmFailure,
    AbdmRefused,
    AbdmUnknown,
    AbdmUnsent,
    CareContext,
    Effect,
    EndKind,
    LinkAsk,
    LinkTokenAsk,
    Step,
)
from sync.server.abdm.client import open_client
from sync.server.abdm.settings import AbdmSettings
from sync.server.errors import SettingsInvalid

PNG = b"\x89PNG\r\n\x1a\n rest"
LINKED = LinkAsk(
    abha_number="91123456789015",
    abha_address="asha.test@sbx",
    patient_reference="PUID-1",
    patient_display="Camp records",
    hi_type="OPConsultation",
    contexts=(CareContext(reference="visit-1", display="Camp visit"),),
)


@pytest.fixture
def stub() -> Iterator[AbdmStub]:
    with abdm_stub() as found:
        yield found


@pytest.fixture
def witness(stub: AbdmStub) -> Iterator[Witness]:
    found = Witness(stub)
    with found.client:
        yield found


def enrol(witness: Witness) -> Any:
    return witness.client.enrol_by_demographics(witness.begin, an_ask(), end=witness.end)


def test_a_request_is_told_before_it_leaves_and_has_all_that_abdm_wants_in_its_head(
    stub: AbdmStub, witness: Witness
) -> None:
    answer = enrol(witness)
    (asked,) = stub.asks(ENROL)
    head = asked.headers
    (begun,) = witness.begun
    assert begun.step is Step.DEMOGRAPHICS
    assert head["REQUEST-ID"] == begun.request_id == answer.ending.request_id
    assert uuid.UUID(begun.request_id).version == 4
    assert witness.asked_before == [2]  # a session and the certificate, and not yet the request
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", head["TIMESTAMP"])
    assert datetime.fromisoformat(head["TIMESTAMP"]) == datetime.fromtimestamp(NOW, UTC)
    assert head["X-CM-ID"] == "sbx"
    assert head["Authorization"] == "Bearer session-1"
    assert head["BENEFIT_NAME"] == "camp"
    assert answer.ending.kind is EndKind.DONE
    assert [what for what, _id in witness.noted] == ["session", "certificate"]
    ids = [each.headers["REQUEST-ID"] for each in stub.asked]
    assert [request_id for _what, request_id in witness.noted] == ids[:2]
    assert len(set(ids)) == len(ids)


def test_the_benefit_header_is_spelt_as_the_office_says(stub: AbdmStub) -> None:
    witness = Witness(stub, benefit_header="BENEFIT-NAME", benefit="ayushman")
    with witness.client:
        enrol(witness)
    (asked,) = stub.asks(ENROL)
    assert asked.headers["BENEFIT-NAME"] == "ayushman"
    assert "BENEFIT_NAME" not in asked.headers


def test_the_number_is_encrypted_to_the_certificate_and_overwritten_after_use(
    stub: AbdmStub, witness: Witness
) -> None:
    ask = an_ask()
    witness.client.enrol_by_demographics(witness.begin, ask)
    (asked,) = stub.asks(ENROL)
    assert opened(asked.json["authData"]["demo_auth"]["aadhaarNumber"], stub.key) == "999999990019"
    assert ask.aadhaar == bytearray(12)
    assert b"999999990019" not in asked.body


@pytest.mark.parametrize("answer", [refused("ABDM-1207", "no"), Said(is_mute=True)])
def test_the_number_is_overwritten_however_the_call_ends(
    stub: AbdmStub, witness: Witness, answer: Said
) -> None:
    stub.answer(ENROL, answer)
    ask = an_ask()
    with pytest.raises(AbdmFailure):
        witness.client.enrol_by_demographics(witness.begin, ask)
    assert ask.aadhaar == bytearray(12)


def test_what_begin_raises_keeps_the_request_from_leaving(stub: AbdmStub, witness: Witness) -> None:
    class DiskFullError(Exception):
        pass

    def refuse(_begun: object) -> None:
        raise DiskFullError

    with pytest.raises(DiskFullError):
        witness.client.enrol_by_demographics(refuse, an_ask())
    assert stub.asks(ENROL) == []


def test_the_flat_answer_of_demographics_is_read(witness: Witness) -> None:
    value = enrol(witness).value
    assert value.abha_number == "91-1234-5678-9015"
    assert value.abha_address == "asha.test@sbx"
    assert value.is_new is True
    assert (value.token, value.token_seconds) == ("user-token", 1800)
    assert "91-1234" not in repr(value)


@pytest.mark.parametrize(
    "answer",
    [
        said({}),
        said([1, 2]),
        said({**PROFILE, "healthIdNumber": "91-1234"}),
        Said(body=b"<html>Sign in to the hotel</html>", headers={"Content-Type": "text/html"}),
        Said(body=b'{"healthIdNumber": "91-12'),
        Said(body=b"[" * 100_000),
        Said(),
        Said(is_mute=True),
        Said(body=b'{"healthIdNumber"', is_cut=True),
        Said(status=500),
        Said(status=502, body=b"<html>Bad Gateway</html>"),
        refused("ABDM-4711", "Something new", status=500),
        refused("ABDM-1048", "Timeout", status=500),
        refused("ABDM-9999", "Unknown exception", status=400),
    ],
)
def test_whatever_keeps_a_whole_answer_from_coming_is_unknown_once_the_request_left(
    stub: AbdmStub, witness: Witness, answer: Said
) -> None:
    stub.answer(ENROL, answer)
    with pytest.raises(AbdmUnknown) as caught:
        enrol(witness)
    assert caught.value.ending.kind is EndKind.UNKNOWN
    assert caught.value.ending.request_id == witness.begun[0].request_id


def test_a_documented_code_says_even_with_status_503_that_nothing_was_done(
    stub: AbdmStub, witness: Witness
) -> None:
    stub.answer(ENROL, refused("ABDM-1206", "Aadhaar Gateway is unavailable", status=503))
    with pytest.raises(AbdmRefused) as caught:
        enrol(witness)
    assert caught.value.refusal.effect is Effect.WAIT


def test_an_outage_while_only_looking_is_no_unknown(stub: AbdmStub, witness: Witness) -> None:
    stub.answer(QR, Said(status=503, headers={"Retry-After": "17"}))
    with pytest.raises(AbdmRefused) as caught:
        witness.client.fetch_qr(witness.begin, "user-token")
    assert caught.value.refusal.effect is Effect.WAIT
    assert caught.value.refusal.wait_seconds == 17


def test_nothing_was_sent_where_nobody_listens(stub: AbdmStub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    witness = Witness(stub, abha_url=f"http://127.0.0.1:{port}")
    with witness.client, pytest.raises(AbdmUnsent) as caught:
        witness.client.suggest_addresses(witness.begin, "txn-1")
    assert caught.value.ending.kind is EndKind.UNSENT
    assert caught.value.ending.request_id == witness.begun[0].request_id


def test_without_a_session_nothing_is_begun(stub: AbdmStub, witness: Witness) -> None:
    stub.answer(SESSION, Said(is_mute=True))
    with pytest.raises(AbdmUnsent) as caught:
        enrol(witness)
    assert caught.value.ending.request_id == ""
    assert witness.begun == []


def test_a_session_that_ran_out_is_renewed_once_and_the_first_try_is_told(
    stub: AbdmStub, witness: Witness
) -> None:
    enrol(witness)
    stub.answer(ENROL, Said(status=401))
    answer = enrol(witness)
    assert [each.kind for each in witness.ended] == [EndKind.REFUSED]
    assert witness.ended[0].request_id == witness.begun[1].request_id
    assert answer.ending.request_id == witness.begun[2].request_id
    assert len(stub.asks(SESSION)) == 2
    assert stub.asks(ENROL)[-1].headers["Authorization"] == "Bearer session-2"


def test_a_session_that_is_refused_again_is_not_renewed_for_ever(
    stub: AbdmStub, witness: Witness
) -> None:
    enrol(witness)
    again = said({"code": "900901", "message": "Invalid Credentials", "description": "x"}, 401)
    stub.answer(ENROL, again, again, again)
    with pytest.raises(AbdmRefused) as caught:
        enrol(witness)
    assert caught.value.refusal.effect is Effect.WAIT
    assert len(stub.asks(ENROL)) == 3


def test_a_new_key_of_abdm_is_fetched_and_the_call_made_again(
    stub: AbdmStub, witness: Witness
) -> None:
    enrol(witness)
    stub.key = keys()[1]
    stub.answer(ENROL, said({"aadhaarNumber": "Invalid Aadhaar Number"}, 400))
    assert enrol(witness).value.abha_number
    assert len(witness.ended) == 1
    sent = stub.asks(ENROL)[-1].json["authData"]["demo_auth"]["aadhaarNumber"]
    assert opened(sent, keys()[1]) == "999999990019"


def test_a_number_is_asked_about_again_before_it_counts_as_wrong(
    stub: AbdmStub, witness: Witness
) -> None:
    stub.answer(ENROL, *[said({"aadhaarNumber": "Invalid Aadhaar Number"}, 400)] * 9)
    with pytest.raises(AbdmRefused) as caught:
        enrol(witness)
    assert (caught.value.refusal.reason, caught.value.refusal.pointer) == (
        "abdm:aadhaar",
        "/aadhaar",
    )
    assert len(stub.asks(ENROL)) == 3


def test_nobody_is_sent_back_for_a_number_while_the_key_cannot_be_looked_at(
    stub: AbdmStub, witness: Witness
) -> None:
    enrol(witness)
    stub.answer(ENROL, said({"aadhaarNumber": "Invalid Aadhaar Number"}, 400))
    stub.answer(CERTIFICATE, *[said(None, 502)] * 4)
    with pytest.raises(AbdmRefused) as caught:
        enrol(witness)
    refusal = caught.value.refusal
    assert (refusal.effect, refusal.reason, refusal.pointer) == (Effect.WAIT, "abdm:wait", "")


def test_a_wrong_code_is_not_tried_again_under_the_same_key(
    stub: AbdmStub, witness: Witness
) -> None:
    stub.answer(ENROL, said({"otpValue": "Invalid OTP Value"}, 400))
    with pytest.raises(AbdmRefused) as caught:
        witness.client.enrol_by_otp(witness.begin, "txn-1", "123456", "9000000903")
    assert caught.value.refusal.reason == "otp:wrong"
    assert len(stub.asks(ENROL)) == 1


def test_after_an_outage_of_an_encrypted_call_the_certificate_is_looked_at_again(
    stub: AbdmStub, witness: Witness
) -> None:
    stub.answer(ENROL, Said(status=500))
    with pytest.raises(AbdmUnknown):
        enrol(witness)
    stub.key = keys()[1]
    enrol(witness)
    sent = stub.asks(ENROL)[-1].json["authData"]["demo_auth"]["aadhaarNumber"]
    assert opened(sent, keys()[1]) == "999999990019"


def test_a_wrong_clock_is_put_right_by_abdms_own(stub: AbdmStub, witness: Witness) -> None:
    stub.clock = NOW + 3600
    stub.answer(ENROL, refused("ABDM-1016", "Invalid Timestamp", status=400))
    assert enrol(witness).value.abha_number
    stamp = datetime.fromisoformat(stub.asks(ENROL)[-1].headers["TIMESTAMP"])
    assert stamp == datetime.fromtimestamp(NOW + 3600, UTC)


def test_a_session_refused_for_the_clock_is_asked_for_again_with_abdms_time(
    stub: AbdmStub, witness: Witness
) -> None:
    stub.clock = NOW - 86_400
    stub.answer(SESSION, refused("ABDM-2402", "Invalid Timestamp", status=400))
    assert enrol(witness).value.abha_number
    assert len(stub.asks(SESSION)) == 2


def test_a_clock_that_is_right_waits_for_abdms(stub: AbdmStub, witness: Witness) -> None:
    stub.answer(ENROL, refused("ABDM-1016", "Invalid Timestamp", status=400))
    with pytest.raises(AbdmRefused) as caught:
        enrol(witness)
    assert caught.value.refusal.effect is Effect.WAIT


def test_a_clock_that_stays_wrong_stops_the_work(stub: AbdmStub, witness: Witness) -> None:
    late = refused("ABDM-1016", "Invalid Timestamp", status=400)
    stub.clock = NOW + 3600
    enrol(witness)
    witness.now += 7200
    stub.clock = NOW
    stub.answer(ENROL, late)
    stub.answer(ENROL, late)

    def turn_again(begun: object) -> None:
        stub.clock += 4000  # a clock that nobody can follow

    with pytest.raises(AbdmRefused) as caught:
        witness.client.enrol_by_demographics(turn_again, an_ask())
    assert (caught.value.refusal.effect, caught.value.refusal.reason) == (
        Effect.STOP,
        "abdm:clock",
    )


def test_a_date_that_cannot_be_does_not_date_later_requests(
    stub: AbdmStub, witness: Witness
) -> None:
    stub.clock = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
    stub.answer(SUGGESTION, Said(status=404))
    with pytest.raises(AbdmRefused):
        witness.client.suggest_addresses(witness.begin, "txn-1")
    assert witness.client.suggest_addresses(witness.begin, "txn-1").value
    stamp = datetime.fromisoformat(stub.asks(SUGGESTION)[-1].headers["TIMESTAMP"])
    assert stamp == datetime.fromtimestamp(NOW, UTC)


def test_a_clock_that_is_days_off_is_the_offices_to_put_right(
    stub: AbdmStub, witness: Witness
) -> None:
    stub.clock = NOW + 3 * 86_400
    stub.answer(ENROL, refused("ABDM-1016", "Invalid Timestamp", status=400))
    with pytest.raises(AbdmRefused) as caught:
        enrol(witness)
    assert (caught.value.refusal.effect, caught.value.refusal.reason) == (
        Effect.STOP,
        "abdm:clock",
    )


def test_without_a_benefit_nothing_is_sent(stub: AbdmStub) -> None:
    witness = Witness(stub, benefit="")
    ask = an_ask()
    with witness.client, pytest.raises(AbdmRefused) as caught:
        witness.client.enrol_by_demographics(witness.begin, ask)
    assert caught.value.refusal.effect is Effect.STOP
    assert stub.asked == []
    assert ask.aadhaar == bytearray(12)


@pytest.mark.parametrize(
    ("changes", "reason", "pointer"),
    [
        ({"mobile": "12345"}, "abdm:field", "/mobile"),
        ({"name": ""}, "abdm:name", "/name"),
        ({"gender": "X"}, "abdm:gender", "/gender"),
        ({"pincode": "011001"}, "abdm:pincode", "/address/pincode"),
        ({"birth": (1990, 13, 1)}, "abdm:birth", "/birth"),
        ({"district": 0}, "abdm:place", "/address/district"),
    ],
)
def test_what_abdm_would_not_take_is_not_sent(
    stub: AbdmStub, witness: Witness, changes: dict[str, Any], reason: str, pointer: str
) -> None:
    with pytest.raises(AbdmRefused) as caught:
        witness.client.enrol_by_demographics(witness.begin, an_ask(**changes))
    refusal = caught.value.refusal
    assert (refusal.effect, refusal.reason, refusal.pointer) == (Effect.RETURN, reason, pointer)
    assert (stub.asks(ENROL), witness.begun) == ([], [])
    assert all(str(value) not in refusal.message for value in changes.values() if value)


def test_a_header_that_would_break_the_request_is_not_sent(
    stub: AbdmStub, witness: Witness
) -> None:
    with pytest.raises(AbdmRefused):
        witness.client.suggest_addresses(witness.begin, "txn\r\nX-Evil: 1")
    assert (stub.asks(SUGGESTION), witness.begun) == ([], [])


def test_the_way_by_a_code_is_read_step_by_step(stub: AbdmStub, witness: Witness) -> None:
    client, begin = witness.client, witness.begin
    aadhaar = bytearray(b"999999990019")
    sent = client.request_aadhaar_otp(begin, aadhaar).value
    assert (sent.txn_id, sent.mobile_hint) == ("txn-1", "******0161")
    assert aadhaar == bytearray(12)
    profile = {
        "ABHANumber": "91-1234-5678-9015",
        "mobile": "9000000903",
        "phrAddress": ["a.bcd@sbx"],
    }
    nested = {
        "txnId": "txn-2",
        "isNew": False,
        "tokens": {"token": "user-token", "expiresIn": 900},
        "ABHAProfile": profile,
    }
    stub.answer(ENROL, said(nested))
    enrolled = client.enrol_by_otp(begin, "txn-1", "123456", "9000000903").value
    assert enrolled.abha_number == "91-1234-5678-9015"
    assert enrolled.abha_address == "a.bcd@sbx"
    assert (enrolled.is_new, enrolled.token, enrolled.token_seconds) == (False, "user-token", 900)
    assert (enrolled.txn_id, enrolled.mobile_verified) == ("txn-2", True)
    assert client.request_mobile_otp(begin, "txn-2", "9000000904").value.txn_id == "txn-1"
    assert client.verify_mobile(begin, "txn-2", "123456").value is True
    stub.answer(VERIFY, said({"txnId": "txn-1", "authResult": "failed", "message": "wrong"}))
    assert client.verify_mobile(begin, "txn-2", "123457").value is False
    assert client.suggest_addresses(begin, "txn-2").value == ("asha.test", "asha_1990")
    assert stub.asks(SUGGESTION)[0].headers["TRANSACTION_ID"] == "txn-2"
    assert client.create_address(begin, "txn-2", "asha.test").value == "asha.test@sbx"
    written = [opened(_spoken(each), stub.key) for each in stub.asks(VERIFY)]
    assert written == ["123456", "123457"]
    assert [each.step for each in witness.begun] == [
        Step.OTP_SEND,
        Step.OTP_ENROL,
        Step.MOBILE_SEND,
        Step.MOBILE_VERIFY,
        Step.MOBILE_VERIFY,
        Step.SUGGESTIONS,
        Step.ADDRESS,
    ]


def _spoken(asked: Any) -> str:
    found: str = asked.json["authData"]["otp"]["otpValue"]
    return found


@pytest.mark.parametrize("path", [QR, CARD])
def test_a_picture_is_fetched_with_the_persons_token_whatever_good_status_it_has(
    stub: AbdmStub, witness: Witness, path: str
) -> None:
    stub.answer(path, Said(status=202, body=PNG, headers={"Content-Type": "text/plain"}))
    fetch = witness.client.fetch_qr if path == QR else witness.client.fetch_card
    answer = fetch(witness.begin, "user-token")
    assert (answer.value.media_type, answer.value.data) == ("image/png", PNG)
    assert stub.asks(path)[0].headers["X-token"] == "Bearer user-token"
    assert answer.ending.response == {"type": "text/plain", "bytes": len(PNG)}


def test_what_is_no_picture_is_not_kept(stub: AbdmStub, witness: Witness) -> None:
    stub.answer(CARD, Said(body=b"<html>card</html>"))
    with pytest.raises(AbdmUnknown):
        witness.client.fetch_card(witness.begin, "user-token")


def test_links_go_to_the_gateway_with_facility_and_token(stub: AbdmStub, witness: Witness) -> None:
    ask = LinkTokenAsk(
        abha_number="91123456789015",
        abha_address="asha.test@sbx",
        name="Asha Test",
        gender="F",
        birth_year=1990,
    )
    token = witness.client.request_link_token(witness.begin, "IN2810014366", ask)
    done = witness.client.link_contexts(witness.begin, "IN2810014366", "link-jwt", LINKED)
    (asked,) = stub.asks(LINK)
    assert asked.headers["X-HIP-ID"] == "IN2810014366"
    assert asked.headers["X-LINK-TOKEN"] == "link-jwt"
    assert (token.ending.status, done.ending.status) == (202, 202)
    assert stub.asks(CERTIFICATE) == []


def test_linked_already_is_a_refusal_that_says_done(stub: AbdmStub, witness: Witness) -> None:
    stub.answer(LINK, refused("ABDM-1056", "This care contexts has been already linked", 400))
    with pytest.raises(AbdmRefused) as caught:
        witness.client.link_contexts(witness.begin, "IN2810014366", "link-jwt", LINKED)
    assert caught.value.refusal.effect is Effect.DONE


def test_nothing_that_is_told_or_printed_holds_a_value_of_the_person(
    stub: AbdmStub, witness: Witness
) -> None:
    stub.answer(
        ENROL,
        refused("ABDM-4712", "Asha Test with 9999 9999 0019 and 9000000903 is odd", status=400),
    )
    stub.answer(SUGGESTION, said({"abhaAddressList": ["asha.test"], "secret thing": "Asha"}))
    client, begin = witness.client, witness.begin
    with pytest.raises(AbdmRefused) as caught:
        client.enrol_by_demographics(begin, an_ask(), end=witness.end)
    witness.end(client.enrol_by_demographics(begin, an_ask()).ending)
    witness.end(client.request_aadhaar_otp(begin, bytearray(b"999999990019")).ending)
    witness.end(client.enrol_by_otp(begin, "txn-1", "654321", "9000000903").ending)
    witness.end(client.request_mobile_otp(begin, "txn-1", "9000000903").ending)
    witness.end(client.suggest_addresses(begin, "txn-1").ending)
    witness.end(client.create_address(begin, "txn-1", "asha.test").ending)
    ask = LinkTokenAsk(
        abha_number="91123456789015",
        abha_address="asha.test@sbx",
        name="Asha Test",
        gender="F",
        birth_year=1990,
    )
    witness.end(client.request_link_token(begin, "IN2810014366", ask).ending)
    witness.end(client.link_contexts(begin, "IN2810014366", "link-jwt", LINKED).ending)
    kept = [json.dumps(dict(each.request)) for each in witness.begun]
    kept += [repr(each) for each in (*witness.begun, *witness.ended, caught.value.ending)]
    kept += [
        repr(caught.value.refusal),
        str(caught.value),
        repr(client),
        repr(witness.stub.settings),
    ]
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", "\n".join(kept))
    for value in (
        "Asha", "asha", "9999", "0019", "9000000903", "0903", "1990", "654321", "old well",
        "411001", "user-token", "session-", "not-a-secret", "link-jwt", "txn-1", "9112", "0161",
    ):  # fmt: skip
        assert value not in text, value
    assert caught.value.refusal.reason == "abdm:unknown ABDM-4712"
    # What the office needs to understand an exchange is there.
    assert '"stateCode": "27"' in text
    assert "OPConsultation" in text
    assert "visit-1" in text
    assert not re.search(r"[A-Za-z0-9+/]{200}", text)


@pytest.mark.parametrize(
    "change",
    [
        {"gateway_url": ""},
        {"abha_url": ""},
        {"client_id": ""},
        {"client_secret": ""},
        {"gateway_url": "http://dev.abdm.gov.in"},
        {"abha_url": "ftp://127.0.0.1"},
    ],
)
def test_settings_that_cannot_be_used_are_named(change: dict[str, str]) -> None:
    fine = AbdmSettings(
        gateway_url="https://dev.abdm.gov.in",
        abha_url="https://abhasbx.abdm.gov.in/abha/api",
        client_id="a",
        client_secret="b",
    )
    open_client(fine, clock=lambda: NOW).close()
    with pytest.raises(SettingsInvalid) as caught:
        open_client(replace(fine, **change), clock=lambda: NOW)
    assert str(caught.value.detail) == f"abdm.{next(iter(change))}"


def test_a_client_that_was_closed_sends_nothing(stub: AbdmStub, witness: Witness) -> None:
    enrol(witness)
    witness.client.close()
    with pytest.raises(AbdmUnsent):
        enrol(witness)
    assert len(stub.asks(ENROL)) == 1


def test_connections_are_used_again(stub: AbdmStub, witness: Witness) -> None:
    calls: list[Callable[[], object]] = [
        lambda: enrol(witness),
        lambda: witness.client.suggest_addresses(witness.begin, "txn-1"),
        lambda: witness.client.create_address(witness.begin, "txn-1", "asha.test"),
    ]
    for call in calls:
        call()
    assert len(stub.asks(SESSION)) == len(stub.asks(CERTIFICATE)) == 1
    assert [len(stub.asks(path)) for path in (ENROL, SUGGESTION, ADDRESS, OTP)] == [1, 1, 1, 0]


def test_sixteen_threads_share_a_session_and_a_certificate(stub: AbdmStub) -> None:
    witness = Witness(stub)
    with witness.client, ThreadPoolExecutor(16) as pool:
        enrol(witness)
        stub.ended_sessions.add("session-1")
        answers = list(pool.map(lambda _number: enrol(witness), range(64)))
    assert len({each.ending.request_id for each in answers}) == 64
    assert 1 <= len(witness.ended) <= 16
    assert len(stub.asks(SESSION)) == 2
    assert len(stub.asks(CERTIFICATE)) == 1
    left = [each.headers["REQUEST-ID"] for each in stub.asks(ENROL)]
    assert sorted(left) == sorted(each.request_id for each in witness.begun)


def test_the_persons_values_are_struck_out_of_what_abdm_says_to_a_code(
    stub: AbdmStub, witness: Witness
) -> None:
    stub.answer(OTP, refused("ABDM-1207", "KUNTI DEVI (91234 56780) does not match"))
    with pytest.raises(AbdmRefused) as caught:
        witness.client.request_aadhaar_otp(
            witness.begin, bytearray(b"999999990019"), hidden=("Kunti Devi", "9123456780")
        )
    kept = "<withheld> (<10 digits>) does not match"
    assert caught.value.refusal.message == kept
    assert caught.value.ending.response["error"]["message"] == kept
