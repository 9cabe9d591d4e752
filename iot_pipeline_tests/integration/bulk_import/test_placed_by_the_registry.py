"""A mapping that leaves tenant and site to the registry: a device's rows are where it was when it measured them."""

from datetime import timedelta
from pathlib import Path

from typer.testing import CliRunner

from iot_pipeline.bulk_import_commands import app
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.registry.devices import move_device
from iot_pipeline.registry.registration import add_device
from iot_pipeline.registry.sites import apply
from iot_pipeline_tests.support.emulator import unique
from iot_pipeline_tests.support.messages import build, curated
from iot_pipeline_tests.support.registry import OPENED, World, catalog

MAPPING = """
import = "history"
identity = "registry"
device = { column = "device" }
[ts]
column = "at"
format = "iso8601"
[metrics]
temperature = { column = "t", unit = "C" }
"""


def test_rows_are_where_the_device_was(lake: Lake, dagster_hour: Hour, tmp_path: Path) -> None:
    tenant = unique("tenant")
    moved = dagster_hour.start + timedelta(minutes=30)
    with open_registry() as connection:
        apply(connection, catalog(tenant))
        world = World(tenant, f"{tenant}-model")
        device = add_device(connection, world.request(installed_at=OPENED)).device_id
        move_device(connection, device, "b", moved)
        connection.commit()
    ids = [device, device, device, "nobody", device]
    times = [moved + timedelta(minutes=n) for n in (-10, -1, 0, 5, 10)]
    times[-1] = OPENED - timedelta(days=1)
    lines = [f"{name},{at.isoformat()},{20 + n}" for n, (name, at) in enumerate(zip(ids, times, strict=True))]
    (tmp_path / "history.csv").write_text("\n".join(["device,at,t", *lines, ""]))
    (tmp_path / "mapping.toml").write_text(MAPPING)
    files = [str(tmp_path / "mapping.toml"), str(tmp_path / "history.csv"), "--work", str(tmp_path / "work")]
    done = CliRunner().invoke(app, ["run", *files])
    said = " ".join(done.output.split())
    assert "5 rows = 3 mapped + 2 rejected + 0 ignored" in said, said
    assert "the registry has no such device; onboard it, or say tenant and site in the mapping" in said
    assert "the registry does not say where the device was at that time" in said
    build(lake, [dagster_hour])
    rows = curated(lake, [dagster_hour])
    assert [(row["tenant"], row["site"], row["temperature"]) for row in rows if row["device_id"] == device] == [
        (tenant, "a", 20.0),
        (tenant, "a", 21.0),
        (tenant, "b", 22.0),
    ]
