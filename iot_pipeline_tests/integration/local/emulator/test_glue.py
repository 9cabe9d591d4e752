"""Partitions of the Glue catalog. AWS Glue API reference: "Partition API", GetPartitions "Expression", UpdateTable."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from infra.local.emulator.glue.expression import ExpressionError, compile_expression
from iot_pipeline_tests.support.emulator import LocalAws, unique

pytestmark = pytest.mark.integration
HOURS = [
    (f"{year}", f"{month:02d}", f"{hour}") for year in (2025, 2026) for month in range(1, 13) for hour in range(24)
]


def entry(values: tuple[str, ...], location: str = "old", **parameters: str) -> dict[str, Any]:
    descriptor = {"Columns": [{"Name": "n", "Type": "int"}], "Location": f"s3://lake/{location}/{'/'.join(values)}/"}
    return {"Values": list(values), "StorageDescriptor": descriptor, "Parameters": parameters}


@dataclass
class Table:
    """A partitioned table."""

    glue: Any
    name: dict[str, str]

    def add(self, entries: list[dict[str, Any]]) -> list[Any]:
        """Create partitions, a hundred a call; the errors."""
        errors = []
        for start in range(0, len(entries), 100):
            batch = entries[start : start + 100]
            errors += self.glue.batch_create_partition(PartitionInputList=batch, **self.name)["Errors"]
        return errors

    def find(self, expression: str) -> set[tuple[str, ...]]:
        """The values of the partitions an expression finds."""
        pages = self.glue.get_paginator("get_partitions").paginate(Expression=expression, **self.name)
        return {tuple(partition["Values"]) for page in pages for partition in page["Partitions"]}


@pytest.fixture(scope="module")
def hours(local_aws: LocalAws) -> Table:
    table = make_table(local_aws)
    assert table.add([entry(values) for values in HOURS]) == []
    return table


@pytest.fixture
def table(local_aws: LocalAws) -> Table:
    return make_table(local_aws)


def make_table(aws: LocalAws) -> Table:
    glue, database = aws.client("glue"), unique("database").replace("-", "_")
    glue.create_database(DatabaseInput={"Name": database})
    keys = [{"Name": "year", "Type": "string"}, {"Name": "month", "Type": "string"}, {"Name": "hour", "Type": "int"}]
    descriptor = {"Columns": [{"Name": "n", "Type": "int"}], "Location": "s3://lake/"}
    table = {"Name": "t", "PartitionKeys": keys, "StorageDescriptor": descriptor}
    glue.create_table(DatabaseName=database, TableInput=table)
    return Table(glue, {"DatabaseName": database, "TableName": "t"})


def test_pages_hold_every_partition_once(hours: Table) -> None:
    pages = list(hours.glue.get_paginator("get_partitions").paginate(PaginationConfig={"PageSize": 100}, **hours.name))
    values = [tuple(partition["Values"]) for page in pages for partition in page["Partitions"]]
    assert [len(page["Partitions"]) for page in pages] == [100, 100, 100, 100, 100, 76]
    assert sorted(values) == sorted(HOURS)


def test_segments_share_the_partitions_out(hours: Table) -> None:
    found: list[tuple[str, ...]] = []
    for number in range(3):
        segment = {"SegmentNumber": number, "TotalSegments": 3}
        page = hours.glue.get_partitions(Segment=segment, **hours.name)["Partitions"]
        found += [tuple(partition["Values"]) for partition in page]
    assert sorted(found) == sorted(HOURS)


class Hour(NamedTuple):
    """A partition's values, typed as its keys."""

    year: str
    month: str
    hour: int


EXPRESSIONS: dict[str, Callable[[Hour], bool]] = {
    "year='2026' AND month='11'": lambda at: at[:2] == ("2026", "11"),
    "year = '2026' and (month = '01' or month = '12')": lambda at: at.year == "2026" and at.month in ("01", "12"),
    "hour > 9 AND hour <= 11": lambda at: 9 < at.hour <= 11,
    "hour = '7'": lambda at: at.hour == 7,
    "month IN ('02', '03') AND hour NOT IN (1, 2)": lambda at: at.month in ("02", "03") and at.hour not in (1, 2),
    "month BETWEEN '10' AND '11' AND year <> '2025'": lambda at: at.month in ("10", "11") and at.year == "2026",
    "year LIKE '%6' AND NOT month LIKE '0_'": lambda at: at.year == "2026" and at.month >= "10",
    "month not between '02' and '12'": lambda at: at.month == "01",
    "year='1999'": lambda at: at.year == "1999",
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_filter_partitions(hours: Table, expression: str) -> None:
    expected = {(y, m, h) for y, m, h in HOURS if EXPRESSIONS[expression](Hour(y, m, int(h)))}
    assert hours.find(expression) == expected


@pytest.mark.parametrize(
    "expression", ["day = '1'", "year = ", "year ~ '2'", "year = '2026' AND", "hour = 'x'", "(year='1'"]
)
def test_an_expression_that_cannot_be_understood_is_an_error(hours: Table, expression: str) -> None:
    with pytest.raises(hours.glue.exceptions.InvalidInputException):
        hours.find(expression)


def test_quotes_in_literals_are_doubled() -> None:
    predicate = compile_expression("site = 'l''eau'", {"Site": "string"})
    assert predicate({"site": "l'eau"})
    with pytest.raises(ExpressionError, match="partition keys"):
        compile_expression("other = 1", {"site": "string"})


def test_what_a_batch_cannot_create_is_reported(table: Table) -> None:
    table.add([entry(("2026", "11", "1"))])
    errors = table.add([entry(("2026", "11", "1")), entry(("2026", "11")), entry(("2026", "11", "2"))])
    assert [(error["PartitionValues"], error["ErrorDetail"]["ErrorCode"]) for error in errors] == [
        (["2026", "11", "1"], "AlreadyExistsException"),
        (["2026", "11"], "InvalidInputException"),
    ]
    assert len(table.find("hour > 0")) == 2


def test_location_and_parameters_are_each_partitions_own(table: Table) -> None:
    one, two = ("2026", "11", "1"), ("2026", "11", "2")
    table.add([entry(one, build="b1"), entry(two, build="b1")])
    update = {"PartitionValueList": list(one), "PartitionInput": entry(one, "new", build="b2", rows="7")}
    missing = {"PartitionValueList": ["1", "1", "1"], "PartitionInput": entry(("1", "1", "1"))}
    errors = table.glue.batch_update_partition(Entries=[update, missing], **table.name)["Errors"]
    assert [error["PartitionValueList"] for error in errors] == [["1", "1", "1"]]
    found = table.glue.batch_get_partition(PartitionsToGet=[{"Values": list(one)}, {"Values": list(two)}], **table.name)
    shown = [(p["StorageDescriptor"]["Location"], p["Parameters"]) for p in found["Partitions"]]
    assert shown == [
        ("s3://lake/new/2026/11/1/", {"build": "b2", "rows": "7"}),
        ("s3://lake/old/2026/11/2/", {"build": "b1"}),
    ]


def test_update_partition_moves_and_batch_delete_removes(table: Table) -> None:
    table.add([entry(("2026", "11", "1")), entry(("2026", "11", "2"))])
    moved = entry(("2026", "12", "1"), "new")
    table.glue.update_partition(PartitionValueList=["2026", "11", "1"], PartitionInput=moved, **table.name)
    assert table.find("hour > 0") == {("2026", "12", "1"), ("2026", "11", "2")}
    gone = [{"Values": ["2026", "12", "1"]}, {"Values": ["never", "was", "0"]}]
    errors = table.glue.batch_delete_partition(PartitionsToDelete=gone, **table.name)["Errors"]
    assert [error["PartitionValues"] for error in errors] == [["never", "was", "0"]]
    assert table.find("hour > 0") == {("2026", "11", "2")}


@pytest.mark.parametrize(("operation", "member", "item", "limit"), [
    ("batch_create_partition", "PartitionInputList", entry(("1", "1", "1")), 100),
    ("batch_update_partition", "Entries", {"PartitionValueList": ["1", "1", "1"], "PartitionInput": {}}, 100),
    ("batch_delete_partition", "PartitionsToDelete", {"Values": ["1", "1", "1"]}, 25),
])  # fmt: skip
def test_a_batch_beyond_the_limit_is_refused(table: Table, operation: str, member: str, item: Any, limit: int) -> None:
    with pytest.raises(table.glue.exceptions.ClientError, match=f"the limit is {limit}"):
        getattr(table.glue, operation)(**{member: [item] * (limit + 1)}, **table.name)


def test_partitions_of_no_table_are_an_error(table: Table) -> None:
    for call in (
        table.glue.get_partitions,
        lambda **name: table.glue.create_partition(PartitionInput=entry(()), **name),
    ):
        with pytest.raises(table.glue.exceptions.EntityNotFoundException):
            call(DatabaseName=table.name["DatabaseName"], TableName="none")


def test_a_reader_sees_a_partition_before_or_after_an_update_never_between(table: Table) -> None:
    values = [("2026", "11", f"{hour}") for hour in range(24)]
    table.add([entry(value, "build0", build="0") for value in values])
    stop = threading.Event()
    mixed: list[tuple[str, str]] = []
    reads: list[int] = []

    def read() -> None:
        while not stop.is_set():
            page = table.glue.get_partitions(Expression="year='2026'", **table.name)["Partitions"]
            builds = {(p["StorageDescriptor"]["Location"].split("/")[3], p["Parameters"]["build"]) for p in page}
            reads.append(len(page))
            mixed.extend(build for build in builds if build[0] != f"build{build[1]}")
            if len(builds) != 1:
                mixed.append(("builds", f"{builds}"))

    reader = threading.Thread(target=read)
    reader.start()
    for build in range(1, 30):
        entries = [
            {"PartitionValueList": list(value), "PartitionInput": entry(value, f"build{build}", build=f"{build}")}
            for value in values
        ]
        table.glue.batch_update_partition(Entries=entries, **table.name)
    stop.set()
    reader.join()
    assert mixed == []
    assert set(reads) == {24}


def test_update_table_replaces_the_definition(table: Table) -> None:
    database = table.name["DatabaseName"]
    descriptor = {"Columns": [{"Name": "other", "Type": "string"}], "Location": "s3://lake/moved/"}
    update = {"Name": "t", "StorageDescriptor": descriptor, "Parameters": {"projection.enabled": "true"}}
    table.glue.update_table(DatabaseName=database, TableInput=update)
    found = table.glue.get_table(DatabaseName=database, Name="t")["Table"]
    assert found["StorageDescriptor"] == descriptor
    assert found["Parameters"] == {"projection.enabled": "true"}
    assert found.get("PartitionKeys", []) == []


def test_names_are_folded(local_aws: LocalAws) -> None:
    """API reference, "TableInput", "DatabaseInput": names are stored in lower case, and found in any."""
    glue, database = local_aws.client("glue"), unique("Folded").replace("-", "_")
    glue.create_database(DatabaseInput={"Name": database})
    glue.create_table(DatabaseName=database, TableInput={"Name": "Readings", "PartitionKeys": [{"Name": "k"}]})
    found = glue.get_table(DatabaseName=database.upper(), Name="READINGS")["Table"]
    assert (found["DatabaseName"], found["Name"]) == (database.lower(), "readings")
    glue.create_partition(
        DatabaseName=database, TableName="Readings", PartitionInput={"Values": ["A"], "StorageDescriptor": {}}
    )
    (partition,) = glue.get_partitions(DatabaseName=database, TableName="readings")["Partitions"]
    assert partition["Values"] == ["A"], "values keep their case"
    glue.delete_table(DatabaseName=database, Name="READINGS")
    assert glue.get_tables(DatabaseName=database)["TableList"] == []


def test_a_table_as_it_was_given(local_aws: LocalAws) -> None:
    """API reference, "Table": what nobody gave is not there, so that a table can be sent back with a change."""
    glue, database = local_aws.client("glue"), unique("given").replace("-", "_")
    glue.create_database(DatabaseInput={"Name": database})
    glue.create_table(DatabaseName=database, TableInput={"Name": "t", "StorageDescriptor": {"Location": "s3://a/"}})
    found = glue.get_table(DatabaseName=database, Name="t")["Table"]
    assert not {"Owner", "Description", "ViewOriginalText", "ViewDefinition"} & set(found)
    glue.update_table(
        DatabaseName=database, TableInput={key: found[key] for key in ("Name", "StorageDescriptor", "TableType")}
    )


def test_tables_in_pages(local_aws: LocalAws) -> None:
    """API reference, "GetTables": pages of MaxResults, at most 100; EntityNotFoundException for no database."""
    glue, database = local_aws.client("glue"), unique("pages").replace("-", "_")
    glue.create_database(DatabaseInput={"Name": database})
    for number in range(101):
        glue.create_table(DatabaseName=database, TableInput={"Name": f"t{number:03d}"})
    pages = list(glue.get_paginator("get_tables").paginate(DatabaseName=database))
    assert [len(page["TableList"]) for page in pages] == [100, 1]
    assert len(glue.get_tables(DatabaseName=database, MaxResults=7)["TableList"]) == 7
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_tables(DatabaseName=database + "_none")


def test_versions_of_a_table(local_aws: LocalAws) -> None:
    """API reference, "GetTableVersions" and its kin; "UpdateTable" with SkipArchive keeps none."""
    glue, database = local_aws.client("glue"), unique("versions").replace("-", "_")
    glue.create_database(DatabaseInput={"Name": database})
    name = {"DatabaseName": database, "TableName": "t"}
    glue.create_table(DatabaseName=database, TableInput={"Name": "t", "Description": "first"})
    for text, skipped in (("second", False), ("third", False), ("fourth", True)):
        glue.update_table(DatabaseName=database, TableInput={"Name": "t", "Description": text}, SkipArchive=skipped)

    def listed() -> list[tuple[str, str]]:
        versions = glue.get_table_versions(**name)["TableVersions"]
        return [(version["VersionId"], version["Table"]["Description"]) for version in versions]

    assert listed() == [("4", "fourth"), ("2", "second"), ("1", "first")]
    assert glue.get_table_version(**name, VersionId="2")["TableVersion"]["Table"]["Description"] == "second"
    glue.delete_table_version(**name, VersionId="1")
    assert listed() == [("4", "fourth"), ("2", "second")]
    errors = glue.batch_delete_table_version(**name, VersionIds=["2", "9", "4"])["Errors"]
    assert [(e["VersionId"], e["ErrorDetail"]["ErrorCode"]) for e in errors] == [
        ("9", "EntityNotFoundException"),
        ("4", "InvalidInputException"),
    ]
    assert listed() == [("4", "fourth")]
    assert "__versions" not in glue.get_table(DatabaseName=database, Name="t")["Table"]
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_table_versions(DatabaseName=database, TableName="none")
