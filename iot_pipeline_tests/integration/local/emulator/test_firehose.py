"""Buffering and delivery to S3.

Amazon Data Firehose developer guide: "Configure buffering hints", "Amazon S3 object name format", "Custom prefixes
for Amazon S3 objects", "Handle data delivery failures"; API reference: Processor (AppendDelimiterToRecord).
"""

import re
import signal
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator.firehose.journal import Journal, StreamId, leftovers
from iot_pipeline.contract.aggregation import UserRecord, aggregated
from iot_pipeline_tests.support.emulator import REGION, LocalAws, eventually, restart, unique

pytestmark = pytest.mark.integration
MEBIBYTE = 1 << 20
HOURLY = "raw/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/"
NEVER = {"SizeInMBs": 64, "IntervalInSeconds": 900}


def all_lines(aws: LocalAws, bucket: str, count: int) -> list[str]:
    lines = sorted(aws.lines(bucket))
    return lines if len(lines) >= count else []


def put(aws: LocalAws, stream: str, records: list[bytes]) -> None:
    answer = aws.client("firehose").put_record_batch(DeliveryStreamName=stream, Records=[{"Data": r} for r in records])
    assert answer["FailedPutCount"] == 0


def test_records_of_an_interval_become_one_gzip_object_of_lines(local_aws: LocalAws) -> None:
    bucket, (stream, arn) = local_aws.bucket(), local_aws.stream()
    local_aws.delivery_stream(bucket, arn, Prefix=HOURLY)
    sent = [f'{{"n": {n}}}' for n in range(50)]
    before = datetime.now(UTC)
    local_aws.client("kinesis").put_records(
        StreamName=stream, Records=[{"Data": line.encode(), "PartitionKey": "k"} for line in sent]
    )
    (key,) = eventually(lambda: local_aws.keys(bucket))
    assert local_aws.lines(bucket) == sent
    assert before.strftime("raw/year=%Y/month=%m/day=%d/hour=") in key


def test_an_aggregated_record_is_delivered_as_its_records(local_aws: LocalAws) -> None:
    """Firehose guide, "Writing to Amazon Data Firehose Using Kinesis Data Streams"."""
    bucket, (stream, arn) = local_aws.bucket(), local_aws.stream()
    local_aws.delivery_stream(bucket, arn)
    inside = aggregated([UserRecord("k", b'{"n": 1}'), UserRecord("l", b'{"n": 2}')])
    sent = [b'{"n": 0}', inside, b'{"n": 3}']
    local_aws.client("kinesis").put_records(
        StreamName=stream, Records=[{"Data": each, "PartitionKey": "k"} for each in sent]
    )
    assert eventually(lambda: all_lines(local_aws, bucket, 4)) == [f'{{"n": {n}}}' for n in range(4)]


def test_the_object_name_is_awss(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    delivery = local_aws.delivery_stream(bucket)
    put(local_aws, delivery, [b"x"])
    (key,) = eventually(lambda: local_aws.keys(bucket))
    stamp = r"\d{4}-\d{2}-\d{2}-\d{2}-\d{2}-\d{2}"
    uuid = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    assert re.fullmatch(rf"raw/hour=\d{{2}}/{delivery}-1-{stamp}-{uuid}\.gz", key)


def test_a_prefix_without_a_timestamp_gets_the_default_one(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    delivery = local_aws.delivery_stream(bucket, Prefix="plain/", CompressionFormat="UNCOMPRESSED")
    put(local_aws, delivery, [b"x"])
    (key,) = eventually(lambda: local_aws.keys(bucket))
    assert re.match(r"plain/\d{4}/\d{2}/\d{2}/\d{2}/delivery-", key)
    assert not key.endswith(".gz")


def test_the_size_hint_ends_an_object_before_its_interval(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    hints = {"SizeInMBs": 1, "IntervalInSeconds": 900}
    delivery = local_aws.delivery_stream(bucket, BufferingHints=hints, CompressionFormat="UNCOMPRESSED")
    for _ in range(5):
        put(local_aws, delivery, [b"x" * (MEBIBYTE // 4)])
    (key,) = eventually(lambda: local_aws.keys(bucket))
    assert len(local_aws.body(bucket, key)) == MEBIBYTE + 4


def test_without_a_delimiter_records_are_concatenated(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    delivery = local_aws.delivery_stream(bucket, ProcessingConfiguration={"Enabled": False})
    put(local_aws, delivery, [b"a", b"b", b"\xff\n"])
    (key,) = eventually(lambda: local_aws.keys(bucket))
    assert local_aws.body(bucket, key) == b"ab\xff\n"


def test_a_kinesis_source_reads_each_record_once_into_every_delivery_stream(local_aws: LocalAws) -> None:
    one, two, (stream, arn) = local_aws.bucket(), local_aws.bucket(), local_aws.stream(shards=2)
    local_aws.delivery_stream(one, arn)
    local_aws.delivery_stream(two, arn)
    sent = {f"{n}" for n in range(100)}
    for n in sent:
        local_aws.client("kinesis").put_record(StreamName=stream, Data=n.encode(), PartitionKey=n)
    for bucket in (one, two):
        assert eventually(partial(all_lines, local_aws, bucket, len(sent))) == sorted(sent)


def test_a_failed_delivery_is_kept_and_tried_again(local_aws: LocalAws) -> None:
    """Nothing is lost while the bucket is missing; the object arrives once it exists."""
    bucket = unique("later")
    delivery = local_aws.delivery_stream(bucket)
    put(local_aws, delivery, [b"kept"])
    log = local_aws.emulator.log_file
    assert eventually(lambda: f"Firehose {delivery}: delivery failed" in log.read_text())
    local_aws.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    assert eventually(lambda: local_aws.lines(bucket)) == ["kept"]


def test_deleting_a_delivery_stream_delivers_what_it_holds(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    delivery = local_aws.delivery_stream(bucket, BufferingHints=NEVER)
    put(local_aws, delivery, [b"last"])
    local_aws.client("firehose").delete_delivery_stream(DeliveryStreamName=delivery)
    assert eventually(lambda: local_aws.lines(bucket)) == ["last"]


def test_putting_to_no_delivery_stream_is_an_error(local_aws: LocalAws) -> None:
    firehose = local_aws.client("firehose")
    with pytest.raises(firehose.exceptions.ResourceNotFoundException):
        firehose.put_record(DeliveryStreamName="none", Record={"Data": b"x"})


REFUSED = {
    "an expression nobody knows": {"Prefix": "raw/!{when:yyyy}/"},
    "an error type in the prefix": {"Prefix": "raw/!{firehose:error-output-type}/"},
    "expressions without an error prefix": {"Prefix": HOURLY, "ErrorOutputPrefix": ""},
    "an error prefix without the error type": {"ErrorOutputPrefix": "errors/!{timestamp:yyyy}/"},
    "a size above 128 MB": {"BufferingHints": {"SizeInMBs": 129, "IntervalInSeconds": 60}},
    "an interval above 900 s": {"BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 901}},
}


@pytest.mark.parametrize("destination", REFUSED.values(), ids=REFUSED.keys())
def test_a_destination_that_aws_refuses_is_refused(local_aws: LocalAws, destination: dict[str, Any]) -> None:
    firehose = local_aws.client("firehose")
    with pytest.raises(firehose.exceptions.InvalidArgumentException):
        local_aws.delivery_stream(local_aws.bucket(), **destination)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_stopping_or_killing_the_process_loses_no_accepted_record(own_aws: LocalAws, how: signal.Signals) -> None:
    bucket, (stream, arn) = own_aws.bucket(), own_aws.stream()
    own_aws.delivery_stream(bucket, arn, BufferingHints=NEVER)
    eventually((own_aws.emulator.state_dir / "services" / "firehose.json").exists, 10)
    sent = [f"{n}" for n in range(200)]
    own_aws.client("kinesis").put_records(
        StreamName=stream, Records=[{"Data": line.encode(), "PartitionKey": "k"} for line in sent]
    )
    restart(own_aws, how)
    assert eventually(lambda: own_aws.lines(bucket)) == sent
    assert eventually(lambda: not leftovers(own_aws.emulator.state_dir / "firehose"))


def test_an_object_never_holds_records_of_two_arrival_hours(tmp_path: Path) -> None:
    """Stricter than AWS, whose object may begin in one hour and end in the next."""
    from infra.local.emulator.firehose.delivery import Buffers
    from infra.local.emulator.firehose.destination import object_key

    config = {"Prefix": HOURLY, "BufferingHints": NEVER, "BucketARN": "arn:aws:s3:::lake"}
    stream = {"name": "s", "version": 1, "destinations": [{"type": "ExtendedS3", "config": config}]}
    buffers, stream_id = Buffers(tmp_path, 1.0), StreamId("000000000000", REGION, "s")
    hour = datetime(2026, 11, 21, 3, tzinfo=UTC).timestamp()
    for second in (-2.0, -0.001, 0.0, 1.0, 3599.999, 3600.0):
        buffers.add(stream, stream_id, [f"{second}".encode()], hour + second)
    buffers.close(stream_id)
    found = [
        (object_key(stream, config, journal).split("/")[4], [float(record.data) for record in journal.records()])
        for journal in leftovers(tmp_path)
    ]
    assert found == [("hour=02", [-2.0, -0.001]), ("hour=03", [0.0, 1.0, 3599.999]), ("hour=04", [3600.0])]


def test_a_journal_cut_short_yields_its_whole_records(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, StreamId("000000000000", REGION, "s"), 5.0)
    journal.append([b"one", b"two"], 5.0)
    journal.append([b"three"], 6.0)
    journal.close()
    content = journal.path.read_bytes()
    journal.path.write_bytes(content[:-1])
    (found,) = leftovers(tmp_path)
    assert [(record.arrival, record.data) for record in found.records()] == [(5.0, b"one"), (5.0, b"two")]
    assert (found.stream, found.first_arrival, found.size) == (journal.stream, 5.0, 6)
    assert found.object_id == journal.object_id


def test_a_delivery_stream_of_a_kinesis_stream_takes_no_records_itself(local_aws: LocalAws) -> None:
    """AWS's words: "This operation is not permitted on KinesisStreamAsSource delivery stream type."."""
    firehose, (_name, arn) = local_aws.client("firehose"), local_aws.stream()
    name = local_aws.delivery_stream(local_aws.bucket(), arn)
    record = {"Data": b"x"}
    puts: tuple[tuple[Any, dict[str, Any]], ...] = (
        (firehose.put_record, {"Record": record}),
        (firehose.put_record_batch, {"Records": [record]}),
    )
    for put, request in puts:
        with pytest.raises(ClientError, match="not permitted on KinesisStreamAsSource") as error:
            put(DeliveryStreamName=name, **request)
        assert error.value.response["Error"]["Code"] == "InvalidArgumentException"


KIB = 1024
BATCHES: dict[str, tuple[list[int], str | None]] = {
    "500 records": ([1] * 500, None),
    "501 records": ([1] * 501, "ValidationException"),
    "a record of 1,000 KiB": ([1000 * KIB], None),
    "a record above 1,000 KiB": ([1, 1000 * KIB + 1], "ValidationException"),
    "4 MiB": ([1000 * KIB] * 4 + [96 * KIB], None),
    "above 4 MiB": ([1000 * KIB] * 4 + [96 * KIB + 1], "InvalidArgumentException"),
}


@pytest.mark.parametrize(("sizes", "expected"), BATCHES.values(), ids=BATCHES)
def test_put_record_batchs_limits(local_aws: LocalAws, sizes: list[int], expected: str | None) -> None:
    """API reference, PutRecordBatch: 500 records, 1,000 KB each, 4 MB a request; a refused one delivers nothing."""
    firehose, bucket = local_aws.client("firehose"), local_aws.bucket()
    name = local_aws.delivery_stream(bucket)
    records = [{"Data": b"x" * size} for size in sizes]
    if expected is None:
        assert firehose.put_record_batch(DeliveryStreamName=name, Records=records)["FailedPutCount"] == 0
    else:
        with pytest.raises(ClientError) as error:
            firehose.put_record_batch(DeliveryStreamName=name, Records=records)
        assert error.value.response["Error"]["Code"] == expected
        sizes = []
    firehose.put_record(DeliveryStreamName=name, Record={"Data": b"end"})
    assert eventually(lambda: local_aws.lines(bucket)[-1:] == ["end"])
    assert [len(line) for line in local_aws.lines(bucket)[:-1]] == sizes


def test_a_record_of_put_record_has_1000_kib(local_aws: LocalAws) -> None:
    firehose, name = local_aws.client("firehose"), local_aws.delivery_stream(local_aws.bucket())
    firehose.put_record(DeliveryStreamName=name, Record={"Data": bytes(1000 * KIB)})
    with pytest.raises(ClientError, match="1024000") as error:
        firehose.put_record(DeliveryStreamName=name, Record={"Data": bytes(1000 * KIB + 1)})
    assert error.value.response["Error"]["Code"] == "ValidationException"
