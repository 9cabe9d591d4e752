"""Crawlers.

AWS Glue developer guide: "Crawler properties", "Setting crawler configuration options", "Include and exclude
patterns", "How does a crawler determine when to create partitions?"; API reference: Crawler, LastCrawlInfo,
CrawlerMetrics.
"""

import gzip
import io
import json
import re
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.local.emulator.glue import crawler_schema as schema
from infra.local.emulator.glue.crawler_globs import Glob
from iot_pipeline_tests.support.emulator import LocalAws, eventually, unique

pytestmark = pytest.mark.integration


def parquet(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def lines(*documents: Any) -> bytes:
    return gzip.compress("".join(json.dumps(document) + "\n" for document in documents).encode())


@dataclass
class Zone:
    """A bucket, a database, and the crawlers made on them."""

    aws: LocalAws
    bucket: str
    database: str
    crawlers: list[str] = field(default_factory=list)

    def put(self, key: str, body: bytes) -> None:
        """Put an object."""
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

    def crawler(self, path: str = "", exclusions: tuple[str, ...] = (), **settings: Any) -> str:
        """A crawler of `path` in the bucket."""
        target = {"Path": f"s3://{self.bucket}/{path}", "Exclusions": list(exclusions)}
        request = {"DatabaseName": self.database, "Targets": {"S3Targets": [target]}} | settings
        self.crawlers.append(unique("crawler"))
        self.aws.client("glue").create_crawler(Name=self.crawlers[-1], Role=self.aws.role(), **request)
        return self.crawlers[-1]

    def crawl(self, name: str | None = None) -> dict[str, Any]:
        """Run the (last) crawler to its end; how it ended."""
        glue, name = self.aws.client("glue"), name or self.crawlers[-1]
        glue.start_crawler(Name=name)
        assert eventually(lambda: glue.get_crawler(Name=name)["Crawler"]["State"] == "READY")
        last: dict[str, Any] = glue.get_crawler(Name=name)["Crawler"]["LastCrawl"]
        return last

    def table(self, name: str) -> dict[str, Any]:
        """A table of the catalog."""
        table: dict[str, Any] = self.aws.client("glue").get_table(DatabaseName=self.database, Name=name)["Table"]
        return table

    def columns(self, name: str) -> dict[str, str]:
        """A table's columns and types."""
        return {column["Name"]: column["Type"] for column in self.table(name)["StorageDescriptor"]["Columns"]}

    def tables(self) -> list[str]:
        """The tables' names."""
        answer = self.aws.client("glue").get_tables(DatabaseName=self.database)
        return sorted(table["Name"] for table in answer["TableList"])

    def partitions(self, table: str) -> dict[tuple[str, ...], str]:
        """A table's partitions: values and location below the bucket."""
        found = self.aws.client("glue").get_partitions(DatabaseName=self.database, TableName=table)["Partitions"]
        root = f"s3://{self.bucket}/"
        return {tuple(p["Values"]): p["StorageDescriptor"]["Location"].removeprefix(root) for p in found}

    def metrics(self) -> tuple[int, int]:
        """Tables created and updated by the last crawl."""
        (metrics,) = self.aws.client("glue").get_crawler_metrics(CrawlerNameList=[self.crawlers[-1]])[
            "CrawlerMetricsList"
        ]
        return metrics["TablesCreated"], metrics["TablesUpdated"]


@pytest.fixture
def zone(local_aws: LocalAws) -> Zone:
    database = unique("database").replace("-", "_")
    local_aws.client("glue").create_database(DatabaseInput={"Name": database})
    return Zone(local_aws, local_aws.bucket(), database)


def test_gzip_json_lines_become_a_partitioned_table(zone: Zone) -> None:
    reading = {
        "ts": 1795227991690,
        "temperature": 21.5,
        "ok": True,
        "unit": {"temperature": "F"},
        "Tags": ["a"],
        "n": 1,
    }
    zone.put("raw/telemetry/year=2026/month=11/a.gz", lines({"v": 1, "readings": [reading], "note": None}))
    zone.put("raw/telemetry/year=2026/month=12/b.gz", lines({"v": 1.5, "readings": [], "site": "x"}))
    zone.crawler("raw/telemetry/", TablePrefix="raw_")
    assert zone.crawl()["Status"] == "SUCCEEDED"
    table = zone.table("raw_telemetry")
    element = "struct<ts:bigint,temperature:double,ok:boolean,unit:struct<temperature:string>,tags:array<string>,n:int>"
    assert zone.columns("raw_telemetry") == {
        "v": "double",
        "readings": f"array<{element}>",
        "note": "string",
        "site": "string",
    }
    assert [(key["Name"], key["Type"]) for key in table["PartitionKeys"]] == [("year", "string"), ("month", "string")]
    assert table["StorageDescriptor"]["Location"] == f"s3://{zone.bucket}/raw/telemetry/"
    assert table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"] == "org.openx.data.jsonserde.JsonSerDe"
    assert (table["Parameters"]["classification"], table["Parameters"]["compressionType"]) == ("json", "gzip")
    assert zone.partitions("raw_telemetry") == {
        ("2026", "11"): "raw/telemetry/year=2026/month=11/",
        ("2026", "12"): "raw/telemetry/year=2026/month=12/",
    }
    assert zone.metrics() == (1, 0)


def test_parquet_types_come_from_the_footers(zone: Zone) -> None:
    zone.put(
        "curated/day=1/a.parquet",
        parquet(
            id=pa.array([1], pa.int64()),
            small=pa.array([1], pa.int16()),
            value=pa.array([1.5], pa.float64()),
            at=pa.array([0], pa.timestamp("ms")),
            on=pa.array([0], pa.date32()),
            price=pa.array(["1.10"]).cast(pa.decimal128(10, 2)),
            extras=pa.array([[("a", "b")]], pa.map_(pa.string(), pa.string())),
            place=pa.array([{"lat": 1.0}]),
            day=pa.array(["in the file too"]),
        ),
    )
    zone.put("curated/day=2/b.parquet", parquet(id=pa.array([1], pa.int32()), added=pa.array([True])))
    zone.crawler("curated/")
    assert zone.crawl()["Status"] == "SUCCEEDED"
    assert zone.columns("curated") == {
        "id": "bigint",
        "small": "smallint",
        "value": "double",
        "at": "timestamp",
        "on": "date",
        "price": "decimal(10,2)",
        "extras": "map<string,string>",
        "place": "struct<lat:double>",
        "added": "boolean",
    }
    assert zone.table("curated")["Parameters"]["classification"] == "parquet"


def test_a_second_crawl_adds_only_what_is_new(zone: Zone) -> None:
    zone.put("t/day=1/a.gz", lines({"n": 1}))
    zone.crawler("t/")
    zone.crawl()
    zone.crawl()
    assert zone.metrics() == (0, 0)
    zone.put("t/day=2/b.gz", lines({"n": 1}))
    zone.crawl()
    assert set(zone.partitions("t")) == {("1",), ("2",)}
    assert zone.metrics() == (0, 0)


@pytest.mark.parametrize(("behaviour", "columns", "updated"), [
    ("UPDATE_IN_DATABASE", {"n": "double", "added": "string"}, 1),
    ("LOG", {"n": "int"}, 0),
])  # fmt: skip
def test_a_changed_schema_follows_the_policy(zone: Zone, behaviour: str, columns: dict[str, str], updated: int) -> None:
    zone.put("t/day=1/a.gz", lines({"n": 1}))
    zone.crawler("t/", SchemaChangePolicy={"UpdateBehavior": behaviour, "DeleteBehavior": "LOG"})
    zone.crawl()
    zone.put("t/day=2/b.gz", lines({"n": 1.5, "added": "x"}))
    zone.crawl()
    assert zone.columns("t") == columns
    assert zone.metrics() == (0, updated)
    assert set(zone.partitions("t")) == {("1",), ("2",)}


def test_merge_new_columns_keeps_existing_ones(zone: Zone) -> None:
    zone.put("t/a.gz", lines({"n": 1}))
    configuration = {"Version": 1.0, "CrawlerOutput": {"Tables": {"AddOrUpdateBehavior": "MergeNewColumns"}}}
    zone.crawler("t/", Configuration=json.dumps(configuration))
    zone.crawl()
    zone.put("t/b.gz", lines({"n": "text", "added": 1}))
    zone.crawl()
    assert zone.columns("t") == {"n": "int", "added": "int"}


def test_inherit_from_table_gives_new_partitions_the_tables_schema(zone: Zone) -> None:
    zone.put("t/day=1/a.gz", lines({"n": 1}))
    output = {"Version": 1.0, "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}}
    policy = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    zone.crawler("t/", Configuration=json.dumps(output), SchemaChangePolicy=policy)
    zone.crawl()
    table = zone.table("t")
    descriptor = table["StorageDescriptor"] | {"Columns": [{"Name": "n", "Type": "bigint", "Comment": "by hand"}]}
    kept = {key: table[key] for key in ("Name", "PartitionKeys", "Parameters", "TableType")}
    zone.aws.client("glue").update_table(
        DatabaseName=zone.database, TableInput=kept | {"StorageDescriptor": descriptor}
    )
    zone.put("t/day=2/b.gz", lines({"n": 1}))
    zone.crawl()
    partition = zone.aws.client("glue").get_partition(DatabaseName=zone.database, TableName="t", PartitionValues=["2"])[
        "Partition"
    ]
    assert partition["StorageDescriptor"]["Columns"] == [{"Name": "n", "Type": "bigint", "Comment": "by hand"}]
    assert partition["StorageDescriptor"]["Location"] == f"s3://{zone.bucket}/t/day=2/"


def test_exclusions_keep_versioned_folders_out(zone: Zone) -> None:
    zone.put("curated/telemetry/v=b1/year=2026/a.parquet", parquet(id=[1]))
    zone.put("curated/telemetry/v=b2/year=2026/a.parquet", parquet(id=[1]))
    zone.put("curated/devices/a.parquet", parquet(name=["x"]))
    zone.put("curated/_temporary/a.parquet", parquet(other=[1]))
    zone.crawler("curated/", exclusions=("telemetry/**",))
    assert zone.crawl()["Status"] == "SUCCEEDED"
    assert zone.tables() == ["devices"]


def test_the_table_level_makes_one_table_of_all_versions(zone: Zone) -> None:
    for build in ("b1", "b2"):
        zone.put(f"curated/telemetry/v={build}/year=2026/a.parquet", parquet(id=[1]))
    grouping = {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": 3}
    zone.crawler(
        "curated/telemetry/",
        TablePrefix="curated_",
        Configuration=json.dumps({"Version": 1.0, "Grouping": grouping}),
        RecrawlPolicy={"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"},
        SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"},
    )
    assert zone.crawl()["Status"] == "SUCCEEDED"
    assert zone.tables() == ["curated_telemetry"]
    assert [key["Name"] for key in zone.table("curated_telemetry")["PartitionKeys"]] == ["v", "year"]
    zone.put("curated/telemetry/v=b3/year=2026/a.parquet", parquet(id=[1]))
    zone.crawl()
    assert set(zone.partitions("curated_telemetry")) == {("b1", "2026"), ("b2", "2026"), ("b3", "2026")}


def test_combined_folders_without_keys_are_numbered_partitions(zone: Zone) -> None:
    for site in ("lyon", "oslo"):
        zone.put(f"landing/{site}/2026/a.gz", lines({"n": 1}))
    grouping = {"Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"}}
    zone.crawler("landing/", Configuration=json.dumps({"Version": 1.0} | grouping))
    assert zone.crawl()["Status"] == "SUCCEEDED"
    assert [key["Name"] for key in zone.table("landing")["PartitionKeys"]] == ["partition_0", "partition_1"]
    assert set(zone.partitions("landing")) == {("lyon", "2026"), ("oslo", "2026")}


def test_a_catalog_target_only_adds_partitions(zone: Zone) -> None:
    zone.put("curated/year=2026/a.parquet", parquet(id=[1], new=[1]))
    zone.put("curated/v=b1/year=2026/a.parquet", parquet(id=[1]))
    table = {
        "Name": "by_hand",
        "PartitionKeys": [{"Name": "year", "Type": "int"}],
        "Parameters": {"classification": "parquet"},
        "StorageDescriptor": {
            "Columns": [{"Name": "id", "Type": "bigint"}],
            "Location": f"s3://{zone.bucket}/curated/",
        },
    }
    zone.aws.client("glue").create_table(DatabaseName=zone.database, TableInput=table)
    zone.crawler(Targets={"CatalogTargets": [{"DatabaseName": zone.database, "Tables": ["by_hand"]}]})
    assert zone.crawl()["Status"] == "SUCCEEDED"
    assert zone.columns("by_hand") == {"id": "bigint"}
    assert zone.partitions("by_hand") == {("2026",): "curated/year=2026/"}
    assert zone.tables() == ["by_hand"]


FAILURES = {
    "an unknown format": ({"t/a.csv": b"a,b\n1,2\n"}, r"a\.csv: classification UNKNOWN"),
    "two formats in one table": ({"t/a.gz": lines({"n": 1}), "t/b.parquet": parquet(n=[1])}, "several formats"),
    "two partition layouts": (
        {"t/year=1/a.gz": lines({"n": 1}), "t/day=1/b.gz": lines({"n": 1})},
        r"partitions by .*day.* and by .*year",
    ),
}


@pytest.mark.parametrize(("objects", "message"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failing_crawl_says_why(zone: Zone, objects: dict[str, bytes], message: str) -> None:
    for key, body in objects.items():
        zone.put(key, body)
    zone.crawler("t/")
    last = zone.crawl()
    assert last["Status"] == "FAILED"
    assert re.search(message, last["ErrorMessage"])
    assert zone.tables() == []


def test_a_running_crawler_cannot_be_started_again(zone: Zone) -> None:
    for n in range(30):
        zone.put(f"t/day={n}/a.gz", lines(*({"n": n, f"c{n}": [n] * 200} for _ in range(500))))
    name, glue = zone.crawler("t/"), zone.aws.client("glue")
    glue.start_crawler(Name=name)
    with pytest.raises(glue.exceptions.CrawlerRunningException):
        glue.start_crawler(Name=name)
    assert eventually(lambda: glue.get_crawler(Name=name)["Crawler"]["State"] == "READY")


GLOBS = {
    "*.csv": ({"a.csv"}, {"a.csv.gz", "b/a.csv"}),
    "**.csv": ({"a.csv", "b/a.csv"}, {"a.json"}),
    "telemetry/**": ({"telemetry/a", "telemetry/v=1/b"}, {"telemetry", "x/telemetry/a"}),
    "*/v=*/**": ({"t/v=1/a", "t/v=/b/c"}, {"v=1/a", "t/u/v=1"}),
    "file?.{csv,json}": ({"file1.csv", "filex.json"}, {"file.csv", "file12.csv", "file1.xml"}),
    "[a-c]/[!x]": ({"a/y", "c/1"}, {"d/y", "a/x"}),
}


@pytest.mark.parametrize("glob", GLOBS)
def test_globs_are_glues(glob: str) -> None:
    matching, others = GLOBS[glob]
    pattern = Glob(glob)
    assert {text for text in matching | others if pattern.fullmatch(text)} == matching


MERGES: list[tuple[list[Any], str]] = [
    (["int", "bigint"], "bigint"),
    (["int", "double"], "double"),
    (["float", "bigint"], "double"),
    (["int", "string"], "string"),
    (["boolean", "int"], "string"),
    ([None, "int"], "int"),
    ([None], "string"),
    ([{"a": "int"}, {"a": "double", "b": None}], "struct<a:double,b:string>"),
    ([["int"], [None]], "array<int>"),
    ([{"a": "int"}, ["int"]], "string"),
]


@pytest.mark.parametrize(("types", "spelled"), MERGES)
def test_types_merge_to_the_narrowest_that_holds_both(types: list[Any], spelled: str) -> None:
    assert schema.spell(schema.merge(types)) == spelled
