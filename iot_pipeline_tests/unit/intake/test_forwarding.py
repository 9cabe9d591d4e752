"""A device's lines keep their order, and what could not be put is told, in its order."""

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from iot_pipeline.contract.aggregation import user_records
from iot_pipeline.intake.forwarding import Line, forward
from iot_pipeline.producer.put import RECORDS_PER_CALL


class Stream:
    """Kinesis with a clock of its own; `share` of the records fail, those of `closed` devices always."""

    def __init__(self, share: float = 0.0, closed: Sequence[str] = ()) -> None:
        self.share, self.closed, self.random, self.now = share, closed, random.Random(5), 0.0
        self.records = 0
        self.taken: dict[str, list[bytes]] = defaultdict(list)

    def put_records(self, *, StreamName: str, Records: Sequence[Any]) -> dict[str, Any]:  # noqa: N803  boto3's names
        assert 1 <= len(Records) <= RECORDS_PER_CALL
        keys = [each["PartitionKey"] for each in Records]
        assert len(set(keys)) == len(keys), "a device at most once a call"
        results = [self._put(each["PartitionKey"], each["Data"]) for each in Records]
        return {"FailedRecordCount": sum("ErrorCode" in each for each in results), "Records": results}

    def _put(self, key: str, data: bytes) -> dict[str, str]:
        if key in self.closed or self.random.random() < self.share:
            return {"ErrorCode": "InternalFailure", "ErrorMessage": "Internal Service Failure"}
        self.records += 1
        for each in user_records(key, data):
            assert each.partition_key == key
            self.taken[key].append(each.data)
        return {"SequenceNumber": "1", "ShardId": "shardId-000000000000"}

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def forward(self, lines: Sequence[Line], seconds: float = 100.0) -> list[Line]:
        return forward(self, "s", lines, seconds, self.sleep, lambda: self.now)


LINES = [Line(number // 3, f"d{number % 700}", b"%d" % number) for number in range(4000)]


@pytest.mark.parametrize("share", [0.0, 0.05, 0.6])
def test_all_lines_are_put_in_their_devices_order(share: float) -> None:
    stream = Stream(share)
    assert stream.forward(LINES, 1000) == []
    assert sum(len(each) for each in stream.taken.values()) == len(LINES)
    for device, taken in stream.taken.items():
        assert taken == [line.data for line in LINES if line.device == device]


def test_the_lines_of_a_device_go_together_up_to_a_record() -> None:
    stream = Stream(0.05)
    lines = [Line(number, f"d{number % 7}", b"%05d" % number + b"x" * 395) for number in range(7 * 300)]
    assert stream.forward(lines) == []
    # Of 400 bytes each, 300 lines are three records of at most 50 KiB.
    assert stream.records == 7 * 3
    assert {device: len(taken) for device, taken in stream.taken.items()} == {f"d{n}": 300 for n in range(7)}


def test_a_device_that_nothing_takes_costs_itself_and_ends_in_time() -> None:
    stream = Stream(closed=["d7"])
    left = stream.forward(LINES, 25)
    assert left == [line for line in LINES if line.device == "d7"]
    assert 25 <= stream.now <= 26
    assert sum(len(each) for each in stream.taken.values()) == len(LINES) - len(left)


def test_what_another_call_would_not_mend_is_raised() -> None:
    error = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no stream"}}, "PutRecords")

    class Gone:
        def put_records(self, **_: Any) -> Any:
            raise error

    with pytest.raises(ClientError, match="no stream"):
        forward(Gone(), "s", LINES, 1)


def test_large_lines_share_no_call_beyond_its_limit() -> None:
    stream = Stream()
    lines = [Line(0, f"d{number}", b"x" * 900_000) for number in range(30)]
    assert stream.forward(lines) == []
    assert len(stream.taken) == 30
