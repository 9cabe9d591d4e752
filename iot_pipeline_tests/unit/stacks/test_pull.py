"""The stack that pulls from vendors: off by default, one place a vendor, and a role that lands and nothing else."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra.cost.pulls import _ALARMS_A_VENDOR, _ALARMS_BESIDE
from infra.stacks.bundles import PULL, built, zipped
from infra.stacks.config import PlatformConfig
from infra.stacks.environments import environment
from infra.stacks.pulled_vendors import VENDORS, vendors
from infra.stacks.sizes import Size
from iot_pipeline_tests.support.templates import assembly, of_type, template

STACK = "TelemetryPull"


def _only(kind: str) -> dict[str, Any]:
    (found,) = of_type(template(STACK), kind).values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def test_it_is_off_where_no_vendor_is_named() -> None:
    assert environment("telemetry").vendors == ()
    assert environment("production").vendors == ()


def test_one_call_at_a_time_ends_before_the_next_and_is_not_repeated() -> None:
    function, rule, calls = (
        _only("AWS::Lambda::Function"),
        _only("AWS::Events::Rule"),
        _only("AWS::Lambda::EventInvokeConfig"),
    )
    assert function["ReservedConcurrentExecutions"] == 1
    assert rule["ScheduleExpression"] == "rate(15 minutes)"
    assert function["Timeout"] == 15 * 60 - 10
    assert calls["MaximumRetryAttempts"] == 0
    assert "OnFailure" in calls["DestinationConfig"]


def test_the_package_has_the_vendors_file_and_reads_it() -> None:
    key = _only("AWS::Lambda::Function")["Code"]["S3Key"]
    folder = assembly() / f"asset.{key.removesuffix('.zip')}"
    assert (folder / "vendor.toml").read_bytes() == (VENDORS / "example-weather.toml").read_bytes()


def test_the_function_works_from_its_package_alone(tmp_path: Path) -> None:
    with built(PULL) as folder:
        package = zipped(folder)
    (tmp_path / "pull.zip").write_bytes(package)
    assert {Path(name).suffix for name in zipfile.ZipFile(io.BytesIO(package)).namelist()} == {".py"}
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'pull.zip')!r})\n"
        "from pathlib import Path\n"
        "from iot_pipeline.pull.vendor_file import read_vendor\n"
        "from iot_pipeline.pull.reading_lines import lines_of\n"
        "from iot_pipeline.pull.vendor_client import VendorClient\n"
        "from iot_pipeline.edge.telemetry import emit\n"
        f"print(read_vendor(Path({str(VENDORS / 'example-weather.toml')!r})).name)"
    )
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "example-weather\n"


def test_the_costs_count_the_alarms_that_there_are() -> None:
    assert len(of_type(template(STACK), "AWS::CloudWatch::Alarm")) == _ALARMS_A_VENDOR + _ALARMS_BESIDE


def test_a_vendor_without_a_file_or_with_anothers_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no vendors/nobody.toml; there are example-weather"):
        vendors(["nobody"], VENDORS)
    (tmp_path / "other.toml").write_bytes((VENDORS / "example-weather.toml").read_bytes())
    with pytest.raises(ValueError, match="name = 'example-weather': expected the file's own, 'other'"):
        vendors(["other"], tmp_path)


def test_a_prototype_pulls_from_nobody_and_a_name_stands_once() -> None:
    with pytest.raises(ValueError, match="size team or production pulls from vendors"):
        PlatformConfig(size=Size.PROTOTYPE, vendors=("example-weather",))
    with pytest.raises(ValueError, match="expected each name once"):
        PlatformConfig(vendors=("a", "a"))
