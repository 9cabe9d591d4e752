"""The sweep over 10,000 devices, and what the edge costs a day, by the sizes of real items."""

import json
import math
import random
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console
from rich.table import Table

from infra.cost.bills import priced
from infra.cost.design import design_of
from infra.cost.edge_calls import edge
from infra.cost.fleet import DAYS_A_MONTH, Fleet
from infra.cost.intake import stream
from infra.local.bench.edge_tables import make_tables
from infra.local.emulator.process import start_emulator
from infra.stacks.config import PlatformConfig
from iot_pipeline.alerting import detector
from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.environment import EdgeSettings
from iot_pipeline.edge.evaluation import take
from iot_pipeline.edge.state_store import StateStore
from iot_pipeline.edge.sweep import Sweep

DEVICES, SITES, SILENT = 10_000, 100, 100
GOAL_SECONDS = 10.0
METRICS = {"temperature": 21.0, "humidity": 45.0, "pressure": 1013.0, "flow_rate": 3.0, "battery": 3.9, "rssi": -60.0}
_WARM_HOURS = 26
_HOUR_MS = 3_600_000
_NAME = "bench"


def warm_state(now_ms: int) -> DeviceState:
    """The state of a device that has sent six metrics a minute for a day: its detectors are warm."""
    judge, rules, state, rng = Judge(), RuleSet(), DeviceState("device-00000"), random.Random(1)  # noqa: S311  noise
    for minute in range(_WARM_HOURS * 60):
        at_ms = now_ms - (_WARM_HOURS * 60 - minute) * 60_000
        season = math.sin(minute / 229) / 100
        values = {name: round(value * (1 + rng.gauss(season, 0.002)), 3) for name, value in METRICS.items()}
        # A flow that never returns to zero is a leak.
        values["flow_rate"] *= minute % 60 > 0
        envelope = {
            "iot_tenant": "acme",
            "iot_site": "berlin",
            "iot_device": state.device,
            "iot_received_at": at_ms,
            "iot_client": state.device,
            "iot_trace": "t",
        }
        message = {"v": 1, "fw": "1.2.3", "readings": [{"ts": at_ms, "seq": minute, **values}], **envelope}
        take(state, judge.line(json.dumps(message)), rules, lambda _transition: None)
    return state


def item_bytes(state: DeviceState) -> int:
    """The size of a state's item, as DynamoDB counts it: names and values.

    DynamoDB developer guide, "DynamoDB item sizes and formats".
    """
    held = {name: detector.encode(each) for name, each in state.detectors.items()}
    plain = {
        "device": state.device,
        "tenant": state.tenant,
        "site": state.site,
        "sequence": "4" * 56,
        "body": state.encode(),
    }
    text = sum(len(name) + len(value.encode()) for name, value in plain.items())
    numbers = sum(len(name) + 8 for name in ("version", "arrival_ms"))
    return text + numbers + len("detectors") + 3 + sum(len(name) + len(each) + 1 for name, each in held.items())


def print_sweep(console: Console) -> bool:
    """Write the states, sweep, and print; whether the goal is met."""
    with tempfile.TemporaryDirectory(prefix="bench-sweep-") as folder:
        emulator = start_emulator(Path(folder) / "aws")
        try:
            options = emulator.client_options
            clients = {name: boto3.client(name, **options) for name in ("dynamodb", "s3", "kinesis")}  # type: ignore[call-overload]  # the service is a variable
            size, opened, lasted = _swept(clients)
        finally:
            emulator.stop()
    met = max(lasted) <= GOAL_SECONDS
    console.print(
        f"sweep of {DEVICES:,} devices, {size:,} bytes each: {lasted[0]:.1f} s, of which {opened} fell silent; "
        f"again, with nothing new: {lasted[1]:.1f} s; goal {GOAL_SECONDS:.0f} s: {'met' if met else 'missed'}",
        soft_wrap=True,
    )
    _print_costs(console, size)
    return met


def _swept(clients: dict[str, Any]) -> tuple[int, int, Sequence[float]]:
    dynamodb, now_ms = clients["dynamodb"], int(time.time() * 1000)
    _make(clients)
    state = warm_state(now_ms)
    size = item_bytes(state)
    store = StateStore(dynamodb, f"{_NAME}-state", f"{_NAME}-alerts")

    def write(number: int) -> None:
        mine = DeviceState(f"device-{number:05d}", "acme", f"site-{number % SITES:03d}")
        mine.restore(state.encode())
        mine.detectors = state.detectors
        # 100 of them have been silent for an hour, spread so that no whole site is.
        mine.arrival_ms = now_ms - (_HOUR_MS if number < SILENT else 1000)
        store.save(mine, [], now_ms)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(DEVICES)))
    names = EdgeSettings.__dataclass_fields__
    given = {"device_state_table": f"{_NAME}-state", "alerts_table": f"{_NAME}-alerts"}
    place = EdgeSettings(**{name: given.get(name, _NAME) for name in names})
    sweep = Sweep(place, dynamodb, clients["s3"], clients["kinesis"])
    lasted, opened = [], 0
    for _ in range(2):
        began = time.perf_counter()
        found = sweep.run(int(time.time() * 1000))
        lasted.append(time.perf_counter() - began)
        opened += found.opened
        if found.devices != DEVICES:
            raise RuntimeError(f"the sweep saw {found.devices} of {DEVICES} devices")
    return size, opened, lasted


def _make(clients: dict[str, Any]) -> None:
    make_tables(clients["dynamodb"], f"{_NAME}-state", f"{_NAME}-alerts")
    where = {"LocationConstraint": clients["s3"].meta.region_name}
    clients["s3"].create_bucket(Bucket=_NAME, CreateBucketConfiguration=where)
    clients["kinesis"].create_stream(StreamName=_NAME, ShardCount=1)
    clients["kinesis"].get_waiter("stream_exists").wait(StreamName=_NAME)


def _print_costs(console: Console, size: int) -> None:
    """What the edge and the stream cost a day, by the cost model, with states of the size that was measured."""
    config, fleet = PlatformConfig(), Fleet(DEVICES, 60, 1)
    design = design_of(config)
    lines = priced([*edge(fleet, config, design, size), *stream(fleet, config, design)])
    title = f"{DEVICES:,} devices, a reading a minute each, unpacked: US dollars a day, by the list (make cost)"
    table = Table("what", "units a day", "a day", "source of the price", title=title, title_justify="left")
    for line in lines:
        what = f"{line.price.service}: {line.price.what}"
        table.add_row(
            what, f"{line.units / DAYS_A_MONTH:,.0f}", f"{line.dollars / DAYS_A_MONTH:,.2f}", line.price.source
        )
    table.add_row("all", "", f"{sum(line.dollars for line in lines) / DAYS_A_MONTH:,.2f}", "")
    console.print(table)
