"""What drift asks of the contract as an edit, and what a person has to say first."""

import ast
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.local.servers.checkout import CHECKOUT
from iot_pipeline.contract import CONTRACT, METRICS, Metric, Unit, metrics
from iot_pipeline.contract_commands.proposal import (
    Proposal,
    Said,
    Sent,
    edited,
    of_field,
    of_unit,
    proposed_range,
)
from iot_pipeline.contract_commands.source_edit import EditError, with_metric, with_unit

AT = datetime(2026, 11, 28, tzinfo=UTC)
SOURCE = Path(metrics.__file__).read_text(encoding="utf-8")
VALUES = (0.1, 0.2, 0.5, 0.9, 1.4)


def _sent(
    name: str = "vibration",
    numbers: int = 100,
    units: Mapping[str | None, int] | None = None,
    values: Sequence[float] = VALUES,
) -> Sent:
    return Sent(name, 100, 3, AT, numbers, values, {'"g"': 60, None: 40} if units is None else units)


def _compiled(source: str) -> tuple[Metric, ...]:
    """METRICS as the source has it."""
    space: dict[str, Any] = {"__name__": "edited"}
    exec(compile(ast.parse(source), "metrics.py", "exec"), space)
    return tuple(
        Metric(m.name, tuple(map(_unit, m.units)), m.minimum, m.maximum, m.max_rate, m.description)
        for m in space["METRICS"]
    )


def _unit(unit: Unit) -> Unit:
    """The same of this module's class: the source that was run has its own."""
    return Unit(unit.symbol, unit.factor, unit.offset)


def test_a_field_whose_unit_devices_state_becomes_a_metric() -> None:
    proposal = of_field(CONTRACT, _sent(), Said(meanings={"vibration": 'Vibration of the "pump".'}))
    assert proposal.metric is not None
    assert "unit g, as 60 readings state; 40 readings state none" in proposal.notes[0]
    assert "is a proposal, from 1% 0.2, median 0.5, 99% 0.9" in proposal.notes[1]
    after = edited(SOURCE, [proposal], AT)
    assert _compiled(after) == (*METRICS, proposal.metric)
    assert "# Proposed on 2026-11-28" in after
    assert (proposal.metric.minimum, proposal.metric.maximum) == (0.0, 1.3)
    assert "seen 0.1 to 1.4: what lies outside" in proposal.notes[3]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (_sent(units={None: 100}), "no device states its unit; say which it is: --unit vibration=SYMBOL"),
        (_sent(units={'"g"': 50, '"mm/s"': 50}), 'devices state several units ("g", "mm/s")'),
        (_sent(units={"5": 100}), "devices state several units (5)"),
        (_sent(numbers=99), "1 of 100 values are no numbers"),
        (_sent("message.battery"), "not a field of the reading itself"),
        (_sent("Vibration"), "must be a lower-case identifier"),
        (_sent("duplicates"), "has the name of a field or column"),
    ],
    ids=["silent", "several", "no text", "text", "of the message", "capital", "reserved"],
)
def test_nothing_is_guessed(sent: Sent, told: str) -> None:
    proposal = of_field(CONTRACT, sent, Said())
    assert proposal.metric is None
    assert told in proposal.notes[0]
    assert edited(SOURCE, [proposal], AT) == SOURCE


def test_a_person_says_the_unit() -> None:
    proposal = of_field(CONTRACT, _sent(units={}), Said(units={"vibration": "mm/s"}))
    assert proposal.metric is not None
    assert proposal.metric.units == (Unit("mm/s"),)


def test_a_unit_more_needs_its_conversion() -> None:
    for metric, symbol in ((METRICS[0], "K"), (METRICS[1], "promille")):
        asked = of_unit(metric, symbol, 9, Said())
        assert asked.unit is None
        assert f"--convert {metric.name}:{symbol}=FACTOR,OFFSET" in asked.notes[0]
        told = of_unit(metric, symbol, 9, Said(conversions={(metric.name, symbol): (0.5, -2.0)}))
        (after,) = (each for each in _compiled(edited(SOURCE, [told], AT)) if each.name == metric.name)
        assert after.units == (*metric.units, Unit(symbol, 0.5, -2.0))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.1, 0.2, 0.5, 0.9, 1.4), (0.0, 1.3)),
        ((-40.0, -20.0, 5.0, 30.0, 60.0), (-45.0, 55.0)),
        ((7.0, 7.0, 7.0, 7.0, 7.0), (3.5, 11.0)),
        ((0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.5)),
        ((1013.0, 1013.25, 1014.0, 1015.5, 1016.0), (1000.0, 1100.0)),
    ],
    ids=["positive", "both", "constant", "zero", "narrow"],
)
def test_a_range_is_around_what_was_seen(values: Sequence[float], expected: tuple[float, float]) -> None:
    assert proposed_range(values) == expected


def test_a_source_of_another_form_is_refused() -> None:
    for source in ("METRICS = ()", "METRICS: tuple = (1,\n  2)\n"):
        with pytest.raises(EditError):
            with_metric(source, METRICS[0], "")
    with pytest.raises(EditError, match="no metric 'speed'"):
        with_unit(SOURCE, "speed", Unit("m/s"))


def test_a_metric_is_written_in_the_projects_format(tmp_path: Path) -> None:
    metric = Metric("co2", (Unit("ppm"), Unit("%", 10_000.0)), 0.0, 5000.0, 500.0, "Carbon dioxide.")
    file = tmp_path / "metrics.py"
    file.write_text(edited(SOURCE, [Proposal("co2", metric)], AT))
    ruff = Path(sys.executable).with_name("ruff")
    subprocess.run([ruff, "format", "--check", "--config", CHECKOUT / "pyproject.toml", file], check=True)
