"""Bytes that are no UTF-8, as from_utf8 of a Trino 476 answered on 2026-11-29."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_pipeline.contract.utf8_text import from_utf8


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("c080", "\ufffd"),
        ("e08080", "\ufffd"),
        ("eda080", "\ufffd"),
        ("ff", "\ufffd"),
        ("fe80", "\ufffd\ufffd"),
        ("e282", "\ufffd"),
        ("f0908041", "\ufffdA"),
        ("f4908080", "\ufffd"),
        ("f888808080", "\ufffd"),
        ("fc8080808080", "\ufffd"),
        ("c3", "\ufffd"),
        ("80", "\ufffd"),
        ("c3a4ffe282ac", "ä\ufffd€"),
    ],
)
def test_a_sequence_that_is_no_character_is_one_replacement(sent: str, text: str) -> None:
    assert from_utf8(bytes.fromhex(sent)) == text


@given(st.text())
def test_utf8_is_read_as_it_is(text: str) -> None:
    assert from_utf8(text.encode("utf-8", "ignore")) == text.encode("utf-8", "ignore").decode()


@given(st.binary())
def test_all_bytes_are_read(sent: bytes) -> None:
    assert from_utf8(sent).replace("\ufffd", "") == sent.decode("utf-8", "ignore").replace("\ufffd", "")
