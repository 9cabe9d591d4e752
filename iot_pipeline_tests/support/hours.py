"""Arrival hours with everything in them, and what the warehouse holds of an event hour."""

import json
import time
from datetime import timedelta
from typing import Any

from redshift_connector.core import Connection

from iot_pipeline.contract import METRICS, tables
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.warehouse.transaction import read
from iot_pipeline_tests.support.messages import RawZone, Sender, line, message, reading

MINUTE = timedelta(minutes=1)
CURATED = tables().curated_telemetry


def fill(raw: RawZone, arrival: Hour, messages: int = 20, faulty: bool = True) -> None:
    """An arrival hour with everything in it: three event hours, duplicates, conflicts, quarantine, extras."""
    lines = []
    for n in range(messages):
        at = arrival.start + n * MINUTE
        sender = Sender(f"meter-{n % 4}", site=f"site-{n % 2}")
        readings = [reading(at - k * 40 * MINUTE, n, temperature=20 + n / 7, humidity=40 + k) for k in range(3)]
        if faulty and n % 5 == 0:
            readings += [readings[0], {**readings[1], "temperature": 1}, {**readings[2], "seq": "x"}]
            readings[0]["note"] = "extra"
        lines.append(line(message(*readings), at + MINUTE, sender))
        if faulty and n % 7 == 0:
            lines.append(line(b'{"cut', at + MINUTE, sender))
    raw.put(arrival, lines[::2])
    raw.put(arrival, lines[1::2])


def fill_for_load(raw: RawZone, arrival: Hour, hours: int = 3, *, seq: int = 0) -> None:
    """Two devices, an hour apart each reading, with a duplicate, a conflict, extras and every metric."""
    every = {metric.name: metric.minimum for metric in METRICS}
    lines: list[bytes] = []
    for device in ("meter-1", "mètre-2"):
        sender = Sender(device)
        readings = [reading((arrival + -n).start + n * MINUTE, seq + n) for n in range(hours)]
        rich = reading(arrival.start, seq + 100, **every, location={"lat": 52.5, "lon": -13.4}, color='réd, "or" so')
        lines.append(line(message(*readings, rich, readings[0], fw="1.4.2"), arrival.start + 5 * MINUTE, sender))
        lines.append(line(message({**readings[0], "temperature": 30}), arrival.start + 6 * MINUTE, sender))
    raw.put(arrival, lines)


def curate(lake: Lake, arrivals: list[Hour]) -> list[Hour]:
    """Curate what these arrival hours touch; the event hours."""
    lake.judge(arrivals)
    event_hours = lake.touched(arrivals)
    lake.curate(event_hours)
    return event_hours


def loaded_rows(connection: Connection, hour: Hour) -> list[dict[str, Any]]:
    """The rows of an event hour in the warehouse, by key, as `messages.curated` gives them."""
    names = [column.name for column in CURATED.columns]
    where = f"event_time >= {hour.sql} AND event_time < {(hour + 1).sql}"
    sql = f"SELECT {', '.join(names)} FROM lake.readings WHERE {where} ORDER BY device_id, event_time, seq"
    rows = [dict(zip(names, row, strict=True)) for row in read(connection, sql)]
    for row in rows:
        row["extras"] = json.loads(row["extras"]) if isinstance(row["extras"], str) else row["extras"]
    return rows


def notes(connection: Connection, hours: list[Hour]) -> list[tuple[Any, ...]]:
    """What `lake.loads` says of these hours, with the time."""
    wanted = ", ".join(hour.sql for hour in hours)
    return read(connection, f"SELECT * FROM lake.loads WHERE event_hour IN ({wanted}) ORDER BY event_hour")


def wait_for_the_next_second() -> None:
    """S3 tells times to the second: what is written in the second of a build looks as if the build had written it."""
    time.sleep(1.01 - time.time() % 1)
