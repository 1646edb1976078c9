from __future__ import annotations

import asyncio
import io
import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gateway_signer import GatewaySigner
from link_office import LinkCamp
from server_laptops import Office
from sync.server.abdm.bridge import BODY_BYTES_MAX, Bridge
from sync.server.abdm.callback_keys import keep_keys, see_to_keys
from sync.server.abdm.callbacks import CallbackUnreadable, Taking, read_callback
from sync.server.abdm.calls import Step
from sync.server.abdm.settings import AbdmSettings
from sync.server.app import create_app
from sync.server.errors import SettingsInvalid
from sync.server.store.tables import abdm_exchanges, callback_keys

TOKEN_PATH = "/api/v3/hip/token/on-generate-token"
LINK_PATH = "/api/v3/link/on_carecontext"


@pytest.fixture
def camp(office: Office) -> LinkCamp:
    return LinkCamp(office)


@pytest.fixture
def asked(camp: LinkCamp) -> LinkCamp:
    """Somebody's link token was asked for."""
    camp.linked_person()
    camp.advance()
    return camp


def token_body(camp: LinkCamp, **changes: Any) -> dict[str, Any]:
    request_id = camp.client.said[0].request_id if camp.client.said else str(uuid.uuid4())
    body = {
        "abhaAddress": "practice.zebra@sbx",
        "linkToken": "a.token.b",
        "response": {"requestId": request_id},
    }
    return {**body, **changes}


def post(
    office: Office,
    path: str,
    body: Mapping[str, Any] | bytes,
    *,
    settings: AbdmSettings | None = None,
    headers: Mapping[str, str] | None = None,
    client: str = "203.0.113.9",
) -> int:
    """Post to a front door with these settings; give the status."""
    settings = settings or replace(AbdmSettings(), callback_signature="unchecked")
    bridge = Bridge(
        store=office.store,
        vault=office.keys.vault,
        settings=settings,
        tempo=office.services.tempo,
        log=office.services.log,
        clock=lambda: office.now * 1000,
    )
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def call() -> int:
        transport = httpx.ASGITransport(
            create_app(replace(office.services, bridge=bridge)), client=(client, 1)
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://office") as line:
            return (await line.post(path, content=data, headers=headers or {})).status_code

    return asyncio.run(call())


def test_a_token_comes_by_http_and_wakes_the_job(asked: LinkCamp) -> None:
    assert asked.claim() == []
    assert post(asked.office, TOKEN_PATH, token_body(asked)) == 202
    assert len(asked.claim()) == 1
    assert asked.office.count("SELECT count(*) FROM link_tokens") == 1


def test_the_front_door_asks_for_a_signature_unless_it_is_told_otherwise(
    asked: LinkCamp,
) -> None:
    assert post(asked.office, TOKEN_PATH, token_body(asked), settings=AbdmSettings()) == 401
    assert asked.office.count("SELECT count(*) FROM link_tokens") == 0


def test_a_callback_that_comes_again_changes_nothing(asked: LinkCamp) -> None:
    body = token_body(asked)
    assert [post(asked.office, TOKEN_PATH, body) for _ in range(2)] == [202, 202]
    other = token_body(asked, linkToken="other.token.c", error={"code": "ABDM-1043"})
    assert asked.take(Step.LINK_TOKEN, other) is Taking.REPEATED
    assert asked.news() == []


def test_an_unknown_request_is_answered_404_and_logged_as_a_code(
    camp: LinkCamp, office_log: io.StringIO
) -> None:
    secret = token_body(camp, linkToken="a.secret.b", abhaAddress="somebody@sbx")
    assert post(camp.office, TOKEN_PATH, secret) == 404
    assert '"code": "request-unknown"' in office_log.getvalue()
    assert "secret" not in office_log.getvalue()
    assert "somebody" not in office_log.getvalue()


def test_an_answer_to_another_kind_of_request_is_unknown(asked: LinkCamp) -> None:
    body = token_body(asked, status="Successfully Linked care context")
    assert post(asked.office, LINK_PATH, body) == 404
    assert asked.news() == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b"\xff", b'{"response":{}}', b'{"response":{"requestId":"x"}}',
        b'{"response":{"requestId":7}}', b"[" * 50_000,
        json.dumps({"response": {"requestId": str(uuid.uuid4())}}).encode(),
        json.dumps({"linkToken": "a b", "response": {"requestId": str(uuid.uuid4())}}).encode(),
    ],
    ids=range(10),
)  # fmt: skip
def test_what_is_no_answer_is_refused(office: Office, body: bytes) -> None:
    assert post(office, TOKEN_PATH, body) == 400


def test_a_huge_body_is_not_read(office: Office) -> None:
    assert post(office, TOKEN_PATH, b" " * (BODY_BYTES_MAX + 1)) == 413


@given(st.binary(max_size=300))
def test_no_bytes_make_reading_fall_over(data: bytes) -> None:
    for step in (Step.LINK, Step.LINK_TOKEN):
        try:
            read_callback(step, data)
        except CallbackUnreadable:
            continue


@pytest.mark.parametrize(
    ("networks", "client", "status"),
    [
        ("", "203.0.113.9", 202),
        ("203.0.113.0/24", "203.0.113.9", 202),
        ("10.0.0.0/8, 203.0.113.9", "203.0.113.9", 202),
        ("10.0.0.0/8", "203.0.113.9", 403),
        ("10.0.0.0/8", "nobody", 403),
        ("2001:db8::/32", "2001:db8::7", 202),
    ],
)
def test_only_the_networks_that_the_office_named_may_call(
    asked: LinkCamp, networks: str, client: str, status: int
) -> None:
    settings = replace(AbdmSettings(), callback_signature="unchecked", callback_networks=networks)
    found = post(asked.office, TOKEN_PATH, token_body(asked), settings=settings, client=client)
    assert found == status


def test_a_network_that_is_none_is_told_when_the_server_starts(office: Office) -> None:
    with pytest.raises(SettingsInvalid):
        post(office, TOKEN_PATH, b"", settings=AbdmSettings(callback_networks="10.0.0.0/99"))


def test_what_is_written_down_holds_neither_token_nor_name(asked: LinkCamp) -> None:
    error = {"code": "ABDM-1043", "message": "Marked Zebra Quokka 912345678012 does not match"}
    body = token_body(asked, linkToken="a.secret.b", error=error)
    asked.take(Step.LINK_TOKEN, body)
    with asked.store.read() as connection:
        row = connection.execute(select(abdm_exchanges)).one()
    assert row.callback_code == "ABDM-1043"
    assert "does not match" in row.callback
    for value in ("secret", "Zebra", "Quokka", "912345678012", "practice.zebra"):
        assert value not in row.callback


def test_a_name_in_its_own_script_is_struck_out_as_well(camp: LinkCamp) -> None:
    record, _links = camp.linked_person()
    camp.amend(record, name_native="कुन्ती देवी")
    camp.advance()
    error = {"code": "ABDM-1043", "message": "कुन्ती does not match"}
    assert camp.take(Step.LINK_TOKEN, token_body(camp, error=error)) is Taking.TAKEN
    with camp.store.read() as connection:
        (row,) = connection.execute(select(abdm_exchanges.c.callback)).all()
    assert json.loads(row.callback)["error"]["message"] == "<withheld> does not match"


SIGNER = GatewaySigner()
OTHER = GatewaySigner(number=2)


def signed(camp: LinkCamp, authorization: str, *, key_set: Mapping[str, Any] | None = None) -> int:
    """Post a signed callback to a server that has the gateway's keys."""
    with camp.store.write() as connection:
        keep_keys(connection, key_set or SIGNER.key_set(), now=camp.now)
    headers = {"Authorization": authorization}
    return post(camp.office, TOKEN_PATH, token_body(camp), settings=AbdmSettings(), headers=headers)


def test_what_the_gateway_signed_is_taken(asked: LinkCamp) -> None:
    claims = {"exp": asked.office.now + 60, "nbf": asked.office.now - 60}
    assert signed(asked, SIGNER.bearer(claims)) == 202


def test_a_key_of_the_longer_kind_is_taken_too(asked: LinkCamp) -> None:
    longer = GatewaySigner(alg="RS512")
    assert signed(asked, longer.bearer({}), key_set=longer.key_set()) == 202


@pytest.mark.parametrize(
    "authorization",
    [
        "", "Bearer", "Bearer a.b.c", "Basic YTpi", "Bearer " + "a" * 9000,
        SIGNER.bearer({"exp": 1}),
        SIGNER.bearer({"nbf": 9_999_999_999}),
        SIGNER.bearer({})[:-4] + "AAAA",
        SIGNER.bearer({}).replace(".", "", 1),
        SIGNER.bearer({}, alg="none"),
        SIGNER.bearer({}, alg="HS256"),
        SIGNER.bearer({}, alg="RS512"),
        SIGNER.bearer({}, kid=None),
        SIGNER.bearer({}, kid=["gateway-1"]),
        SIGNER.bearer({}, kid="k" * 200),
        OTHER.bearer({}),
        "Bearer ..",
        "Bearer e30.e30.",
    ],
    ids=range(18),
)  # fmt: skip
def test_a_forged_callback_is_refused_before_its_body_is_read(
    asked: LinkCamp, authorization: str
) -> None:
    assert signed(asked, authorization) == 401
    assert asked.office.count("SELECT count(*) FROM link_tokens") == 0


def test_one_changed_character_of_any_part_is_refused(asked: LinkCamp) -> None:
    right = SIGNER.bearer({"exp": asked.office.now + 60})
    for place in range(len("Bearer "), len(right) - 1, 37):
        wrong = right[:place] + ("A" if right[place] != "A" else "B") + right[place + 1 :]
        assert signed(asked, wrong) == 401, place


def test_a_key_that_nobody_knows_is_looked_for_once_in_a_while(asked: LinkCamp) -> None:
    settings = AbdmSettings()
    newer = GatewaySigner("gateway-2", number=2)
    asked.client.keys = newer.key_set()
    assert signed(asked, newer.bearer({})) == 401
    see_to_keys(asked.store, asked.client, settings, now=asked.now)
    assert asked.client.fetched == 0, "nobody makes us call ABDM by naming keys"
    asked.wait(301)
    see_to_keys(asked.store, asked.client, settings, now=asked.now)
    assert asked.client.fetched == 1
    headers = {"Authorization": newer.bearer({})}
    body = token_body(asked)
    assert post(asked.office, TOKEN_PATH, body, settings=settings, headers=headers) == 202
    see_to_keys(asked.store, asked.client, settings, now=asked.now + 1)
    assert asked.client.fetched == 1


def test_strangers_cannot_fill_the_table_of_keys(asked: LinkCamp) -> None:
    for number in range(12):
        assert signed_as(asked, f"stranger-{number}") == 401
    with asked.store.read() as connection:
        assert len(connection.execute(select(callback_keys)).all()) <= 6


def test_a_stranger_makes_nobody_wait_once_there_is_nothing_to_note(
    asked: LinkCamp, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, locks = asked.office.store, []
    lock = store.write

    def counted() -> Any:
        locks.append(1)
        return lock()

    monkeypatch.setattr(store, "write", counted)
    for _again in range(3):
        assert signed_as(asked, "stranger-0") == 401
    assert len(locks) == 1, "it is noted already"
    for number in range(9):
        assert signed_as(asked, f"stranger-{number}") == 401
    assert len(locks) == 5, "the table is full"


def signed_as(camp: LinkCamp, kid: str) -> int:
    headers = {"Authorization": OTHER.bearer({}, kid=kid)}
    return post(camp.office, TOKEN_PATH, b"", settings=AbdmSettings(), headers=headers)


def test_keys_grow_old_and_an_outage_leaves_the_old_ones(asked: LinkCamp) -> None:
    settings = AbdmSettings()
    asked.client.keys = SIGNER.key_set()
    see_to_keys(asked.store, asked.client, settings, now=asked.now)
    see_to_keys(asked.store, asked.client, settings, now=asked.now + 1000)
    assert asked.client.fetched == 1
    asked.client.keys_fail = True
    see_to_keys(asked.store, asked.client, settings, now=asked.now + 25 * 3_600_000)
    assert asked.client.fetched == 2
    assert asked.office.count("SELECT count(*) FROM callback_keys") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "EC"}, {"use": "enc"}, {"alg": "none"}, {"n": "AQAB"}, {"n": "%"}, {"n": 7},
        {"kid": ""}, {"kid": 7}, {"e": ""}, {"kid": "k" * 101}, {"kid": "\ud800"}, {"kid": "a\0"},
    ],
)  # fmt: skip
def test_a_key_that_may_not_sign_is_not_kept(camp: LinkCamp, changes: dict[str, Any]) -> None:
    with camp.store.write() as connection:
        keep_keys(connection, SIGNER.key_set(), now=1)
        assert keep_keys(connection, OTHER.key_set(**changes), now=2) == 0
    assert camp.office.count("SELECT max(noted_at) FROM callback_keys") == 1


def test_a_callback_does_not_wait_for_the_worker(asked: LinkCamp, tmp_path: Path) -> None:
    claims = asked.claim()
    assert claims == []
    asked.wait(600)
    assert len(asked.claim()) == 1, "a worker has the job"
    assert asked.take(Step.LINK_TOKEN, token_body(asked)) is Taking.TAKEN


def test_half_a_character_in_a_callback_does_not_keep_it_from_being_taken(
    asked: LinkCamp,
) -> None:
    odd = token_body(asked, patient=[{"referenceNumber": "\ud800"}], status="\udfff")
    assert post(asked.office, TOKEN_PATH, odd) == 202
    assert asked.office.count("SELECT count(*) FROM link_tokens") == 1


def test_a_text_that_no_database_holds_is_the_senders_fault(
    asked: LinkCamp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object, **_named: object) -> Taking:
        "\ud800".encode()
        return Taking.TAKEN

    monkeypatch.setattr("sync.server.abdm.bridge.take_callback", fail)
    assert post(asked.office, TOKEN_PATH, token_body(asked)) == 400
