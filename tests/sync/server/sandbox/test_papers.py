"""The pictures: a QR that reads like a real card's, and a card that cannot be taken for one."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from practice_calls import Clock, PracticeClient

PROFILE = "/abha/api/v3/profile/account"


def qr_of(data: bytes) -> Any:
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(data)))
    return json.loads(found[0].text)


@pytest.fixture
def answer(client: PracticeClient) -> Any:
    return client.enrol(
        dateOfBirth="05-09-1990", mobile="9205373585", address="H.No 6, Main Road, Garhi"
    ).json()


def test_the_qr_has_the_keys_of_a_real_cards(client: PracticeClient, answer: Any) -> None:
    reply = client.get(f"{PROFILE}/qrCode", X_token=f"Bearer {answer['token']}")
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "image/png")
    assert qr_of(reply.content) == {
        "hidn": answer["healthIdNumber"],
        "hid": answer["healthId"],
        "name": "Shanti Devi",
        "gender": "F",
        "statelgd": "8",
        "distlgd": "88",
        "dob": "5/9/1990",
        "state name": "RAJASTHAN",
        "district_name": "BANSWARA",
        "mobile": "9205373585",
        "address": "H.No 6, Main Road, Garhi",
    }


def test_the_card_is_a_picture_with_practice_across_it(client: PracticeClient, answer: Any) -> None:
    reply = client.get(f"{PROFILE}/abha-card", X_token=f"Bearer {answer['token']}")
    assert (reply.status_code, reply.headers["Content-Type"]) == (202, "image/png")
    assert qr_of(reply.content)["hidn"].startswith("00-"), "the stamp leaves the code readable"
    card = Image.open(io.BytesIO(reply.content)).convert("RGB")
    band = [card.getpixel((x, y)) for x in range(100, 640, 4) for y in range(330, 560, 4)]
    reddish = [pixel for pixel in band if isinstance(pixel, tuple) and pixel[0] > pixel[2] + 20]
    assert len(reddish) > len(band) // 20


def test_the_profile_tells_the_same(client: PracticeClient, answer: Any) -> None:
    profile = client.get(PROFILE, X_token=f"Bearer {answer['token']}").json()
    assert (profile["ABHANumber"], profile["dob"]) == (answer["healthIdNumber"], "05-09-1990")


def test_a_name_and_an_address_in_another_script_make_a_card_too(client: PracticeClient) -> None:
    answer = client.enrol(name="शांति देवी", address="गढ़ी " * 50).json()
    for path in ("qrCode", "abha-card"):
        reply = client.get(f"{PROFILE}/{path}", X_token=f"Bearer {answer['token']}")
        assert qr_of(reply.content)["name"] == "शांति देवी"


@pytest.mark.parametrize("token", [None, "", "Bearer x", "x"])
def test_without_the_token_nobodys_papers_are_given(
    stranger: PracticeClient, token: str | None
) -> None:
    for path in ("", "/qrCode", "/abha-card"):
        reply = stranger.get(PROFILE + path, X_token=token)
        assert reply.status_code == 401
        assert reply.json()["error"]["code"].startswith("ABDM-2401")


def test_a_token_lives_for_half_an_hour(client: PracticeClient, answer: Any) -> None:
    assert isinstance(client.clock, Clock)
    client.clock.now += 1801
    client.log_in()
    reply = client.get(f"{PROFILE}/qrCode", X_token=f"Bearer {answer['token']}")
    assert reply.status_code == 401
