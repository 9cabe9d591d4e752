"""Watches Dagster from outside: a daemon that is dead cannot say so.

`python -m iot_pipeline.watcher` looks every half minute at the heartbeats of the daemon that DAGSTER_HOME names, and at
when the sensor `pipeline_alerts` last looked. What it finds becomes alerts beside all others, and the function that
notifies tells people, which needs no Dagster. Its own last look is on record too, and the sensor watches that.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated

import dagster as dg
import typer
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from iot_pipeline import settings
from iot_pipeline.alerting.episodes import About
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.trackers import LOOKED, SENSOR, WATCHER, TrackersConflictError, TrackerStore, Watching
from iot_pipeline.command_line import fail
from iot_pipeline.connections.edge import open_trackers
from iot_pipeline.defs.dagster_internals import daemon_heartbeats
from iot_pipeline.defs.pipeline_alerts.kinds import BLIND_SENSOR, DEAD_DAEMON
from iot_pipeline.defs.pipeline_alerts.seen import Seen, bad, clear

INTERVAL_SECONDS = 30.0
DEAD_AFTER_MS, BLIND_AFTER_MS = 3 * 60_000, 5 * 60_000
_DAEMON = "dagster/daemon"
log = logging.getLogger(__name__)


def look(instance: dg.DagsterInstance, store: TrackerStore, now: datetime) -> tuple[int, int]:
    """Look once; how many alerts were opened and resolved. Raises TrackersConflictError and botocore's errors."""
    now_ms = round(now.timestamp() * 1000)
    watching = Watching(store, store.load(WATCHER), now_ms)
    sensor = store.load(SENSOR)
    looked_ms = sensor.seen[LOOKED] if sensor.version else None
    for seen in seen_now(daemon_heartbeats(instance), looked_ms, now_ms):
        seen.take(watching)
    watching.save()
    return watching.opened, watching.resolved


def seen_now(heartbeats: Mapping[str, float | None], looked_ms: int | None, now_ms: int) -> Iterator[Seen]:
    """How the daemon stands, by the last heartbeats of its parts (epoch seconds), and the sensor by its last look.

    A daemon that never ran is not dead. One whose parts are all dead is one alert; then the sensor is not a matter of
    its own, for it lives in the daemon. Parts beat seconds apart: one is dead alone only while another is lively.
    """
    ages = {name: now_ms - round(at * 1000) for name, at in heartbeats.items() if at is not None}
    dead = {name: age for name, age in ages.items() if age > DEAD_AFTER_MS}
    is_dead = bool(dead) and len(dead) == len(ages)
    is_lively = bool(ages) and min(ages.values()) < DEAD_AFTER_MS / 2
    if is_dead:
        age = min(dead.values())
        about = About("Dagster's daemon", f"no heartbeat for {age / 60_000:.0f} min; nothing is scheduled")
        yield bad(DEAD_DAEMON, _DAEMON, now_ms, Severity.CRITICAL, about, now_ms - age)
    else:
        yield clear(DEAD_DAEMON, _DAEMON, now_ms)
    for name, age in ages.items():
        subject = f"dagster/{name.lower()}"
        if name in dead and not is_dead:
            if not is_lively:
                continue
            about = About(f"{name.lower()} of Dagster's daemon", f"no heartbeat for {age / 60_000:.0f} min")
            yield bad(DEAD_DAEMON, subject, now_ms, Severity.CRITICAL, about, now_ms - age)
        else:
            yield clear(DEAD_DAEMON, subject, now_ms)
    subject = "sensor/pipeline_alerts"
    if looked_ms is not None and now_ms - looked_ms > BLIND_AFTER_MS and ages and not is_dead:
        about = About("pipeline_alerts", f"it last looked {(now_ms - looked_ms) / 60_000:.0f} min ago")
        yield bad(BLIND_SENSOR, subject, now_ms, Severity.CRITICAL, about, looked_ms)
    elif not is_dead:
        yield clear(BLIND_SENSOR, subject, now_ms)


def main(
    once: Annotated[bool, typer.Option("--once", help="Look once and end, as a scheduled task does.")] = False,
) -> None:
    """Watch the Dagster instance of DAGSTER_HOME; alerts go where all others go."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    log.setLevel(logging.INFO)
    if "DAGSTER_HOME" not in os.environ:
        fail("DAGSTER_HOME is not set: it names the instance to watch", KeyError("DAGSTER_HOME"))
    try:
        store = open_trackers()
    except ValidationError as error:
        fail(f"in the environment: {settings.wrong(error)}", error)
    except BotoCoreError as error:
        fail(f"{error} AWS credentials and a region come from the environment: set -a; . ./.env", error)
    with dg.DagsterInstance.get() as instance:
        while True:
            try:
                opened, resolved = look(instance, store, datetime.now(UTC))
            except (ClientError, BotoCoreError, TrackersConflictError) as error:
                if once:
                    fail(f"the alerts cannot be written: {error}", error)
                # AWS out of reach is no reason to stop looking; a watcher that cannot write is missed by the sensor.
                log.warning("The alerts cannot be written: %s", error)
            else:
                if opened or resolved or once:
                    log.info("%d alerts opened, %d resolved", opened, resolved)
            if once:
                return
            time.sleep(INTERVAL_SECONDS)


if __name__ == "__main__":
    typer.run(main)
