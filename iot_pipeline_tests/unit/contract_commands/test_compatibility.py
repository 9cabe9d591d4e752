"""What a change of the contract breaks and for whom, and the command that says so and forbids."""

import json
import shutil
import subprocess
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.local.servers.checkout import CHECKOUT
from iot_pipeline.contract import CONTRACT, Contract, Metric, Unit
from iot_pipeline.contract_commands import app as commands
from iot_pipeline.contract_commands.compatibility import Effect, Who, compared, verdict
from iot_pipeline.contract_commands.description import described, text_of

NOW = described()
MOISTURE = Metric("moisture", (Unit("%"),), 0.0, 100.0, 10.0, "Soil moisture.")
FINE, MOVES, BREAKS = Effect.COMPATIBLE, Effect.MOVES, Effect.BREAKING


def _temperature(**changes: Any) -> Contract:
    return replace(
        CONTRACT, metrics=tuple(replace(m, **changes) if m.name == "temperature" else m for m in CONTRACT.metrics)
    )


def _effects(new: Contract) -> dict[Who, Effect]:
    """Of each consumer the worst that it meets."""
    found: dict[Who, Effect] = {}
    for change in reversed(compared(NOW, described(new))):
        found[change.who] = change.effect
    return found


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (CONTRACT, {}),
        (
            replace(CONTRACT, metrics=(*CONTRACT.metrics, MOISTURE)),
            {Who.DEVICES: FINE, Who.READERS: MOVES, Who.WAREHOUSE: FINE, Who.EDGE: FINE, Who.HISTORY: MOVES},
        ),
        (
            replace(CONTRACT, metrics=CONTRACT.metrics[1:]),
            {Who.DEVICES: BREAKS, Who.READERS: BREAKS, Who.WAREHOUSE: BREAKS, Who.EDGE: BREAKS},
        ),
        (
            _temperature(units=(Unit("K"), Unit("C", 1.0, 273.15))),
            {Who.DEVICES: BREAKS, Who.READERS: BREAKS, Who.WAREHOUSE: BREAKS, Who.EDGE: BREAKS},
        ),
        (_temperature(units=(Unit("C"),)), {Who.DEVICES: BREAKS}),
        (_temperature(units=(Unit("C"), Unit("F", 0.5, -16.0))), {Who.READERS: BREAKS, Who.EDGE: BREAKS}),
        (_temperature(maximum=100.0), {Who.DEVICES: MOVES, Who.HISTORY: MOVES}),
        (_temperature(maximum=200.0), {Who.DEVICES: FINE, Who.HISTORY: MOVES}),
        (_temperature(max_rate=5.0), {Who.EDGE: FINE}),
        (replace(CONTRACT, lateness_bound=timedelta(days=3)), {Who.DEVICES: MOVES}),
        (replace(CONTRACT, lateness_bound=timedelta(days=60)), {Who.DEVICES: FINE}),
    ],
    ids="none added removed unit dropped converted narrowed widened rate stricter laxer".split(),  # noqa: SIM905  # a list is too long
)
def test_a_change_is_told_by_consumer(new: Contract, expected: dict[Who, Effect]) -> None:
    assert _effects(new) == expected


def test_what_no_contract_object_says_is_compared_too() -> None:
    other = deepcopy(NOW)
    other["reasons"].remove("too_late")
    other["reasons"].append("too_loud")
    other["topics"] = "dt2/#"
    other["reading_fields"].remove("location")
    other["envelope"]["iot_tenant"] = "bigint"
    curated = other["tables"]["curated_telemetry"]
    curated["columns"]["seq"] = "string"
    curated["prefix"] = "curated2/"
    del other["tables"]["raw_lines"], curated["columns"]["fw"]
    told = {(change.effect, change.what) for change in compared(NOW, other)}
    assert told == {
        (MOVES, "reason too_loud added"),
        (FINE, "reason too_loud added"),
        (BREAKS, "reason too_late removed"),
        (BREAKS, "topics, dt/+/+/+/telemetry, are now dt2/#"),
        (BREAKS, "field location removed"),
        (BREAKS, "iot_tenant of the IoT rules was string, is bigint"),
        (BREAKS, "column seq of curated_telemetry was bigint, is string"),
        (BREAKS, "column fw of curated_telemetry removed"),
        (BREAKS, "prefix of curated_telemetry changed"),
        (BREAKS, "table raw_lines removed"),
    }


def test_what_breaks_needs_another_version() -> None:
    narrow = described(replace(CONTRACT, metrics=CONTRACT.metrics[1:]))
    assert "Raise `Contract.version`" in str(verdict(NOW, narrow, compared(NOW, narrow)))
    raised = described(replace(CONTRACT, metrics=CONTRACT.metrics[1:], version=2))
    assert verdict(NOW, raised, compared(NOW, raised)) is None
    assert "went back from 2 to 1" in str(verdict(raised, NOW, compared(raised, NOW)))


def test_the_contract_may_be_released() -> None:
    released = json.loads(commands.RELEASED.read_text(encoding="utf-8"))
    assert verdict(released, NOW, compared(released, NOW)) is None


def test_the_command_forbids_and_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "released.json"
    monkeypatch.setattr(commands, "RELEASED", file)
    before = deepcopy(NOW)
    before["metrics"]["moisture"] = before["metrics"]["humidity"]
    file.write_text(text_of(before))
    refused = CliRunner().invoke(commands.app, ["compatibility", "--release"])
    assert refused.exit_code == 1
    assert "metric moisture removed" in refused.output
    assert json.loads(file.read_text()) == before, "what is forbidden is not recorded"
    del before["metrics"]["humidity"], before["metrics"]["moisture"]
    file.write_text(text_of(before))
    taken = CliRunner().invoke(commands.app, ["compatibility", "--release"])
    assert taken.exit_code == 0, taken.output
    assert "metric humidity added" in taken.output
    assert json.loads(file.read_text()) == NOW


def test_the_contract_of_a_commit_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    product = tmp_path / "iot_pipeline"
    for name in ("contract", "contract_commands"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / "iot_pipeline" / name, product / name, ignore=ignored)
    (product / "__init__.py").touch()
    metrics = product / "contract" / "metrics.py"
    metrics.write_text(metrics.read_text().replace("maximum=150.0", "maximum=250.0"))
    git = ["git", "-C", str(tmp_path), "-c", "user.name=test", "-c", "user.email=test@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "released"]):
        subprocess.run([*git, *command], check=True)
    monkeypatch.setattr(commands, "RELEASED", product / "contract_commands" / "released.json")
    compatible = CliRunner().invoke(commands.app, ["compatibility", "--against", "HEAD"])
    assert compatible.exit_code == 0, compatible.output
    assert "range of temperature, -60 to 250, is now -60 to 150" in compatible.output
    unknown = CliRunner().invoke(commands.app, ["compatibility", "--against", "nowhere"])
    assert unknown.exit_code == 2
