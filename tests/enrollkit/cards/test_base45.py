"""Base45 against the examples of RFC 9285, and against garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollkit.cards.base45 import decode, encode

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        (b"", ""),
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
    ],
)
def test_the_examples_of_the_rfc_hold_both_ways(plain: bytes, text: str) -> None:
    assert encode(plain) == text
    assert decode(text) == plain


@given(st.binary(max_size=300))
def test_every_bytes_come_back(data: bytes) -> None:
    assert decode(encode(data)) == data


@pytest.mark.parametrize("text", ["A", "GGW", "::", ":::", "bb8", "BB8\n", "BB8A", "é00", "٣00"])
def test_text_that_no_bytes_have_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base45"):
        decode(text)


@given(st.text(max_size=60) | st.text(alphabet=ALPHABET, max_size=60))
def test_garbage_is_refused_or_is_the_one_spelling_of_its_bytes(text: str) -> None:
    try:
        data = decode(text)
    except ValueError:
        return
    assert encode(data) == text


def test_the_error_does_not_quote_the_text() -> None:
    with pytest.raises(ValueError, match="base45") as caught:
        decode("Ünique")
    assert "nique" not in str(caught.value)
    assert caught.value.__suppress_context__
