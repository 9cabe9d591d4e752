"""The examples of RFC 8949, and messages that another library wrote."""

import json
import math
import struct
from typing import Any

import pytest

from iot_pipeline.intake.cbor import NotCborError, is_cbor, json_of

# RFC 8949, appendix A, "Examples of Encoded CBOR Data Items": those that JSON can say.
EXAMPLES: list[tuple[Any, str]] = [
    (0, "00"), (1, "01"), (10, "0a"), (23, "17"), (24, "1818"), (25, "1819"), (100, "1864"), (1000, "1903e8"),
    (1000000, "1a000f4240"), (1000000000000, "1b000000e8d4a51000"), (18446744073709551615, "1bffffffffffffffff"),
    (-18446744073709551616, "3bffffffffffffffff"), (-1, "20"), (-10, "29"), (-100, "3863"), (-1000, "3903e7"),
    (0.0, "f90000"), (-0.0, "f98000"), (1.0, "f93c00"), (1.1, "fb3ff199999999999a"), (1.5, "f93e00"),
    (65504.0, "f97bff"), (100000.0, "fa47c35000"), (3.4028234663852886e38, "fa7f7fffff"), (1e300, "fb7e37e43c8800759c"),
    (5.960464477539063e-08, "f90001"), (6.103515625e-05, "f90400"), (-4.0, "f9c400"), (-4.1, "fbc010666666666666"),
    (False, "f4"), (True, "f5"), (None, "f6"), (None, "f7"), ("", "60"), ("a", "6161"), ("IETF", "6449455446"),
    ('"\\', "62225c"), ("\u00fc", "62c3bc"), ("\u6c34", "63e6b0b4"), ("\U00010151", "64f0908591"), ([], "80"),
    ([1, 2, 3], "83010203"), ([1, [2, 3], [4, 5]], "8301820203820405"), ({}, "a0"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"), (["a", {"b": "c"}], "826161a161626163"),
    ("streaming", "7f657374726561646d696e67ff"), ([], "9fff"), ([1, [2, 3], [4, 5]], "9f018202039f0405ffff"),
    ({"a": 1, "b": [2, 3]}, "bf61610161629f0203ffff"), ({"Fun": True, "Amt": -2}, "bf6346756ef563416d7421ff"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "encoded"), EXAMPLES, ids=[encoded for _, encoded in EXAMPLES])
def test_the_examples_of_the_rfc(value: Any, encoded: str) -> None:
    found = json.loads(json_of(bytes.fromhex(encoded)))
    assert found == value
    assert type(found) is type(value)
    if isinstance(value, float):
        assert math.copysign(1, found) == math.copysign(1, value)


@pytest.mark.parametrize(
    ("encoded", "why"),
    [
        ("c074323031332d30332d32315432303a30343a30305a", "a byte string or a tag"),
        ("4401020304", "a byte string or a tag"),
        ("c249010000000000000000", "a byte string or a tag"),
        ("f0", "the simple value 16"),
        ("f8ff", "the simple value 24"),
        ("a201020304", "key that is no text"),
        ("a2616101616102", "for the second time"),
        ("62c328", "no UTF-8"),
        ("1c", "additional information 28"),
        ("ff", "the simple value 31"),
        ("", "the end of the bytes"),
        ("19 03", "the end of the bytes"),
        ("0000", "1 bytes follow"),
        ("7f00ff", "a part of a text"),
        ("9a7fffffff", "bytes do not suffice"),
    ],
)
def test_what_json_cannot_say_is_refused(encoded: str, why: str) -> None:
    with pytest.raises(NotCborError, match=f"byte [0-9]+: .*{why}"):
        json_of(bytes.fromhex(encoded))


@pytest.mark.parametrize(("encoded", "text"), [("f97e00", "nan"), ("f97c00", "inf"), ("fbfff0000000000000", "-inf")])
def test_no_number_becomes_a_text_which_costs_one_reading(encoded: str, text: str) -> None:
    assert json_of(bytes.fromhex(encoded)) == json.dumps(text).encode()


def test_a_single_keeps_its_value() -> None:
    assert json.loads(json_of(b"\xfa" + struct.pack(">f", 21.4))) == struct.unpack(">f", struct.pack(">f", 21.4))[0]


def test_a_message_that_cbor2_wrote() -> None:
    """cbor2 6.3.0, `dumps` of the message."""
    written = bytes.fromhex(
        "a3617601696465766963655f69646664312d65c3a96872656164696e677381a3627473"
        "1903e863736571076b74656d7065726174757265fb4035666666666666"
    )
    assert is_cbor(written)
    readings = [{"ts": 1000, "seq": 7, "temperature": 21.4}]
    assert json.loads(json_of(written)) == {"v": 1, "device_id": "d1-e\u00e9", "readings": readings}
