"""The Lambda function on the stream: each batch's verdicts, device states and alerts, in one pass.

Bad data is no failure: it is counted by its reason, and the batch goes on. Only what may succeed later fails the
batch, at the first record of a device whose state could not be written; Lambda gives that record and all after it
again, and what had been written for other devices is skipped by its sequence number. What fails for good ends, whole,
in the bucket that is the mapping's failure destination.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge import telemetry, tracing
from iot_pipeline.edge.batch import Record, by_device, fold, records_of
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.environment import EdgeSettings, contract, edge_settings
from iot_pipeline.edge.notify import ask_to_notify
from iot_pipeline.edge.rules_source import RulesSource
from iot_pipeline.edge.state_store import StateConflictError, StateStore
from iot_pipeline.edge.stream_lag import record_progress, shard_of

_WRITERS = 16
# How often a state is read again when another writer was first: the sweep, or a batch that was given twice.
_ATTEMPTS = 5
# States that one warm function keeps. One of a shard sees the same devices again and again.
_CACHED = 20_000
# What botocore makes of itself for each request's agent, and the check of parameters that DynamoDB checks as well, are
# two fifths of what a put costs here beside the network; it is the handler's one cost that grows with its calls.
_LEAN: dict[str, Any] = {"parameter_validation": False, "user_agent": "iot-pipeline-edge"}
log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


class Handler:
    """Takes batches. Keeps the states it wrote: a version that has changed since shows when it writes the next."""

    def __init__(self, settings: EdgeSettings, dynamodb: Any, s3: Any, functions: Any, judge: Judge) -> None:
        self._settings, self._dynamodb, self._functions, self._judge = settings, dynamodb, functions, judge
        self._store = StateStore(dynamodb, settings.device_state_table, settings.alerts_table)
        self._rules = RulesSource(s3, settings.rules_bucket)
        self._states: dict[str, DeviceState] = {}
        self._writers = ThreadPoolExecutor(_WRITERS)

    def take(self, event: dict[str, Any]) -> dict[str, Any]:
        """Take one event of the mapping; its partial batch response. Raises botocore's errors."""
        began = time.perf_counter()
        with tracing.subsegment("verdict"):
            records = records_of(event, self._judge)
        groups = by_device(records)
        with tracing.subsegment("load rules and states"):
            rules = self._rules.current()
            states = self._load(groups)
        with tracing.subsegment("fold and write") as seen:
            results = list(
                self._writers.map(lambda device: self._device(states[device], groups[device], rules), groups)
            )
            told = [trace for outcome in results if isinstance(outcome, list) for trace in outcome]
            seen["traces_of_alerts"] = told
        failed, written = [], 0
        for device, outcome in zip(groups, results, strict=True):
            if isinstance(outcome, list):
                written += 1
            else:
                self._states.pop(device, None)
                first = groups[device][0]
                failed.append((first.position, first.identifier, device, outcome))
        if told:
            with tracing.subsegment("have people told"):
                ask_to_notify(self._functions, self._settings.notify_function)
        self._tell(records, rules, len(told), written, len(failed), time.perf_counter() - began)
        if not failed:
            self._progress(event["Records"][-1])
            return {"batchItemFailures": []}
        position, identifier, device, error = min(failed, key=lambda each: each[0])
        log.error("Device %s: %s; the batch is tried again from record %d on", device, error, position)
        return {"batchItemFailures": [{"itemIdentifier": identifier}]}

    def _load(self, groups: dict[str, list[Record]]) -> dict[str, DeviceState]:
        missing = [device for device in groups if device not in self._states]
        if len(self._states) + len(missing) > _CACHED:
            self._states.clear()
            missing = list(groups)
        if missing:
            self._states |= self._store.load(missing)
        return self._states

    def _device(self, state: DeviceState, records: Sequence[Record], rules: RuleSet) -> list[str] | Exception:
        """Fold and write; the traces of alerts that people are to be told of, or what may succeed later."""
        try:
            return self._written(state, records, rules)
        except (ClientError, BotoCoreError, StateConflictError) as error:
            return error

    def _written(
        self, state: DeviceState, records: Sequence[Record], rules: RuleSet, attempts: int = _ATTEMPTS
    ) -> list[str]:
        if records[-1].sequence <= state.sequence:
            return []
        changes = fold(state, records, rules)
        try:
            self._store.save(state, changes, int(time.time() * 1000))
        except StateConflictError as conflict:
            if attempts == 1:
                raise
            self._states[state.device] = conflict.current
            return self._written(conflict.current, records, rules, attempts - 1)
        return [str(change.trace) for change in changes if change.notes]

    def _progress(self, last: dict[str, Any]) -> None:
        shard, sequence = shard_of(last["eventID"]), last["kinesis"]["sequenceNumber"]
        record_progress(self._dynamodb, self._settings.alerts_table, shard, sequence, int(time.time() * 1000))

    def _tell(
        self, records: Sequence[Record], rules: RuleSet, notes: int, written: int, failed: int, seconds: float
    ) -> None:
        outcomes = Counter(str(reading.outcome) for record in records for reading in record.readings)
        valid = outcomes.pop("valid", 0)
        newest = max((record.readings[0].message.received_ms or 0 for record in records), default=0)
        metrics = {
            "messages": len(records),
            "valid": valid,
            "bad": sum(outcomes.values()),
            "devices": written,
            "failed_devices": failed,
            "alerts": notes,
            "duration_ms": round(seconds * 1000, 1),
            "lag_ms": max(0, int(time.time() * 1000) - newest) if newest else 0,
        }
        telemetry.emit(
            self._settings.metric_namespace, "edge", metrics, reasons=dict(outcomes), rules_version=rules.version
        )


@cache
def _handler() -> Handler:
    settings = edge_settings()
    config = Config(max_pool_connections=_WRITERS, retries={"max_attempts": 3, "mode": "standard"}, **_LEAN)
    dynamodb, s3 = boto3.client("dynamodb", config=config), boto3.client("s3", config=config)
    return Handler(settings, dynamodb, s3, boto3.client("lambda", config=config), Judge(contract()))


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """What AWS Lambda calls."""
    return _handler().take(event)
