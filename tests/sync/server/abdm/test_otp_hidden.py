"""What ABDM says while somebody is there is written down without their name and number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from abdm_office import Camp, aadhaar
from abdm_present import Present
from practice_abdm import practice_abdm
from server_laptops import Office
from sync.protocol import FinishStage

MOBILE, OTHER_MOBILE = "9123456780", "9123456781"
NAME, NATIVE = "Kunti Devi", "कुन्ती देवी"


class Listening:
    """Hears what each call is told to hide."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.heard: dict[str, tuple[str, ...]] = {}

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def heard(*asked: Any, **named: Any) -> Any:
            self.heard[name] = named.get("hidden", ())
            return call(*asked, **named)

        return heard


@pytest.fixture
def present(office: Office) -> Iterator[Present]:
    camp = Camp(office)
    camp.bring_key()

    def clock() -> float:
        return float(office.now)

    with practice_abdm(clock=clock) as practice, Present.client_of(practice, clock) as client:
        record = camp.person(aadhaar(1), mobile=OTHER_MOBILE, name=NAME, name_native=NATIVE)
        yield Present(camp, practice, client, record)


def test_every_call_with_the_person_there_hides_their_name_and_mobile(present: Present) -> None:
    listening = Listening(present.client)

    def step(action: str, value: str | None = None) -> FinishStage:
        present.hand_in(present.request(action, value))
        present.work(listening)
        return present.look().stage

    step("send")
    assert step("code", present.practice.code) is FinishStage.MOBILE
    step("mobile-send")
    assert step("mobile-code", present.practice.code) is FinishStage.ADDRESS
    assert step("address", present.look().handles[0]) is FinishStage.DONE
    asked = {
        "request_aadhaar_otp", "enrol_by_otp", "request_mobile_otp", "verify_mobile",
        "suggest_addresses", "create_address",
    }  # fmt: skip
    assert asked <= set(listening.heard)
    for name in asked:
        assert {NAME, "Kunti", "Devi", NATIVE, OTHER_MOBILE} <= set(listening.heard[name]), name
    assert "Kunti" not in json.dumps([dict(row) for row in present.camp.exchanges(present.record)])
