"""`make bench-edge`: the edge's handler without its network, and beside it libraries that validate and do nothing else.

The handler's figure has everything on: verdict, states in memory, all rules, the detector. The others read the same
payloads and check their form: pydantic-core by a model, msgspec by a struct, jsonschema-rs by the contract's own
schema. They are development extras (`pip install -e .[bench]`); without one its row says so. CPU seconds of one
process, in turns, so that what else the machine does falls on all alike.
"""

import gc
import importlib
import importlib.util
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.local.bench.raw_objects import DEVICES, lines_of
from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.contract import CONTRACT
from iot_pipeline.contract.json_schema import message_schema
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.evaluation import take
from iot_pipeline.lake.hours import Hour

READINGS, PACK, ROUNDS = 200_000, 25, 5
# A device's readings are so far apart. Seldom ones cost the detector more, for it learns once in five minutes.
SECONDS_APART = (1.0, 15.0)
Work = Callable[[], object]
_FIRST = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass(frozen=True)
class Messages:
    """The bench's messages: lines of the stream in the order of arrival, and the payloads within them."""

    lines: list[bytes]
    readings: int


def messages(pack: int, seconds_apart: float) -> Messages:
    """A fleet's messages with the simulator's default faults."""
    by_hour = lines_of(Hour(_FIRST), READINGS / DEVICES * seconds_apart / 3600, READINGS, pack)
    lines = [line for hour in sorted(by_hour) for _, line in sorted(by_hour[hour], key=lambda each: each[0])]
    return Messages(lines, READINGS)


def handler(found: Messages) -> Work:
    """Verdict, states in memory, all rules, the detector."""
    judge, rules = Judge(), RuleSet()

    def work() -> int:
        states: dict[str, DeviceState] = {}
        transitions: list[Any] = []
        for line in found.lines:
            readings = judge.line(line)
            device = readings[0].message.device_id
            if device is not None:
                state = states.get(device)
                if state is None:
                    state = states[device] = DeviceState(device)
                take(state, readings, rules, transitions.append)
        return len(transitions)

    return work


def verdict(found: Messages) -> Work:
    """The contract's verdict alone."""
    judge = Judge()
    return lambda: sum(len(judge.line(line)) for line in found.lines)


def pydantic_core(found: Messages) -> Work:
    """A pydantic model; its core is in Rust."""
    from pydantic import BaseModel, ValidationError, create_model

    fields: dict[str, Any] = {metric.name: (float | None, None) for metric in CONTRACT.metrics}
    reading: Any = create_model(
        "Reading", ts=(str | int, ...), seq=(int, ...), unit=(dict[str, str] | None, None), **fields
    )
    message: type[BaseModel] = create_model(
        "Message",
        v=(int, ...),
        readings=(list[reading], ...),
        fw=(str | None, None),
    )

    def work() -> int:
        wrong = 0
        for line in found.lines:
            try:
                message.model_validate_json(line)
            except ValidationError:
                wrong += 1
        return wrong

    return work


def msgspec_struct(found: Messages) -> Work:
    """A msgspec struct."""
    msgspec: Any = importlib.import_module("msgspec")
    fields = [(metric.name, float | None, None) for metric in CONTRACT.metrics]
    required = [("ts", str | int), ("seq", int)]
    reading: Any = msgspec.defstruct("Reading", [*required, ("unit", dict[str, str] | None, None), *fields])
    shape = [("v", int), ("readings", list[reading]), ("fw", str | None, None)]
    decoder = msgspec.json.Decoder(msgspec.defstruct("Message", shape))

    def work() -> int:
        wrong = 0
        for line in found.lines:
            try:
                decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                wrong += 1
        return wrong

    return work


def jsonschema_rs_validator(found: Messages) -> Work:
    """The contract's own JSON Schema, after json.loads."""
    jsonschema_rs: Any = importlib.import_module("jsonschema_rs")
    validator = jsonschema_rs.validator_for(message_schema(CONTRACT))

    def work() -> int:
        wrong = 0
        for line in found.lines:
            try:
                wrong += not validator.is_valid(json.loads(line))
            except ValueError:
                wrong += 1
        return wrong

    return work


# What is measured: name, the module it needs, what makes its work.
SUBJECTS: tuple[tuple[str, str, Callable[[Messages], Work]], ...] = (
    ("handler: verdict, state, all rules, detector", "json", handler),
    ("verdict of the contract alone", "json", verdict),
    ("pydantic-core, validation only", "pydantic", pydantic_core),
    ("msgspec, validation only", "msgspec", msgspec_struct),
    ("jsonschema-rs, validation only", "jsonschema_rs", jsonschema_rs_validator),
)


def _rates(found: Messages) -> Iterator[tuple[str, list[float] | None]]:
    """Readings a CPU second of each subject, by round; None where its library is not installed."""
    works = {
        name: make(found) if importlib.util.find_spec(module) is not None else None for name, module, make in SUBJECTS
    }
    rates: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            if work is not None:
                gc.collect()
                began = time.process_time()
                work()
                rates[name].append(found.readings / (time.process_time() - began))
    for name, work in works.items():
        yield name, None if work is None else rates[name]


def main() -> None:
    """Print the table."""
    console = Console()
    for pack, apart in ((PACK, SECONDS_APART[0]), (PACK, SECONDS_APART[1]), (100, SECONDS_APART[0]), (1, 1.0)):
        title = f"{pack} readings a message, a device's readings {apart:g} s apart"
        table = Table("readings a CPU second", "median", "best", title=title, title_justify="left")
        for name, rates in _rates(messages(pack, apart)):
            if rates is None:
                table.add_row(name, "not installed: pip install -e .[bench]", "")
            else:
                table.add_row(name, f"{statistics.median(rates):,.0f}", f"{max(rates):,.0f}")
        console.print(table)
    console.print("goal, packed: at least 100,000 readings/s a core")


if __name__ == "__main__":
    main()
