"""A micro-batch appears as a whole or not at all, whatever call fails, and a repeated one replaces itself."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest

from iot_pipeline.contract import CONTRACT
from iot_pipeline.streaming.batches import BatchError, Batches, batch_name
from iot_pipeline.streaming.judged_parts import Part, part_of
from iot_pipeline.streaming.verdicts import StreamRecord, Unjudged
from iot_pipeline_tests.support.messages import line, message, reading

AT = datetime(2026, 11, 5, 12, 59, 59, tzinfo=UTC)
NAME = batch_name("18d65ce0-6288-4921-a2a0-000000000000", 7)


class _StoppedError(Exception):
    """The process ended here."""


class _Aws:
    """S3 and Glue in memory; the call of a number ends the process instead, before or after it is done."""

    class exceptions:  # noqa: N801  as boto3's clients have it
        class AlreadyExistsException(Exception):  # noqa: N818  as boto3 has it
            """As boto3's."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.partitions: dict[str, Any] = {}
        self.calls, self.stop_at, self.is_done = 0, 0, False

    def _call(self, do: Callable[[], Any]) -> Any:
        self.calls += 1
        if self.calls == self.stop_at:
            if self.is_done:
                do()
            raise _StoppedError
        return do()

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803  boto3's names
        self._call(lambda: self.objects.__setitem__(f"{Bucket}/{Key}", Body))

    def get_table(self, **_: str) -> Any:
        return self._call(lambda: {"Table": {"StorageDescriptor": {"Location": "s3://lake/"}}})

    def create_partition(self, PartitionInput: Any, **_: str) -> None:  # noqa: N803  boto3's names
        if PartitionInput["Values"][0] in self.partitions:
            raise self.exceptions.AlreadyExistsException
        self._call(lambda: self.partitions.__setitem__(PartitionInput["Values"][0], PartitionInput))

    def update_partition(self, PartitionInput: Any, **_: Any) -> None:  # noqa: N803  boto3's names
        self._call(lambda: self.partitions.__setitem__(PartitionInput["Values"][0], PartitionInput))

    def get_paginator(self, name: str) -> Any:
        aws = self

        class Pages:
            def paginate(self, **_: Any) -> list[Any]:
                if name == "get_partitions":
                    return [{"Partitions": list(aws.partitions.values())}]
                keys = [key.partition("/")[2] for key in aws.objects if key.startswith("lake/")]
                return [{"Contents": [{"Key": key, "LastModified": AT} for key in keys]}]

        return Pages()

    def batch_delete_partition(self, PartitionsToDelete: list[Any], **_: str) -> Any:  # noqa: N803  boto3's names
        names = [each["Values"][0] for each in PartitionsToDelete]
        assert len(names) <= 25
        gone = [name for name in names if self.partitions.pop(name, None) is None]
        return {
            "Errors": [
                {"PartitionValues": [name], "ErrorDetail": {"ErrorCode": "EntityNotFoundException"}} for name in gone
            ]
        }

    def delete_objects(self, Bucket: str, Delete: Any) -> Any:  # noqa: N803  boto3's names
        for each in Delete["Objects"]:
            del self.objects[f"{Bucket}/{each['Key']}"]
        return {}

    def seqs(self) -> list[int]:
        """What a reader of the table finds."""
        found: list[int] = []
        for partition in self.partitions.values():
            location = partition["StorageDescriptor"]["Location"].removeprefix("s3://")
            for key, body in self.objects.items():
                if key.startswith(location):
                    found += pq.read_table(io.BytesIO(body)).column("seq").to_pylist()
        return sorted(found)


def _batches(aws: Any) -> Batches:
    return Batches(aws, aws, "telemetry", "lake", "failures")


def _parts(*seqs: int) -> list[Part]:
    data = [StreamRecord(str(seq), line(message(reading(AT, seq)), AT)) for seq in seqs]
    return [part_of(data[:2], CONTRACT), part_of(data[2:], CONTRACT)]


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("stop_at", range(1, 5))
def test_a_batch_that_was_stopped_anywhere_is_seen_whole_or_not_at_all_and_once_when_repeated(
    stop_at: int, is_done: bool
) -> None:
    aws = _Aws()
    aws.stop_at, aws.is_done = stop_at, is_done
    with pytest.raises(_StoppedError):
        _batches(aws).process_batch(_parts(1, 2, 3), NAME, AT)
    assert aws.seqs() in ([], [1, 2, 3])
    # Kinesis has one more the second time.
    _batches(aws).process_batch(_parts(1, 2, 3, 4), NAME, AT)
    assert aws.seqs() == [1, 2, 3, 4]
    assert list(aws.partitions) == [NAME]


@pytest.mark.parametrize("stop_at", range(5, 9))
def test_a_repeat_that_is_stopped_leaves_what_was_there(stop_at: int) -> None:
    aws = _Aws()
    _batches(aws).process_batch(_parts(1, 2, 3), NAME, AT)
    aws.stop_at = stop_at
    with pytest.raises(_StoppedError):
        _batches(aws).process_batch(_parts(1, 2, 3, 4), NAME, AT)
    assert aws.seqs() == [1, 2, 3]


def test_a_batch_notes_what_it_held() -> None:
    aws = _Aws()
    made = _batches(aws).process_batch(_parts(1, 2, 3), NAME, AT)
    assert made is not None
    assert _batches(aws).all() == [made]
    notes = made.notes
    assert (notes.records, notes.rows, notes.outcomes, notes.sequences) == (3, 3, {"valid": 3}, (1, 3))
    assert [str(hour) for hour in notes.event_hours] == ["2026-11-05 12:00Z"]


def test_without_a_record_nothing_is_written() -> None:
    aws = _Aws()
    assert _batches(aws).process_batch([part_of([], CONTRACT)], NAME, AT) is None
    assert not aws.objects
    assert not aws.partitions


def test_what_could_not_be_judged_is_kept_with_its_bytes() -> None:
    aws, (part, _) = _Aws(), _parts(1)
    broken = Part(**{**vars(part), "unjudged": (Unjudged("17", b"\xff", "ValueError()"),)})
    _batches(aws).process_batch([broken], NAME, AT)
    kept = aws.objects[f"failures/streaming/{NAME}.jsonl"]
    assert kept == b'{"sequence": "17", "data": "/w==", "error": "ValueError()"}\n'


def test_removed_batches_are_forgotten_at_once_and_their_objects_later() -> None:
    aws = _Aws()
    batches = _batches(aws)
    made = [batches.process_batch(_parts(number), batch_name("query", number), AT) for number in range(1, 31)]
    held = [batch for batch in made if batch]
    batches.unregister(held[:29])
    batches.unregister(held[:1])
    assert aws.seqs() == [30]
    assert batches.delete_unused(AT) == 0
    assert batches.delete_unused(AT + timedelta(seconds=1)) == 29
    assert aws.seqs() == [30]


def test_glue_that_keeps_a_partition_is_told() -> None:
    aws = _Aws()
    kept = {"PartitionValues": ["b"], "ErrorDetail": {"ErrorCode": "InternalServiceException"}}
    aws.batch_delete_partition = lambda **_: {"Errors": [kept]}  # type: ignore[method-assign]  # one answer of Glue
    batch = _batches(aws).process_batch(_parts(1), NAME, AT)
    assert batch
    with pytest.raises(BatchError, match="Glue kept 1 micro-batches"):
        _batches(aws).unregister([batch])


def test_a_partition_that_no_job_wrote_is_named() -> None:
    aws = _Aws()
    aws.partitions["mine"] = {"Values": ["mine"], "StorageDescriptor": {"Location": "s3://lake/x"}, "Parameters": {}}
    with pytest.raises(ValueError, match=r"partition \['mine'\] of streamed_telemetry"):
        _batches(aws).all()


def test_a_batch_without_a_query_has_no_name() -> None:
    with pytest.raises(ValueError, match="id of its query"):
        batch_name("", 1)
