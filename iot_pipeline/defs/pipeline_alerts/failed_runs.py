"""Failed runs, by their cause: an outage of one service is one alert, whatever it kept from being built.

A failure counts when it is final: a run that Dagster will retry is none. What failed is remembered as targets, a job or
an asset's partition, until it has been built by whatever run.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from iot_pipeline.alerting.episodes import About
from iot_pipeline.alerting.lifecycle import AlertKey, Observation
from iot_pipeline.defs.dagster_internals import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    WILL_RETRY_TAG,
    AssetGraph,
    InstigatorTick,
)
from iot_pipeline.defs.pipeline_alerts.asset_health import delays
from iot_pipeline.defs.pipeline_alerts.kinds import FAILED_RUN
from iot_pipeline.defs.pipeline_alerts.links import run_link
from iot_pipeline.defs.pipeline_alerts.seen import Seen, by_age, clear

# What is followed, so that an item of DynamoDB (400 KB) holds it with room. Of what is beyond, the count is told.
MAX_TARGETS, MAX_CAUSES, MAX_WORDS = 100, 20, 300
# What makes the same error look different each time: quoted texts, and whatever has a digit in it.
_VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|\S*\d\S*")
# An error of AWS as botocore words it. One outage, missing permission or wrong name meets many operations, and each
# words it in its own way: their code is the cause. Codes that blame the request itself tell no cause apart.
_OF_AWS = re.compile(r"An error occurred \((\w+)\) when calling the \w+ operation")
_OF_THE_REQUEST = frozenset({"ValidationException", "InvalidRequestException", "InvalidInputException", "400"})
# Glue, and Athena that asks Glue, of the same table or database that is not there.
_ABSENT = re.compile(r"\b(?:EntityNotFoundException|TABLE_NOT_FOUND|SCHEMA_NOT_FOUND)\b")
_PARTITION_TAG = "dagster/partition"
# A fold of the failures by cause, as JSON holds it: see `Cause`.
Notes = dict[str, Any]


@dataclass(frozen=True)
class Cause:
    """The first error of a run: its class and message, and a name that is the same for the same error."""

    words: str

    @property
    def name(self) -> str:
        """A short name by which failures of one cause are gathered."""
        return hashlib.sha256(_constant(self.words).encode()).hexdigest()[:12]

    @classmethod
    def of(cls, text: str) -> "Cause":
        """The cause that an error's text names: its first line, if that is not endless."""
        first = next((line for line in text.strip().splitlines() if line), "it does not say why")
        return cls(first[:MAX_WORDS])

    @classmethod
    def of_error(cls, class_name: str | None, message: str) -> "Cause":
        """The cause that an error names by its class and its message."""
        text = message.strip()
        return cls.of(text if (class_name or "") in text.partition("\n")[0] else f"{class_name}: {text}")

    @classmethod
    def of_tick(cls, tick: InstigatorTick) -> "Cause":
        """The cause of a tick that failed: the innermost of its error."""
        error = tick.error
        while error is not None and error.cause is not None:
            error = error.cause
        return cls.of("") if error is None else cls.of_error(error.cls_name, error.message)


def _constant(words: str) -> str:
    """What of an error's words is the same whenever it comes."""
    if _ABSENT.search(words):
        return "not in the catalog"
    of_aws = _OF_AWS.search(words)
    return of_aws[1] if of_aws and of_aws[1] not in _OF_THE_REQUEST else _VARIES.sub("*", words)


def cause_of(instance: dg.DagsterInstance, run: dg.DagsterRun, message: str | None) -> Cause:
    """The first step that failed says why, and of its error the innermost; else the run's own message."""
    failures = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE, limit=1).records
    for record in failures:
        event = record.event_log_entry.dagster_event
        error = event.step_failure_data.error if event is not None else None
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            return Cause.of_error(error.cls_name, error.message)
    return Cause.of(message or "")


def note(notes: Notes, instance: dg.DagsterInstance, run: dg.DagsterRun, message: str | None, at_ms: int) -> None:
    """Add a failed run to the failures by cause, unless Dagster will retry it."""
    if run.tags.get(WILL_RETRY_TAG) == "true":
        return
    cause = cause_of(instance, run, message)
    if cause.name not in notes and len(notes) >= MAX_CAUSES:
        cause = Cause("runs fail for more causes than are told apart")
    begun = {"words": cause.words, "since_ms": at_ms, "runs": 0, "more": 0, "first_run": run.run_id, "targets": {}}
    known = notes.setdefault(cause.name, begun)
    known["runs"] += 1
    record = instance.get_run_record_by_id(run.run_id)
    since = record.start_time if record is not None and record.start_time else at_ms / 1000
    for target in _targets(instance, run):
        if target in known["targets"] or len(known["targets"]) < MAX_TARGETS:
            known["targets"][target] = since
        else:
            known["more"] += 1


def _targets(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[str]:
    """What a run should have built: `asset KEY PARTITION` for what it planned, of a range its ends; else `job NAME`."""
    planned = instance.get_records_for_run(
        run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, limit=MAX_TARGETS
    ).records
    events = [record.event_log_entry.dagster_event for record in planned]
    keys = {event.asset_key for event in events if event is not None and event.asset_key is not None}
    if not keys:
        yield f"job {run.job_name}"
        return
    tags = run.tags
    ends = [tags[tag] for tag in (ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG) if tag in tags]
    partitions = [tags[_PARTITION_TAG]] if _PARTITION_TAG in tags else ends or [""]
    for key in sorted(keys):
        for partition in partitions:
            yield f"asset {key.to_user_string()} {partition}".rstrip()


def seen_now(
    notes: Notes,
    still_open: Sequence[str],
    instance: dg.DagsterInstance,
    graph: AssetGraph | None,
    now_ms: int,
    ticks: Mapping[str, Sequence[AlertKey]],
) -> Iterator[Seen]:
    """How each cause stands: its targets that have been built since are forgotten, and with the last of them it ends.

    `still_open` are the subjects whose alerts are open, `ticks` by the name of a cause the alerts of ticks that fail
    for it: one of them that was opened before speaks for the runs.
    """
    for name, known in list(notes.items()):
        targets: dict[str, float] = known["targets"]
        for target in [each for each, since in targets.items() if _is_built(instance, each, since)]:
            del targets[target]
        if not targets:
            del notes[name]
            continue
        since_ms = int(known["since_ms"])
        seen = Observation(now_ms, by_age(since_ms, now_ms), started_ms=since_ms)
        about = About(known["words"], _text(known, graph))
        yield Seen(FAILED_RUN, key_of(name).subject, seen, about, causes=ticks.get(name, ()))

    for subject in set(still_open) - {key_of(name).subject for name in notes}:
        yield clear(FAILED_RUN, subject, now_ms)


def of_assets(notes: Notes) -> dict[str, list[AlertKey]]:
    """Of each asset that failed runs should have built, by its name, their alerts."""
    found: dict[str, list[AlertKey]] = {}
    for cause, known in notes.items():
        for name in {each.split(" ")[1] for each in known["targets"] if each.startswith("asset ")}:
            found.setdefault(name, []).append(key_of(cause))
    return found


def key_of(cause: str) -> AlertKey:
    """The alert of the runs that failed for a cause, by its name."""
    return AlertKey(f"runs/{cause}", FAILED_RUN.name)


def _text(known: Mapping[str, Any], graph: AssetGraph | None) -> str:
    targets = list(known["targets"])
    lines = [f"{known['runs']} runs failed, the first {known['first_run']}", f"not built yet: {len(targets)}"]
    lines += [f"- {each}" for each in targets[:10]]
    if known["more"]:
        lines.append(f"{known['more']} more failed of this cause and are not followed: see the asset's partitions")
    assets = {each.split(" ")[1] for each in targets if each.startswith("asset ")}
    lines += [f"{name} {delays(dg.AssetKey.from_user_string(name), graph)}" for name in sorted(assets)[:3]]
    return "\n".join(lines) + run_link(known["first_run"])


def _is_built(instance: dg.DagsterInstance, target: str, since: float) -> bool:
    kind, name, *rest = target.split(" ", 2)
    if kind == "job":
        after = dg.RunsFilter(
            job_name=name, statuses=[dg.DagsterRunStatus.SUCCESS], created_after=datetime.fromtimestamp(since, UTC)
        )
        return instance.get_runs_count(after) > 0
    wanted = dg.AssetRecordsFilter(
        dg.AssetKey.from_user_string(name), after_timestamp=since, asset_partitions=rest or None
    )
    return bool(instance.fetch_materializations(wanted, limit=1).records)
