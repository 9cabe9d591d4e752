"""Glue's partitions: what they have in common is there once."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import glue

from infra.local.emulator.glue import partitions

COLUMNS = [{"Name": f"column_{number}", "Type": "double"} for number in range(30)]


@pytest.fixture(autouse=True)
def table() -> Iterator[None]:
    with request_scope("000000000000", "eu-west-1"):
        glue._tables["lake/curated"] = {"Name": "curated", "PartitionKeys": [{"Name": "hour", "Type": "string"}]}
        yield
    glue._tables._data.clear()
    glue._partitions._data.clear()


def create(hour: str, columns: list[dict[str, str]]) -> None:
    described = {"Location": f"s3://lake/curated/{hour}", "Columns": copy.deepcopy(columns)}
    entry = {"Values": [hour], "StorageDescriptor": described}
    assert partitions.create_partition({**NAMED, "PartitionInput": entry}) == {}


NAMED = {"DatabaseName": "lake", "TableName": "curated"}


def held() -> list[Any]:
    return [each["StorageDescriptor"]["Columns"] for each in glue._partitions["lake/curated"]]


def test_partitions_of_the_same_columns_share_them_and_others_do_not() -> None:
    create("00", COLUMNS)
    create("01", COLUMNS)
    create("02", [*COLUMNS, {"Name": "more", "Type": "bigint"}])
    one, other, more = held()
    assert one is other
    assert one == COLUMNS
    assert len(more) == 31


def test_an_update_of_one_leaves_the_others() -> None:
    create("00", COLUMNS)
    create("01", COLUMNS)
    entry = {"Values": ["01"], "StorageDescriptor": {"Columns": [{"Name": "column_0", "Type": "string"}]}}
    partitions.update_partition({**NAMED, "PartitionValueList": ["01"], "PartitionInput": entry})
    assert held() == [COLUMNS, [{"Name": "column_0", "Type": "string"}]]


def test_those_of_a_saved_state_share_them_too() -> None:
    create("00", COLUMNS)
    create("01", COLUMNS)
    saved = glue.get_state()
    for partition in saved["partitions"]["lake/curated"]:
        partition["StorageDescriptor"]["Columns"] = copy.deepcopy(COLUMNS)
    partitions._load_persisted_state(saved)
    one, other = held()
    assert one is other
    assert one == COLUMNS
