"""Figures that add up, and a code that says when they were changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollkit.cards.codes import modules_of
from enrollkit.identity.router import Kind, classify
from enrollkit.reports.signed import StatementVerdict, read_code, sign_code
from enrollkit.reports.statement import Group, OnStick, Shares, Statement, add_up
from sync.sealing import SigningKey, sign

KEY = SigningKey(bytes([5]) * 32)
GROUPS = st.lists(
    st.builds(
        Group,
        place=st.sampled_from(["returned", "unsigned", "withdrawn", "signed"]),
        stick=st.none() | st.integers(1, 5),
        is_held=st.booleans(),
        is_durable=st.booleans(),
        count=st.integers(0, 1000),
    ),
    max_size=20,
)


def shares(**changes: int) -> Shares:
    values = {
        "total": 10, "on_laptop": 1, "on_sticks": 2, "signed_for": 4, "held": 1, "durable": 3,
        "returned": 2, "withdrawn": 1,
    }  # fmt: skip
    return Shares(**(values | changes))


def statement(**changes: Any) -> Statement:
    values: dict[str, Any] = {
        "day": date(2026, 11, 22),
        "made_at": 1_795_300_000,
        "programme": "Practice State",
        "device": KEY.public.id,
        "operator": "Sunita K.",
        "camps": ("CAMP-1",),
        "people": shares(),
        "links": shares(total=9, on_sticks=1),
        "on_sticks": (OnStick(n=3, name="a.ekb", written_at=1, people=2, links=1),),
        "drafts": 4,
        "incarnation": "1f" * 8,
        "chain": (12, bytes(range(32))),
        "audit_head": bytes(32),
    }
    return Statement(**(values | changes))


@given(GROUPS)
def test_every_group_lands_in_exactly_one_part(groups: list[Group]) -> None:
    total = sum(group.count for group in groups)
    found, by_stick = add_up(total, groups)
    assert found.adds_up
    assert sum(by_stick.values()) == found.on_sticks


@given(GROUPS, st.integers(1, 5))
def test_one_who_is_missing_shows(groups: list[Group], missing: int) -> None:
    total = sum(group.count for group in groups)
    assert not add_up(total + missing, groups)[0].adds_up


@pytest.mark.parametrize(
    "wrong",
    [
        {"people": shares(on_laptop=2)},
        {"links": shares(total=9, on_sticks=1, signed_for=5)},
        {"people": shares(held=5)},
        {"on_sticks": ()},
        {"on_sticks": (OnStick(n=3, name="a", written_at=1, people=2, links=2),)},
    ],
)
def test_a_statement_that_does_not_add_up_says_so(wrong: dict[str, Any]) -> None:
    assert statement().adds_up
    assert not statement(**wrong).adds_up


def test_the_code_says_what_was_signed() -> None:
    read = read_code(sign_code(statement(), KEY), {KEY.public.id: KEY.public}.get)
    assert (read.verdict, read.signer) == (StatementVerdict.VERIFIED, KEY.public.id)
    assert read.figures is not None
    assert read.figures.people == {
        "total": 10, "on_laptop": 1, "on_sticks": 2, "signed_for": 4, "held": 1, "returned": 2,
        "withdrawn": 1,
    }  # fmt: skip
    assert read.figures.papers["total"] == 9
    assert (read.figures.day, read.figures.drafts) == ("2026-11-22", 4)
    assert read.figures.chain == (12, bytes(range(32)))


def test_every_changed_letter_of_the_code_shows() -> None:
    code = sign_code(statement(), KEY)
    for place in range(len(code)):
        other = "B" if code[place] != "B" else "C"
        changed = code[:place] + other + code[place + 1 :]
        verdict = read_code(changed, lambda _signer: KEY.public).verdict
        assert verdict in {StatementVerdict.TAMPERED, StatementVerdict.UNREADABLE}, place


def test_nobody_vouches_for_the_code_of_an_unknown_laptop() -> None:
    read = read_code(sign_code(statement(), KEY), {}.get)
    assert (read.verdict, read.figures) == (StatementVerdict.UNKNOWN_SIGNER, None)


def test_another_message_of_the_same_laptop_is_no_statement() -> None:
    import base64  # noqa: PLC0415 - to write a code by hand

    signed = base64.b32encode(sign(b"\x80", ["batch"], KEY)).decode().rstrip("=")
    assert read_code("EKS1:" + signed, lambda _: KEY.public).verdict is StatementVerdict.TAMPERED
    mine = base64.b32encode(sign(b"\x80", ["statement"], KEY)).decode().rstrip("=")
    assert read_code("EKS1:" + mine, lambda _: KEY.public).verdict is StatementVerdict.TAMPERED


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    for code in (text, "EKS1:" + text):
        assert read_code(code, lambda _: KEY.public).verdict is StatementVerdict.UNREADABLE


def test_the_code_is_coarse_enough_for_an_old_camera_and_known_by_its_beginning() -> None:
    large = shares(total=10**6, on_laptop=10**6 - 9)
    code = sign_code(replace(statement(), people=large, links=large), KEY)
    assert len(modules_of(code)) <= 73
    assert classify(f" {code}\n") is Kind.STATEMENT
