"""Transformation, dynamic partitioning and conversion to Parquet, and where each sends what fails.

Amazon Data Firehose developer guide: "Convert input data format", "Handle errors for data format conversion",
"Transform source data", "Handle failure in data transformation", "Partition streaming data".
"""

import base64
import io
import json
import zipfile
from functools import cache
from typing import Any

import pyarrow.parquet as pq
import pytest

from iot_pipeline_tests.support.emulator import LocalAws, eventually, unique

pytestmark = pytest.mark.integration
BUFFER = {"SizeInMBs": 64, "IntervalInSeconds": 60}
COLUMNS = {
    "name": "string",
    "count": "bigint",
    "parts": "array<struct<a:string,b:double>>",
    "unit": "map<string,string>",
}
# It partitions by the field `to`, drops what says so, answers for none that it is to forget, and raises if told to.
HANDLER = """\
import base64
import json


def handler(event, _context):
    answers = []
    for record in event["records"]:
        found = json.loads(base64.b64decode(record["data"]))
        if found.get("do") == "raise":
            raise RuntimeError("told to")
        if found.get("do") == "forget":
            continue
        keys = {"to": found["to"]} if "to" in found else {}
        answers.append({"recordId": record["recordId"], "result": found.get("do", "Ok"), "data": record["data"],
                        "metadata": {"partitionKeys": keys}})
    return {"records": answers}
"""


def conversion(aws: LocalAws, **schema: str) -> dict[str, Any]:
    """Conversion by a new table."""
    database, table = schema.get("database", unique("d")), schema.get("table", "t")
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": database})
    columns = [{"Name": name, "Type": kind} for name, kind in COLUMNS.items()]
    glue.create_table(DatabaseName=database, TableInput={"Name": "t", "StorageDescriptor": {"Columns": columns}})
    return {
        "Enabled": True,
        "SchemaConfiguration": {"RoleARN": aws.role(), "DatabaseName": database, "TableName": table},
        "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": "GZIP"}}},
    }


@cache
def function(aws: LocalAws) -> str:
    """The function's ARN."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("transform.py", HANDLER)
    made = aws.client("lambda").create_function(
        FunctionName=unique("transform"),
        Runtime="python3.14",
        Role=aws.role(),
        Handler="transform.handler",
        Code={"ZipFile": package.getvalue()},
        Timeout=30,
    )
    return str(made["FunctionArn"])


def transforming(aws: LocalAws) -> dict[str, Any]:
    parameters = {"LambdaArn": f"{function(aws)}:$LATEST", "NumberOfRetries": "1", "BufferSizeInMBs": "1.0"}
    listed = [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()]
    return {"Enabled": True, "Processors": [{"Type": "Lambda", "Parameters": listed}]}


def stream(aws: LocalAws, bucket: str, **destination: Any) -> str:
    defaults: dict[str, Any] = {
        "Prefix": "data/",
        "CompressionFormat": "UNCOMPRESSED",
        "BufferingHints": BUFFER,
        "ProcessingConfiguration": {"Enabled": False},
    }
    return aws.delivery_stream(bucket, **defaults | destination)


def put(aws: LocalAws, name: str, *records: bytes) -> None:
    listed = [{"Data": record} for record in records]
    assert aws.client("firehose").put_record_batch(DeliveryStreamName=name, Records=listed)["FailedPutCount"] == 0


def rows(aws: LocalAws, bucket: str, prefix: str = "data/") -> list[dict[str, Any]]:
    keys = aws.keys(bucket, prefix)
    assert all(key.endswith(".parquet") for key in keys)
    return [row for key in keys for row in pq.read_table(io.BytesIO(aws.body(bucket, key))).to_pylist()]


def failures(aws: LocalAws, bucket: str, kind: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in aws.lines(bucket, f"errors/{kind}/")]


def raw(failure: dict[str, Any]) -> bytes:
    return base64.b64decode(failure["rawData"])


def test_records_become_rows_of_the_tables_columns(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    name = stream(local_aws, bucket, DataFormatConversionConfiguration=conversion(local_aws))
    record = {"NAME": "a", "count": 5, "parts": [{"a": 1.5, "b": 2, "c": 0}], "unit": {"x": "F"}, "unknown": True}
    put(local_aws, name, json.dumps(record).encode(), b'{"name": "b"}{"name": "c"}')
    found = eventually(lambda: rows(local_aws, bucket))
    none = {"count": None, "parts": None, "unit": None}
    assert found == [
        {"name": "a", "count": 5, "parts": [{"a": "1.5", "b": 2.0}], "unit": [("x", "F")]},
        {"name": "b", **none},
        {"name": "c", **none},
    ]


def test_what_does_not_convert_goes_to_the_error_prefix_alone(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    config = conversion(local_aws)
    name = stream(local_aws, bucket, DataFormatConversionConfiguration=config)
    bad = [b"no json", b"[1]", b"  ", b'{"count": "many"}', b'{"count": 9223372036854775808}', b'{"unit": 5}']
    put(local_aws, name, b'{"name": "good"}', *bad)
    found = eventually(lambda: failures(local_aws, bucket, "format-conversion-failed"))
    assert sorted(raw(each) for each in found) == sorted(bad)
    first = next(each for each in found if raw(each) == b"no json")
    assert first["lastErrorCode"] == "DataFormatConversion.ParseError"
    assert first["dataCatalogTable"]["databaseName"] == config["SchemaConfiguration"]["DatabaseName"]
    assert {"attemptsMade", "arrivalTimestamp", "attemptEndingTimestamp", "lastErrorMessage"} <= first.keys()
    assert [row["name"] for row in rows(local_aws, bucket)] == ["good"]


def test_a_table_that_is_gone_fails_every_record_and_loses_none(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    name = stream(local_aws, bucket, DataFormatConversionConfiguration=conversion(local_aws, table="gone"))
    put(local_aws, name, b'{"name": "a"}', b'{"name": "b"}')
    found = eventually(lambda: failures(local_aws, bucket, "format-conversion-failed"))
    assert [raw(each) for each in found] == [b'{"name": "a"}', b'{"name": "b"}']
    assert found[0]["lastErrorCode"] == "DataFormatConversion.EntityNotFound"


def test_records_go_to_the_partitions_that_the_function_names(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    name = stream(
        local_aws,
        bucket,
        Prefix="data/to=!{partitionKeyFromLambda:to}/",
        ProcessingConfiguration=transforming(local_aws),
        DynamicPartitioningConfiguration={"Enabled": True},
        DataFormatConversionConfiguration=conversion(local_aws),
    )
    sent = [{"to": to, "name": f"{to}{number}"} for number in range(3) for to in ("a", "b")]
    others = [{"name": "no key"}, {"do": "ProcessingFailed"}, {"do": "Dropped"}, {"do": "forget"}]
    put(local_aws, name, *(json.dumps(each).encode() for each in (*sent, *others)))
    assert eventually(lambda: len(failures(local_aws, bucket, "processing-failed")) == 3)
    for to in ("a", "b"):
        assert [row["name"] for row in rows(local_aws, bucket, f"data/to={to}/")] == [f"{to}{n}" for n in range(3)]
    failed = {raw(each): each["errorCode"] for each in failures(local_aws, bucket, "processing-failed")}
    assert failed == {
        b'{"name": "no key"}': "DynamicPartitioning.MetadataExtractionFailed",
        b'{"do": "ProcessingFailed"}': "Lambda.ProcessingFailedStatus",
        b'{"do": "forget"}': "Lambda.MissingRecordId",
    }


def test_a_function_that_fails_gives_its_batch_to_the_error_prefix(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    name = stream(local_aws, bucket, ProcessingConfiguration=transforming(local_aws))
    sent = [b'{"do": "raise"}', b'{"name": "innocent"}']
    put(local_aws, name, *sent)
    found = eventually(lambda: failures(local_aws, bucket, "processing-failed"))
    assert [raw(each) for each in found] == sent
    assert {each["attemptsMade"] for each in found} == {2}
    assert {each["lambdaArn"] for each in found} == {f"{function(local_aws)}:$LATEST"}
    assert "told to" in found[0]["errorMessage"]


def test_beyond_500_partitions_records_go_to_the_error_prefix(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    name = stream(
        local_aws,
        bucket,
        Prefix="data/!{partitionKeyFromLambda:to}/",
        ProcessingConfiguration=transforming(local_aws),
        DynamicPartitioningConfiguration={"Enabled": True},
    )
    records = [json.dumps({"to": f"{number:03}"}).encode() for number in range(510)]
    put(local_aws, name, *records[:300])
    put(local_aws, name, *records[300:])
    assert eventually(lambda: len(local_aws.keys(bucket, "data/")) >= 500, 60)
    found = eventually(lambda: failures(local_aws, bucket, "activePartitionExceeded"))
    delivered = b"".join(local_aws.body(bucket, key) for key in local_aws.keys(bucket, "data/"))
    assert len(found) + delivered.count(b"{") == len(records), "none is lost, whichever buffer it was in"


REFUSED: dict[str, dict[str, Any]] = {
    "compression of its own": {"CompressionFormat": "GZIP"},
    "a buffer below 64 MiB": {"BufferingHints": {"SizeInMBs": 63, "IntervalInSeconds": 60}},
    "ORC": {"OutputFormatConfiguration": {"Serializer": {"OrcSerDe": {}}}},
    "the Hive SerDe": {"InputFormatConfiguration": {"Deserializer": {"HiveJsonSerDe": {}}}},
    "no schema": {"SchemaConfiguration": {}},
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_a_conversion_that_aws_refuses_or_that_is_not_here_is_refused(
    local_aws: LocalAws, change: dict[str, Any]
) -> None:
    config = conversion(local_aws)
    inside = {name: value for name, value in change.items() if name in config}
    outside = {name: value for name, value in change.items() if name not in config}
    firehose = local_aws.client("firehose")
    with pytest.raises(firehose.exceptions.InvalidArgumentException):
        stream(local_aws, local_aws.bucket(), DataFormatConversionConfiguration=config | inside, **outside)


def test_partition_keys_without_partitioning_are_refused(local_aws: LocalAws) -> None:
    firehose = local_aws.client("firehose")
    with pytest.raises(firehose.exceptions.InvalidArgumentException):
        stream(local_aws, local_aws.bucket(), Prefix="data/!{partitionKeyFromLambda:to}/")
