"""What drift has left in the lake: which fields, units and metrics are not as the contract has them, and since when."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from iot_pipeline.contract import Contract
from iot_pipeline.contract_commands.proposal import Proposal, Said, Sent, of_field, of_unit
from iot_pipeline.lake import statements
from iot_pipeline.lake.drift import Drift, Known, drift_of
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake

# A metric has vanished if a firmware has not sent it for so many hours, and did before.
_LATELY_HOURS = 24


@dataclass(frozen=True)
class Evidence:
    """Drift by firmware, what was sent in unknown fields, and the readings by metric and unit that were refused."""

    drift: list[Drift]
    sent: list[Sent]
    refused: Counter[tuple[str, str]]

    def proposals(self, contract: Contract, said: Said) -> list[Proposal]:
        """What may be proposed of it, field by field."""
        metrics = {metric.name: metric for metric in contract.metrics}
        fields = [of_field(contract, each, said) for each in self.sent]
        units = [
            of_unit(metrics[name], symbol, count, said)
            for (name, symbol), count in self.refused.most_common()
            if name in metrics
        ]
        return [*fields, *units]


def gathered(lake: Lake, first: Hour, last: Hour) -> Evidence:
    """Ask the lake about these arrival hours. Raises the errors of Athena's client."""
    athena, contract = lake.athena, lake.contract
    fields = athena.run(statements.unknown_fields(first, last)).rows
    lately = max(first, last + (1 - _LATELY_HOURS))
    before = Known()
    if first < lately:
        rows = athena.run(statements.readings_by_firmware(contract, first, lately + -1)).rows
        before = drift_of(contract, [], rows, before, first.start)[1]
    now = athena.run(statements.readings_by_firmware(contract, lately, last)).rows
    found, _ = drift_of(contract, fields, now, before, lately.start)
    return Evidence(found, list(_sent(lake, first, last)), _refused(lake, first, last))


def _sent(lake: Lake, first: Hour, last: Hour) -> Iterator[Sent]:
    units = defaultdict[str, dict[str | None, int]](dict)
    for name, unit, readings in lake.athena.run(statements.units_of_unknown_fields(first, last)).rows:
        units[name][unit] = int(readings)
    for row in lake.athena.run(statements.values_of_unknown_fields(first, last)).rows:
        name, readings, devices, at, numbers, *values = row
        floats = [float(value) for value in values if value is not None]
        yield Sent(name, int(readings), int(devices), _utc(at), int(numbers), floats, units[name])


def _refused(lake: Lake, first: Hour, last: Hour) -> Counter[tuple[str, str]]:
    """Readings by metric and unit, of those that were refused for a unit."""
    found = Counter[tuple[str, str]]()
    for detail, readings in lake.athena.run(statements.refused_units(first, last)).rows:
        sent = _json(str(detail).partition(", got ")[2])
        for name, symbol in sent.items() if isinstance(sent, dict) else ():
            known = {unit.symbol for metric in lake.contract.metrics if metric.name == name for unit in metric.units}
            if isinstance(symbol, str) and symbol not in known:
                found[name, symbol] += int(readings)
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)
