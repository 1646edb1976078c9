"""Of a code that is none of ours the operator hears what it is, and nothing that is in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollkit.identity.strangers import explain


@pytest.mark.parametrize(
    ("scanned", "word"),
    [
        ("", "nothing"),
        ("  \n", "nothing"),
        ("https://example.org/secret?token=abc", "example.org"),
        ("http://[", "web address"),
        ("upi://pay?pa=someone@bank&am=10", "UPI"),
        ("BEGIN:VCARD\nFN:Asha Devi\nEND:VCARD", "visiting card"),
        ("WIFI:S:camp;T:WPA;P:secret;;", "wireless"),
        ("9999 4105 7058", "field in the form"),
        ("91-1111-2222-3333", "ABHA number"),
        ("8901030895555", "bar code"),
        ("7" * 150, "bar code"),
        ("<a href='secret'/>", "XML"),
        ('{"name": "Asha Devi"}', "JSON"),
        ('{"name": ', "text"),
        ("hello Asha Devi", "text"),
    ],
)
def test_it_is_named_and_nothing_of_it_is_repeated(scanned: str, word: str) -> None:
    said = explain(scanned)
    assert word in said
    for private in ("Asha", "secret", "9999", "1111", "someone"):
        assert private not in said


@given(st.text(max_size=300) | st.text(max_size=80).map("https://{}".format))
def test_whatever_it_is_there_are_words(scanned: str) -> None:
    said = explain(scanned)
    assert said.endswith(".")
    assert len(said) < 250
    assert said.isprintable()


def test_a_number_in_a_hosts_place_is_masked() -> None:
    assert "9999" not in explain("https://999941057058/x")
