"""100,000 notifications of raw objects, and the sensor killed twice (`make bench-notifications`).

A local AWS of its own, with the deployed queue; Dagster's history on SQLite, and then on PostgreSQL. A process
evaluates the sensor `raw_objects` tick by tick, ten seconds from beginning to beginning as the daemon does, and is
killed (SIGKILL) at a fifth and at three fifths of the way. Each notification must be counted once. Simulated: the
objects are not there, and there is no daemon around the sensor. The notifications are sent while the sensor drains, so
that a few thousand wait at any time: each call to the emulator's queue takes time in proportion to what lies in it, as
SQS's do not. Sending takes its share of the emulator's one core.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
import dagster as dg
import psutil
import psycopg
import yaml
from rich.console import Console

from infra.local.bench.bench_session import bench_session
from infra.local.postgres.process import SUPERUSER
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.loopback import HOST
from infra.local.session.platform import Platform, running
from iot_pipeline.contract import tables
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.defs.raw.sensors import TIME_BUDGET_SECONDS, raw_objects
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import partition_key
from iot_pipeline.resources import RawEvents
from iot_pipeline.resources.raw_events import BATCH
from iot_pipeline.settings import deployment

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

NOTIFICATIONS, HOURS = 100_000, 4
KILLS = (0.2, 0.6)
WAITING, SENT_AT_ONCE = 3000, 500
GOAL_SECONDS = 180
INTERVAL_SECONDS = 10.0
LOOK_SECONDS = 0.5
TICK = "tick "
VISIBLE: Final = "ApproximateNumberOfMessages"
HIDDEN: Final = "ApproximateNumberOfMessagesNotVisible"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; it exits with 1 if a notification was not counted exactly once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notifications", type=int, default=NOTIFICATIONS, help="how many")
    parser.add_argument("--ticks", metavar="DAGSTER_HOME", help="evaluate the sensor until it is killed")
    options = parser.parse_args(arguments)
    if options.ticks:
        evaluate(options.ticks)
    console, right = Console(width=160), True
    with (
        bench_session("notifications") as folder,
        running(folder / "state", CHECKOUT / ".local", console) as platform,
    ):
        boto3.setup_default_session()
        for storage in ("SQLite", "PostgreSQL"):
            home = folder / storage
            home.mkdir()
            (home / "dagster.yaml").write_text(yaml.safe_dump(_config(storage, platform)))
            with dg.DagsterInstance.from_config(str(home)) as instance:
                drained = Drained(console, instance, home, storage, options.notifications, platform.emulator.pid)
                right &= drained.measure()
    raise SystemExit(int(not right))


def evaluate(home: str) -> None:
    """Tick after tick; each prints its seconds and what the sensor said."""
    with dg.DagsterInstance.from_config(home) as instance:
        while True:
            began = time.monotonic()
            result = raw_objects(dg.build_sensor_context(instance=instance), raw_events=RawEvents())
            seconds = time.monotonic() - began
            said = result.skip_message if isinstance(result, dg.SkipReason) else result
            print(f"{TICK}{seconds:.1f} {said}", flush=True)
            time.sleep(max(0.0, INTERVAL_SECONDS - seconds))


@dataclass
class Drained:
    """One queue full of notifications, drained into one history."""

    console: Console
    instance: dg.DagsterInstance
    home: Path
    storage: str
    total: int
    emulator: int
    sent: Counter[str] = field(default_factory=Counter)

    def measure(self) -> bool:
        """Drain the queue under two kills, and print; whether each notification was counted once."""
        sender = threading.Thread(target=self._send_all, daemon=True)
        log = self.home / "ticks.log"
        began, ticked, served = time.monotonic(), _cpu_of_children(), self._cpu_of_emulator()
        sender.start()
        for share in (*KILLS, 1.0):
            with log.open("ab") as out:
                command = [sys.executable, "-m", "infra.local.bench.notifications", "--ticks", str(self.home)]
                process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, env=dict(os.environ))
            try:
                while self._counted().total() < share * self.total or (share == 1.0 and _messages(VISIBLE, HIDDEN)):
                    if process.poll() is not None:
                        raise RuntimeError(f"the ticks ended by themselves: {log.read_text()[-2000:]}")
                    time.sleep(LOOK_SECONDS)
            finally:
                process.kill()
                process.wait()
        seconds = time.monotonic() - began
        sender.join()
        counted, ticks = self._counted(), [float(line.split()[1]) for line in _ticks(log)]
        right = counted == self.sent
        self.console.print(
            f"{self.storage}: {counted.total():,} of {self.total:,} counted in {seconds:.0f} s (goal {GOAL_SECONDS}), "
            f"killed {len(KILLS)} times; {'each once' if right else f'WRONG: {counted} and not {self.sent}'}; "
            f"{len(self._events()):,} materializations; longest of {len(ticks)} ticks that ended {max(ticks):.1f} s "
            f"(budget {TIME_BUDGET_SECONDS:.0f} s); CPU seconds: {_cpu_of_children() - ticked:.0f} of the ticks, "
            f"{self._cpu_of_emulator() - served:.0f} of the emulator; load {os.getloadavg()[1]:.0f} on "
            f"{os.cpu_count()} cores"
        )
        for line in _ticks(log):
            self.console.print(f"  {line}")
        return right

    def _send_all(self) -> None:
        """All notifications, as fast as the sensor takes them."""
        now, queue, sqs = Hour.of(datetime.now(UTC)), deployment().raw_queue_url, boto3.client("sqs")

        def send(start: int) -> None:
            numbers = range(start, min(start + BATCH, self.total))
            entries = [{"Id": str(n), "MessageBody": _body(now + -(n % HOURS), n)} for n in numbers]
            answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)  # type: ignore[arg-type]  # the stubs want their own TypedDict
            if answer.get("Failed"):
                raise RuntimeError(f"SQS did not take {answer['Failed']}")

        with ThreadPoolExecutor(2) as pool:
            for first in range(0, self.total, SENT_AT_ONCE):
                while _messages(VISIBLE) > WAITING:
                    time.sleep(0.1)
                last = min(first + SENT_AT_ONCE, self.total)
                list(pool.map(send, range(first, last, BATCH)))
                self.sent.update(partition_key(now + -(n % HOURS)) for n in range(first, last))

    def _cpu_of_emulator(self) -> float:
        times = psutil.Process(self.emulator).cpu_times()
        return times.user + times.system

    def _events(self) -> Sequence[dg.EventLogRecord]:
        return self.instance.fetch_materializations(raw_telemetry.key, limit=10_000).records

    def _counted(self) -> Counter[str]:
        """Objects by partition, as the history has them."""
        found: Counter[str] = Counter()
        for record in self._events():
            event = record.asset_materialization
            if event is not None and event.partition is not None:
                found[event.partition] += int(str(event.metadata["objects"].value))
        return found


def _messages(*counts: "QueueAttributeNameType") -> int:
    """In the queue, by these attributes of it."""
    answer = boto3.client("sqs").get_queue_attributes(QueueUrl=deployment().raw_queue_url, AttributeNames=counts)
    return sum(int(answer["Attributes"][name]) for name in counts)


def _cpu_of_children() -> float:
    """Of those that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ticks(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if line.startswith(TICK)]


def _body(hour: Hour, number: int) -> str:
    key = f"{tables().raw_lines.prefix}{hour.path}telemetry-{number}.gz"
    record = {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key.replace("=", "%3D"), "size": 60_000}}}
    return json.dumps({"Records": [record]})


def _config(storage: str, platform: Platform) -> dict[str, object]:
    """Of an instance with a storage of its own."""
    config: dict[str, object] = {"telemetry": {"enabled": False}}
    if storage == "PostgreSQL":
        with psycopg.connect(platform.postgres.dsn("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE dagster")
        address = {"hostname": HOST, "port": platform.postgres.port, "db_name": "dagster"}
        login = {"username": SUPERUSER, "password": platform.postgres.password}
        config["storage"] = {"postgres": {"postgres_db": address | login}}
    return config


if __name__ == "__main__":
    main()
