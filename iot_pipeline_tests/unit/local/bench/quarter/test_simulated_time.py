"""The clock of a simulated quarter: it is set, it does not go back, and the servers' times are translated to it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.auth
import pytest
from botocore.client import BaseClient
from time_machine import escape_hatch

from infra.local.bench.quarter.simulated_time import SimulatedTime

START = datetime(2026, 8, 3, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_the_clock_is_set_and_does_not_go_back() -> None:
    clock = SimulatedTime(START)
    before = datetime.now(UTC)
    with clock.running():
        assert START <= datetime.now(UTC) < START + SECOND
        later = START + timedelta(days=5)
        clock.move_to(later)
        assert later <= datetime.now(UTC) < later + SECOND
        assert later.timestamp() <= time.time() < (later + SECOND).timestamp()
        with pytest.raises(ValueError, match="cannot go back"):
            clock.move_to(START)
        signed: datetime = vars(botocore.auth)["get_current_datetime"](remove_tzinfo=False)
        assert signed >= before, "requests are signed with the real time"
    assert datetime.now(UTC) >= before


def test_times_in_answers_are_those_at_which_it_was_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server says it wrote between two moves was written while the clock stood at the first of them."""
    written: list[datetime] = []

    def answer(_client: Any, _operation: str, _parameters: Any) -> dict[str, Any]:
        return {"Contents": [{"Key": "a", "LastModified": written[0]}], "KeyCount": 1}

    monkeypatch.setattr(BaseClient, "_make_api_call", answer)
    clock = SimulatedTime(START)
    with clock.running():
        clock.move_to(START + timedelta(hours=1))
        time.sleep(0.01)
        written.append(escape_hatch.datetime.datetime.now(UTC))
        clock.move_to(START + timedelta(hours=2))
        s3 = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")  # no secret
        (found,) = s3.list_objects_v2(Bucket="any")["Contents"]
        at = found["LastModified"]
    assert timedelta(hours=1, milliseconds=10) <= at - START < timedelta(hours=1, seconds=1)
