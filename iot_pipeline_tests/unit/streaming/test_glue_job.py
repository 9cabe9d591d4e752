"""The job's arguments and its measures."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iot_pipeline.contract import CONTRACT
from iot_pipeline.streaming.batches import Batch, BatchNotes
from iot_pipeline.streaming.glue_job import JobOptions, publish_measures
from iot_pipeline.streaming.judged_parts import part_of
from iot_pipeline.streaming.streaming_query import Measures
from iot_pipeline.streaming.verdicts import StreamRecord

GIVEN = {
    "stream": "s",
    "region": "eu-west-1",
    "bucket": "b",
    "failures": "f",
    "database": "d",
    "checkpoint": "s3://b/c/",
    "metrics": "IotPipeline/Edge",
    "window-seconds": "60",
    "lateness-days": "7",
    "future-hours": "0.5",
}


def _arguments(**changed: str) -> list[str]:
    given = GIVEN | {name.replace("_", "-"): value for name, value in changed.items()}
    return [text for name, value in given.items() for text in (f"--{name}", value)]


def test_arguments_are_taken_and_those_of_glue_are_left() -> None:
    options = JobOptions.parse([*_arguments(), "--JOB_NAME", "x", "--enable-metrics", "true"])
    assert (options.window_seconds, options.starting_position) == (60, "LATEST")
    assert (options.contract.lateness_bound, options.contract.future_bound) == (
        timedelta(days=7),
        timedelta(minutes=30),
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [({"window_seconds": "5"}, "expected at least 10"), ({"starting_position": "START"}, "invalid choice: 'START'")],
)
def test_a_wrong_argument_is_named(changed: dict[str, str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        JobOptions.parse(_arguments(**changed))
    assert told in capsys.readouterr().err


def test_measures_are_of_the_batch() -> None:
    now = datetime(2026, 11, 5, 12, tzinfo=UTC)
    notes = BatchNotes.of_parts([part_of([StreamRecord("1", b"{")], CONTRACT)], now)
    told: list[Any] = []

    class CloudWatch:
        def put_metric_data(self, **call: Any) -> None:
            told.append(call)

    publish_measures(CloudWatch(), "N", Measures(1.5, 700, Batch("b", "s3://b/", notes)))
    (call,) = told
    assert call["Namespace"] == "N"
    assert {each["MetricName"]: each["Value"] for each in call["MetricData"]} == {
        "lag_ms": 700,
        "duration_ms": 1500.0,
        "records": 1,
        "refused": 1,
        "unjudged": 0,
    }
