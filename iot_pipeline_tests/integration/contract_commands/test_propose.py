"""A field that the contract does not know: proposed from the lake, taken up, and filled in from history by a plan."""

import runpy
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from iot_pipeline.connections.backfill import open_planner
from iot_pipeline.contract import CONTRACT, Contract, Metric, Unit, metrics, tables
from iot_pipeline.contract_commands.app import app
from iot_pipeline.definitions import defs
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.resources import WarehouseResource
from iot_pipeline.settings import Policy
from iot_pipeline.warehouse.transaction import read
from iot_pipeline_tests.support.glue_tables import tables_of
from iot_pipeline_tests.support.messages import RawZone, build, line, message, reading, rows_of

FIELD = "vibration"


@pytest.fixture
def hours(lake: Lake, raw: RawZone, dagster_hour: Hour) -> list[Hour]:
    """Four arrival hours: of the first and the last some readings have the field, of the third another one."""
    found = [dagster_hour + n for n in range(4)]
    fields: list[dict[str, object]] = [
        {FIELD: 0.4, "unit": {FIELD: "g"}},
        {},
        {"label": "a", "unit": {"humidity": "promille"}},
        {FIELD: 0.6},
    ]
    for hour, more in zip(found, fields, strict=True):
        readings = [reading(hour.start, 1, humidity=40.0), reading(hour.start, 2, humidity=41.0, **more)]
        raw.put(hour, [line(message(*readings, fw="9.0"), hour.start)])
    build(lake, found)
    return found


@pytest.fixture
def warehouse_is_as_before() -> Iterator[None]:
    """Its table gets a column by the first load of the proposed contract."""
    yield
    with WarehouseResource().connect() as connection:
        connection.cursor().execute(f"ALTER TABLE lake.readings DROP COLUMN {FIELD}")
        connection.commit()


def _proposed(source: Path) -> Contract:
    """The contract with the metrics of an edited source."""
    added = runpy.run_path(str(source))["METRICS"][-1]
    units = tuple(Unit(unit.symbol, unit.factor, unit.offset) for unit in added.units)
    metric = Metric(added.name, units, added.minimum, added.maximum, added.max_rate, added.description)
    return replace(CONTRACT, metrics=(*CONTRACT.metrics, metric))


@pytest.mark.usefixtures("warehouse_is_as_before")
def test_a_new_field_is_proposed_and_filled_in_from_history(
    lake: Lake, hours: list[Hour], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "metrics.py"
    source.write_text(Path(metrics.__file__).read_text())
    until = f"{hours[-1].start:%Y-%m-%dT%H}"
    arguments = ["propose", "--until", until, "--days", str(timedelta(hours=4) / timedelta(days=1))]
    shown = CliRunner().invoke(app, [*arguments, "--source", str(source)])
    assert shown.exit_code == 0, shown.output
    assert "new field     9.0       vibration" in shown.output
    assert "unit g, as 1 readings state; 1 readings state none" in shown.output
    assert "label: no edit\n  1 of 1 values are no numbers" in shown.output
    assert "1 readings in 'promille': say how it is converted, --convert humidity:promille" in shown.output
    assert '+        "vibration",\n+        (Unit("g"),),' in shown.output
    assert source.read_text() == Path(metrics.__file__).read_text(), "nothing is written unasked"
    written = CliRunner().invoke(app, [*arguments, "--source", str(source), "--write"])
    assert written.exit_code == 0, written.output

    contract = _proposed(source)
    monkeypatch.setattr(Policy, "contract", property(lambda _: contract))
    with tables_of(lake, contract):
        planner = open_planner()
        plan = planner.make(hours[0], hours[-1])
        marked = {(step.zone.value, step.hour, step.why.value) for step in plan.steps if step.zone.value == "judged"}
        assert marked == {("judged", hours[0], "contract changed"), ("judged", hours[3], "contract changed")}
        config = {"ops": {"read_plan": {"config": {"plan_id": plan.id, "budget_usd": 5.0}}}}
        with dg.DagsterInstance.ephemeral() as instance:
            assert defs.resolve_job_def("backfill").execute_in_process(run_config=config, instance=instance).success

        rows = rows_of(lake, tables(contract).curated_telemetry, hours, "event_time, seq")
        assert [row[FIELD] for row in rows] == [None, 0.4, None, None, None, None, 0.6]
        assert [row["extras"] for row in rows] == [None] * 7, "the field has left them"
        assert [step for step in planner.make(hours[0], hours[-1]).steps if step.zone.value != "warehouse"] == []
        day = f"CAST(event_time AS DATE) = '{hours[0].start:%Y-%m-%d}'"
        with WarehouseResource().connect() as connection:
            loaded = read(
                connection, f"SELECT {FIELD} FROM lake.readings WHERE {day} AND {FIELD} IS NOT NULL ORDER BY 1"
            )
        assert [row[0] for row in loaded] == [0.4, 0.6]
