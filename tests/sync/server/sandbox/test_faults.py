"""The weather: each fault does what it says, and a seed says the same again."""

from __future__ import annotations

import socket
from collections import Counter

import httpx
import pytest

from practice_abdm import practice_abdm
from practice_calls import SHANTI, PracticeClient, practice_client
from sync.server.sandbox.faults import LEVELS, Fault, FaultPlan

ROUTES = ("session", "certificate", "enrol", "otp", "link")


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ("unavailable", 503, "ABDM-1019"),
        ("busy", 429, "ABDM-1022"),
        ("html", 502, "<html>"),
        ("broken", 500, "900900"),
        ("skewed", 400, "ABDM-1016"),
        ("expired", 401, "900901"),
        ("empty-401", 401, ""),
        ("rotated", 400, "aadhaarNumber"),
    ],
)
def test_a_fault_before_the_request_is_looked_at_leaves_no_account(
    client: PracticeClient, fault: str, status: int, words: str
) -> None:
    client.abdm.script(enrol=[fault])
    reply = client.enrol()
    assert reply.status_code == status
    assert words in reply.text
    assert reply.text or not words
    assert reply.headers["X-Practice"] == "yes"
    assert client.abdm.accounts == []
    assert client.abdm.calls("enrol")[0]["fate"] == fault


def test_a_busy_reply_says_when_to_come_again(client: PracticeClient) -> None:
    client.abdm.script(enrol=["busy"], link=["busy"])
    assert client.enrol().headers["Retry-After"] == "1"
    reply = client.post("/api/hiecm/hip/v3/link/carecontext", {})
    assert reply.json()["error"]["code"] == "ABDM-2429"


def test_a_connection_dropped_before_leaves_no_account(client: PracticeClient) -> None:
    client.abdm.script(enrol=["dropped"])
    with pytest.raises(httpx.RemoteProtocolError):
        client.enrol()
    assert client.abdm.accounts == []
    assert client.enrol().json()["new"] is True


@pytest.mark.parametrize("fault", ["lost-reply", "cut-reply"])
def test_a_reply_lost_after_leaves_an_account_that_is_found_again(
    client: PracticeClient, fault: str
) -> None:
    client.abdm.script(enrol=[fault])
    with pytest.raises(httpx.RemoteProtocolError):
        client.enrol()
    assert len(client.abdm.accounts) == 1
    assert client.enrol().json()["new"] is False
    assert client.abdm.person(SHANTI) == {
        "asks": 2,
        "creations": 1,
        "grants": 1,
        "asks_after_grant": 0,
    }


def test_a_silent_reply_ends_when_the_client_gives_up(client: PracticeClient) -> None:
    client.abdm.script(enrol=["silent"])
    with httpx.Client(base_url=client.abdm.url, timeout=0.3) as hasty:
        patient, client.http = client.http, hasty
        with pytest.raises(httpx.ReadTimeout):
            client.enrol()
        client.http = patient
    assert len(client.abdm.accounts) == 1


def test_sessions_that_ended_can_be_opened_anew(client: PracticeClient) -> None:
    client.abdm.script(enrol=["empty-401"])
    assert client.enrol().content == b""
    assert client.enrol().status_code == 401
    client.log_in()
    assert client.enrol().status_code == 200


def test_after_a_rotation_the_new_key_is_the_right_one(client: PracticeClient) -> None:
    client.abdm.script(enrol=["rotated"])
    assert client.enrol().status_code == client.enrol().status_code == 400
    client.fetch_key()
    assert client.enrol().status_code == 200


def test_replies_may_take_their_time() -> None:
    with practice_client(latency_ms=150) as client:
        assert client.enrol().elapsed.total_seconds() >= 0.15


def test_a_client_that_leaves_in_the_middle_is_noted_and_nothing_done(
    client: PracticeClient,
) -> None:
    host, port = client.abdm.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as line:
        path = "/abha/api/v3/enrollment/enrol/byAadhaar"
        line.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode())
    while not (calls := client.abdm.calls("enrol")) or calls[0]["fate"] == "served":
        assert client.get("/").status_code == 200
    assert (calls[0]["fate"], calls[0]["status"]) == ("hung-up", None)


def test_the_same_seed_has_the_same_weather() -> None:
    def drawn(seed: int) -> list[object]:
        plan = FaultPlan(level="many", seed=seed)
        return [(route, plan.take(route)) for _ in range(100) for route in ROUTES]

    assert drawn(1) == drawn(1) != drawn(2)


def test_other_routes_do_not_change_a_routes_weather() -> None:
    alone, mixed = (FaultPlan(level="many", seed=3) for _ in range(2))
    wanted = [alone.take("enrol") for _ in range(50)]
    found = []
    for _ in range(50):
        mixed.take("otp")
        found.append(mixed.take("enrol"))
    assert found == wanted


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_spoils_its_share_of_all_calls(level: str) -> None:
    plan = FaultPlan(level=level, seed=4)
    spoilt = sum(plan.take("enrol").fault is not None for _ in range(2000))
    assert abs(spoilt / 2000 - LEVELS[level]) < 0.04


def test_each_fault_befalls_the_routes_that_it_can() -> None:
    plan = FaultPlan(level="many", seed=5)
    drawn = {route: Counter(plan.take(route).fault for _ in range(2000)) for route in ROUTES}
    everywhere = set.union(*(set(each) for each in drawn.values()))
    assert set(Fault) - everywhere == {Fault.SILENT}, "it would hold up every run"
    assert Fault.EXPIRED not in drawn["session"]
    assert Fault.ROTATED not in drawn["link"]
    assert Fault.CALLBACK_LOST not in drawn["enrol"]


def test_a_script_goes_before_the_seed() -> None:
    plan = FaultPlan(level="many", seed=6)
    plan.script("enrol", ["none"] * 50 + ["busy"])
    assert [plan.take("enrol").fault for _ in range(51)] == [None] * 50 + [Fault.BUSY]
    with pytest.raises(ValueError, match="no-such"):
        plan.script("enrol", ["no-such"])


def test_the_weather_can_be_changed_from_outside(client: PracticeClient) -> None:
    page = "/practice/faults"
    assert client.post(page, {"script": {"enrol": ["busy"]}}).json() == {"practice": True}
    assert client.enrol().status_code == 429
    assert client.post(page, {"level": "many", "seed": 1, "latency_ms": 1}).status_code == 200
    assert {client.abdm.sandbox.faults.take("otp").fault for _ in range(50)} != {None}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"7", b"{", {"level": "worst"}, {"level": "many", "seed": "x"},
     {"script": []}, {"script": {"enrol": ["worst"]}}, b" " * 70_000],
)  # fmt: skip
def test_weather_that_there_is_not_is_refused(stranger: PracticeClient, body: object) -> None:
    assert stranger.post("/practice/faults", body).status_code == 400


def test_many_faults_leave_one_account_to_a_person() -> None:
    people = ["999927467707", "999987259635", "999979519780", "999915563419"]
    with practice_client() as client:
        client.abdm.sandbox.faults.set(level="many", seed=7)
        for aadhaar in people * 12:
            _try_to_enrol(client, aadhaar)
        assert {client.abdm.person(one)["creations"] for one in people} == {1}
        assert len(client.abdm.accounts) == len(people)


def _try_to_enrol(client: PracticeClient, aadhaar: str) -> None:
    try:
        if client.enrol(aadhaar).status_code in {400, 401}:
            client.log_in()
            client.fetch_key()
    except (httpx.RemoteProtocolError, KeyError, ValueError):
        return


def test_two_practices_know_nothing_of_each_other() -> None:
    with practice_abdm() as one, practice_abdm() as other:
        assert one.url != other.url
        assert one.sandbox.journal.digest(SHANTI) != other.sandbox.journal.digest(SHANTI)
