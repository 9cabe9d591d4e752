"""`make bench-alerts`: from a device to its alert, hop by hop, on the local platform; and a sweep of 10,000 states.

200 devices publish 500 readings a second over mTLS with every fault on, once with the stream polled once a second and
once by enhanced fan-out. Followed are the alerts that one reading raises (the rule `range`), since those of rules that
need time would measure the rule; the others are held against the simulator's manifest.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import boto3
import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from infra.local.bench.sweep import print_sweep
from infra.local.demo import live_alerts
from infra.local.demo.latency import Latency
from infra.local.servers.checkout import CHECKOUT
from infra.local.session import fleet_commands
from infra.local.session.fleet_commands import FAULTS
from infra.local.session.leftovers import clear
from infra.local.session.platform import Platform, running
from infra.stacks.config import FAN_OUT_VARIABLE
from iot_pipeline import settings
from iot_pipeline.alerting.table import AlertsTable
from iot_pipeline.contract import Reason
from simulator.manifest import read_manifest

DEVICES, TENANTS, SITES, RATE, PACK = 200, 4, 5, 500, 5
# Seconds of p99 from a device to its alert in DynamoDB.
GOALS = {False: 2.0, True: 1.0}
PARTS = ("standard", "fan-out", "sweep")
LOOK_SECONDS = 0.5
# A platform that runs has warm functions; the cold starts of its first batches are in emulator.log.
WARM_UP_SECONDS = 10
_TRACE = re.compile(rb'"iot_trace":"([^"]+)"')
HOPS = (
    ("sent to acknowledged by the broker", "sent", "acked"),
    ("sent to the broker's time of arrival", "sent", "received"),
    ("arrival to Kinesis", "received", "kinesis"),
    ("Kinesis to the handler's start", "kinesis", "started"),
    ("handler's start to recorded in DynamoDB", "started", "recorded"),
    ("recorded to notification published", "recorded", "published"),
    ("device to alert in DynamoDB", "sent", "recorded"),
    ("device to notification", "sent", "published"),
)
Times = dict[str, float]


@dataclass
class Watch:
    """What is seen of the run beside it: when each record came onto the stream, by its trace."""

    stream: str
    arrivals: dict[str, tuple[float, str]] = field(default_factory=dict)

    def follow(self, until: threading.Event) -> None:
        """Read all shards from now on, until told to stop."""
        kinesis = boto3.client("kinesis")
        shards = [shard["ShardId"] for shard in kinesis.list_shards(StreamName=self.stream)["Shards"]]
        positions = {
            shard: kinesis.get_shard_iterator(StreamName=self.stream, ShardId=shard, ShardIteratorType="LATEST")[
                "ShardIterator"
            ]
            for shard in shards
        }
        last = False
        while not last:
            last = until.wait(LOOK_SECONDS)
            for shard, position in positions.items():
                answer = kinesis.get_records(ShardIterator=position)
                positions[shard] = answer["NextShardIterator"]
                for record in answer["Records"]:
                    found = _TRACE.search(record["Data"])
                    if found is not None:
                        at_ms = record["ApproximateArrivalTimestamp"].timestamp() * 1000
                        self.arrivals[found[1].decode()] = (at_ms, shard)


@contextmanager
def _watching(stream: str) -> Iterator[Watch]:
    watch, stop = Watch(stream), threading.Event()
    thread = threading.Thread(target=watch.follow, args=(stop,))
    thread.start()
    try:
        yield watch
    finally:
        stop.set()
        thread.join()


def _inbox() -> str:
    """A queue that listens to both topics; its URL."""
    sqs, sns, where = boto3.client("sqs"), boto3.client("sns"), settings.edge()
    url = sqs.create_queue(QueueName="bench-alerts")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [allow | {"Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    for topic in (where.topic_warning, where.topic_critical):
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return str(url)


def _published(url: str) -> dict[str, float]:
    """When people were told that an episode opened, by its id."""
    sqs, found = boto3.client("sqs"), dict[str, float]()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"]).get(
        "Messages"
    ):
        for message in messages:
            data = json.loads(json.loads(message["Body"])["Message"])
            at_ms = float(message["Attributes"]["SentTimestamp"])
            if data["what"] == "opened":
                for each in data["episodes"]:
                    found[each["id"]] = min(at_ms, found.get(each["id"], at_ms))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def _starts() -> list[tuple[float, float]]:
    """Each call of the handler, from and until, by its own log."""
    logs, name = boto3.client("logs"), settings.edge().edge_function
    configured = boto3.client("lambda").get_function_configuration(FunctionName=name)
    group = configured.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
    found = []
    for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]:
        token: dict[str, str] = {}
        while True:
            page = logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True, **token
            )
            for event in page["events"]:
                if '"duration_ms"' in event["message"] and '"function":"edge"' in event["message"]:
                    document = json.loads(event["message"])
                    until = float(document["_aws"]["Timestamp"])
                    found.append((until - document["duration_ms"], until))
            if not page["events"] or token.get("nextToken") == page["nextForwardToken"]:
                break
            token = {"nextToken": page["nextForwardToken"]}
    return sorted(found)


def _times(
    episodes: Sequence[Mapping[str, Any]], manifest: pd.DataFrame, watch: Watch, published: Mapping[str, float]
) -> list[Times]:
    """Of each alert that one reading raised, when it was where, epoch milliseconds; NaN where that was not seen."""
    wrong = manifest[manifest["outcome"] == Reason.OUT_OF_RANGE.value]
    ends = [wrong[name].astype("int64") for name in ("ts_ms", "sent_at", "acked_at")]
    sent = {
        (str(device), int(at_ms)): (float(sent_ms), float(acked_ms))
        for device, at_ms, sent_ms, acked_ms in zip(wrong["device_id"], *ends, strict=True)
    }
    calls = _starts()
    found = []
    for each in episodes:
        times = sent.get((each["device"], int(each["seen_ms"])))
        if each["rule"] != "range" or times is None:
            continue
        kinesis, _shard = watch.arrivals.get(each["trace"], (float("nan"), ""))
        recorded = float(each["recorded_ms"])
        # Shards are handled side by side: of the calls that lasted then, the one that began last after the arrival.
        starts = [begin for begin, until in calls if begin - 2 <= recorded <= until + 50]
        found.append(
            {
                "sent": times[0],
                "acked": times[1],
                "received": float(each["arrival_ms"]),
                "kinesis": kinesis,
                "started": max(starts, default=float("nan")),
                "recorded": recorded,
                "published": published.get(each["id"], float("nan")),
            }
        )
    return found


def _run(platform: Platform, seconds: int, console: Console, *, fan_out: bool) -> bool:
    folder = platform.state_dir / "fleet"
    fleet_commands.onboard(folder, DEVICES, TENANTS, SITES)
    limits = live_alerts.set_rules(DEVICES, RATE, PACK)
    live = ["--rate", str(RATE), "--pack", str(PACK), *FAULTS, "--fault", "stuck=0.05"]
    fleet_commands.publish(platform, folder, *live, "--duration", f"{WARM_UP_SECONDS}s")
    live_alerts.wait_for_edge()
    inbox = _inbox()
    since = datetime.now(UTC)
    live += ["--duration", f"{seconds}s"]
    with _watching(settings.edge().stream) as watch:
        fleet_commands.publish(platform, folder, *live)
        live_alerts.wait_for_edge()
    while list(AlertsTable(boto3.client("dynamodb"), settings.edge().alerts_table).pending()):
        time.sleep(0.5)
    figures = live_alerts.figures(folder / "out", since, limits)
    since_ms = since.timestamp() * 1000
    episodes = [
        each
        for each in AlertsTable(boto3.client("dynamodb"), settings.edge().alerts_table).everything()
        if "rule" in each and "trace" in each and each["recorded_ms"] >= since_ms
    ]
    times = _times(episodes, read_manifest(folder / "out"), watch, _published(inbox))
    how = "enhanced fan-out" if fan_out else "standard iterator, a poll a second"
    load = os.getloadavg()[1]
    title = f"{how}: {DEVICES} devices, {RATE} readings/s for {seconds} s, load average {load:.1f} on {os.cpu_count()}"
    table = Table("hop", "p50, s", "p99, s", "alerts", title=title, title_justify="left")
    for name, begin, end in HOPS:
        spent = [each[end] - each[begin] for each in times]
        of = Latency.of_ms(each for each in spent if each == each)
        table.add_row(name, f"{of.p50:.3f}", f"{of.p99:.3f}", f"{of.count:,}")
    console.print(table)
    whole = Latency.of_ms(each["recorded"] - each["sent"] for each in times)
    verdict = Table("fault injected", "rule", "injected", "found", "alerts without a cause", title_justify="left")
    for one in figures.verdicts:
        verdict.add_row(one.fault, one.rule, str(one.injected), str(one.found), str(one.unfounded))
    console.print(verdict)
    for one in figures.verdicts:
        for difference in one.differences:
            console.print(difference, soft_wrap=True)
    met = whole.p99 <= GOALS[fan_out]
    console.print(
        f"device to alert p99 {whole.p99:.2f} s, goal {GOALS[fan_out]:.0f} s: {'met' if met else 'missed'}; "
        f"{figures.opened} alerts opened, {figures.resolved} resolved, dead letters: {figures.dead_letters or 'none'}",
        soft_wrap=True,
    )
    return met and figures.is_right and bool(times)


def main(
    seconds: Annotated[int, typer.Option(min=10, help="How long the fleet publishes.")] = 300,
    only: Annotated[str, typer.Option(help="standard, fan-out, sweep, or all of them.")] = "all",
    state: Annotated[Path, typer.Option("--state", help="Folder for everything it writes.")] = CHECKOUT
    / ".local/bench-alerts",
) -> None:
    """Measure latency from device to alert, both ways, and the sweep. Exit code 1 if a goal is missed."""
    console = Console(highlight=False, width=140)
    if only == "all":
        # Each in a process of its own, since a process reads the environment once.
        options = ["--seconds", str(seconds), "--state", str(state)]
        command = [sys.executable, "-m", "infra.local.bench.alert_latency", *options]
        codes = [subprocess.run([*command, "--only", part], check=False).returncode for part in PARTS]
        raise typer.Exit(max(codes))
    if only == "sweep":
        raise typer.Exit(0 if print_sweep(console) else 1)
    if only not in PARTS:
        raise typer.BadParameter(f"{only!r}: expected {', '.join(PARTS)} or all", param_hint="--only")
    os.environ[FAN_OUT_VARIABLE] = "true" if only == "fan-out" else ""
    clear(state)
    with running(state, CHECKOUT / ".local", console) as platform:
        right = _run(platform, seconds, console, fan_out=only == "fan-out")
    raise typer.Exit(0 if right else 1)


if __name__ == "__main__":
    typer.run(main)
