"""The streaming job's stack: off unless an environment asks for it, and then with limits, alarms and its own table."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infra.stacks.assembly import build
from infra.stacks.bundles import STREAMING, built
from infra.stacks.config import PlatformConfig
from infra.stacks.sizes import Size
from iot_pipeline.contract.tables import streamed_telemetry
from iot_pipeline.streaming.glue_job import JobOptions
from iot_pipeline_tests.support.templates import of_type, template


def test_without_a_window_there_is_no_stack(tmp_path: Path) -> None:
    off = build(tmp_path, PlatformConfig())
    assert "TelemetryStreaming" not in {node.node.id for node in off.node.children}
    assert "IOT_STREAMING" not in PlatformConfig().dagster_variables


def test_the_job_has_limits_and_is_begun_again() -> None:
    made = template("TelemetryStreaming")
    (job,) = of_type(made, "AWS::Glue::Job").values()
    given = job["Properties"]
    assert given["Command"]["Name"] == "gluestreaming"
    assert (given["WorkerType"], given["NumberOfWorkers"], given["GlueVersion"]) == ("G.025X", 10, "5.1")
    assert given["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert given["DefaultArguments"]["--enable-auto-scaling"] == "true"
    (trigger,) = of_type(made, "AWS::Glue::Trigger").values()
    assert (trigger["Properties"]["Type"], trigger["Properties"]["StartOnCreation"]) == ("SCHEDULED", True)


def test_the_job_understands_its_arguments() -> None:
    (job,) = of_type(template("TelemetryStreaming"), "AWS::Glue::Job").values()
    arguments = [str(each) for pair in job["Properties"]["DefaultArguments"].items() for each in pair]
    options = JobOptions.parse(arguments)
    assert (options.window_seconds, options.database, options.metrics) == (60, "telemetry", "IotPipeline/Edge")
    assert options.contract.lateness_bound.days == 30


def test_its_table_is_partitioned_by_micro_batch_alone() -> None:
    tables = of_type(template("TelemetryLake"), "AWS::Glue::Table")
    found = tables["StreamedTelemetryTable"]["Properties"]["TableInput"]
    assert [key["Name"] for key in found["PartitionKeys"]] == ["batch"]
    columns = [column["Name"] for column in found["StorageDescriptor"]["Columns"]]
    assert columns == [column.name for column in streamed_telemetry().columns]


def test_its_package_imports_by_itself() -> None:
    with built(STREAMING) as folder:
        program = "import iot_pipeline.streaming.glue_job as job; print(job.__file__)"
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=folder, env={}, capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith(str(folder))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"streaming_window_seconds": 5}, "streaming_window_seconds must be 0, or 10 to 900: 5"),
        ({"streaming_window_seconds": 60, "size": Size.PROTOTYPE}, "has no stream"),
        ({"streaming_max_workers": 1}, "streaming_max_workers must be at least 2: 1"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        replace(PlatformConfig(), **changed)  # type: ignore[arg-type]  # the fields' types differ
