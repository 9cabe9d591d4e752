"""A packed record of S3 is what a dictionary would be, in whatever way it is changed."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infra.local.emulator.packed_record import PackedRecord

NAMES = ("etag", "size", "body", "metadata", "checksums", "parts", "_replica", "last_modified")
TEXTS = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(), st.binary(max_size=3), TEXTS, st.tuples(st.text(), st.none())
)
CHANGES = st.lists(
    st.tuples(st.sampled_from(["set", "remove", "pop", "update", "default"]), st.sampled_from(NAMES), VALUES)
)
STORED = {
    "body": None,
    "content_type": "application/octet-stream",
    "etag": '"86c489dfa7e78a487a06b1860805b086"',
    "last_modified": "2026-12-01T03:45:04.402Z",
    "size": 500,
    "metadata": {"source": "imported"},
    "preserved_headers": {},
    "storage_class": "STANDARD",
    "checksums": {"CRC32": "CrLOUQ=="},
    "version_id": "6656159e-28a5-4b1e-9cb2-3a947cdf0018",
}


@given(st.dictionaries(st.sampled_from(NAMES), VALUES), CHANGES)
def test_it_is_what_a_dictionary_would_be(first: dict[str, Any], changes: list[tuple[str, str, Any]]) -> None:
    plain, record = dict(first), PackedRecord(first)
    for kind, name, value in changes:
        for each in (plain, record):
            if kind == "set":
                each[name] = value
            elif kind == "remove" and name in each:
                del each[name]
            elif kind == "pop":
                each.pop(name, None)
            elif kind == "update":
                each.update({name: value})
            elif kind == "default":
                each.setdefault(name, value)
    assert dict(record) == {**record} == plain
    assert [type(value) for value in record.values()] == [type(value) for value in plain.values()]
    assert list(record) == list(plain)
    assert all(record.get(name, "none") == plain.get(name, "none") for name in NAMES)


def test_what_is_stored_takes_its_json_and_comes_back() -> None:
    record = PackedRecord(STORED)
    assert isinstance(record.kept, bytes)
    assert len(record.kept) < 260
    assert record == STORED
    assert copy.deepcopy(record) == STORED


def test_a_member_that_is_changed_in_place_stays_changed() -> None:
    record = PackedRecord(STORED)
    record["restore"] = {"completed_fired": False}
    record["restore"]["completed_fired"] = True
    record["storage_class"] = "GLACIER"
    assert (record["restore"], record["storage_class"]) == ({"completed_fired": True}, "GLACIER")
    del record["restore"]
    assert isinstance(record.kept, bytes)


def test_a_copy_is_another_record() -> None:
    record = PackedRecord(STORED)
    other = copy.deepcopy(record)
    other["size"] = 1
    other.pop("version_id")
    assert record == STORED


def test_whether_it_is_the_latest_lies_beside_what_is_kept() -> None:
    record = PackedRecord({**STORED, "is_latest": True})
    kept = record.kept
    record["is_latest"] = False
    assert record.kept is kept
    assert dict(record) == {**STORED, "is_latest": False}
    assert (len(record), record.get("is_latest"), "is_latest" in PackedRecord(STORED)) == (
        len(STORED) + 1,
        False,
        False,
    )
    del record["is_latest"]
    assert dict(record) == STORED
    record["is_latest"] = "no bool"
    assert copy.deepcopy(record)["is_latest"] == "no bool"
