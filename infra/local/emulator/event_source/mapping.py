"""Kinesis event source mappings: window, bisecting, retries, partial batches, failure destination, durable
checkpoint.

AWS Lambda developer guide: "How Lambda processes records from stream and queue-based event sources", "Lambda
parameters for Amazon Kinesis Data Streams event source mappings". One thread reads one shard of one mapping, so a
shard's records are processed in order. ParallelizationFactor is not honoured (a shard has one batch in flight) and
AT_TIMESTAMP is refused. When a reader sees a record: `polling.py`.
Stock ministack echoes the window, bisecting, partial batches and the failure destination, and does none of them.
"""

import base64
import json
import logging
import threading
import time
from collections import deque
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.responses import error_response_json, json_response, request_scope
from ministack.services import kinesis, lambda_svc

from infra.local.emulator import kinesis as local_kinesis
from infra.local.emulator.authorisation.denials import AccessDeniedError
from infra.local.emulator.event_source import batch, measures
from infra.local.emulator.event_source import mapping_permissions as permissions
from infra.local.emulator.event_source.checkpoints import Checkpoints
from infra.local.emulator.event_source.failure import send_failure
from infra.local.emulator.event_source.polling import polling_of, stream_arn_of
from infra.local.emulator.settings import EmulatorSettings
from infra.local.emulator.streams import shards
from infra.local.emulator.streams.record_log import RecordLog, record_bytes, records_lock
from infra.local.emulator.streams.stored_records import records_of

ERROR_SECONDS = 1.0
# Before each batch the role is asked whether it may read; while there is none, as often as Lambda polls.
IDLE_SECONDS = 1.0
BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
log = logging.getLogger("local_aws.event_source")


class ShardReader(threading.Thread):
    """Reads one shard for one mapping for as long as both exist."""

    def __init__(self, account_id: str, region: str, mapping: Any, shard_id: str) -> None:
        super().__init__(name=f"event-source-{mapping['UUID'][:8]}-{shard_id}", daemon=True)
        self.scope = (account_id, region)
        self.mapping_id: str = mapping["UUID"]
        self.source_arn: str = mapping["EventSourceArn"]
        self.stream_arn = stream_arn_of(self.source_arn)
        self.stream_name = parse_arn(self.stream_arn).resource.split("/", 1)[1]
        self.polling = polling_of(self.source_arn, _poll_interval)
        self.shard_id = shard_id
        self.position = _checkpoints.load(self.mapping_id).get(shard_id, "")
        self.work: deque[batch.Work] = deque()
        self.attempt = 0
        self.ask_again = 0.0
        self.ended = False

    @property
    def mapping(self) -> Any:
        """The mapping as it is now; None once it is deleted."""
        return lambda_svc._esms.get_scoped(*self.scope, self.mapping_id)

    def run(self) -> None:
        """Process batches until the mapping or the shard is gone, or a closed shard is read to its end."""
        with request_scope(*self.scope):
            while self.mapping is not None and self._shard() is not None and not self.ended:
                try:
                    progressed = self._step()
                except Exception:
                    log.exception("Event source mapping %s, %s", self.mapping_id, self.shard_id)
                    self.work.clear()  # what is not checkpointed is read again
                    time.sleep(ERROR_SECONDS)
                    continue
                if not progressed:
                    time.sleep(self.polling.look_seconds)
        if not self.ended:
            _readers.pop((self.mapping_id, self.shard_id), None)

    def _stream(self) -> Any:
        stream = kinesis._streams.get(self.stream_name)
        return stream if stream and stream["StreamARN"] == self.stream_arn else None

    def _shards(self) -> dict[str, Any]:
        stream = self._stream()
        return stream["shards"] if stream else {}

    def _shard(self) -> Any:
        return self._shards().get(self.shard_id)

    def _records(self) -> RecordLog:
        return records_of(self._stream(), self.shard_id)

    def _has_ended(self, shard: Any) -> bool:
        """Whether a closed shard holds nothing that was not done with."""
        if shards.is_open(shard):
            return False
        records = self._records()
        return records.after(self.position) == len(records)

    def _parents_are_read(self) -> bool:
        """Lambda developer guide, "Process Amazon Kinesis Data Streams records with Lambda": a shard's records come in
        order, and those of a key that moved to a child come after the parent's.
        """
        there = self._shards()
        for parent_id in shards.parents(there.get(self.shard_id) or {}):
            reader = _readers.get((self.mapping_id, parent_id))
            if parent_id in there and (reader is None or not reader.ended):
                return False
        return True

    def _step(self) -> bool:
        mapping = self.mapping
        if mapping is None or not mapping.get("Enabled", True):
            return False
        function, _config = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
        if function is None:
            return False
        if not self.work:
            if not self._parents_are_read():
                return False
            if records := self._next_records(mapping):
                self.work.append(batch.Work(records))
        if (self.work or time.monotonic() >= self.ask_again) and not self._may_read(mapping):
            return False
        if not self.work:
            shard = self._shard()
            self.ended = shard is not None and self._has_ended(shard)
            return self.ended
        self._process(self.work.popleft(), mapping, function)
        return True

    def _may_read(self, mapping: Any) -> bool:
        try:
            permissions.check_source(_role_of(mapping["FunctionName"]), mapping)
        except AccessDeniedError as error:
            mapping["LastProcessingResult"] = f"PROBLEM: {error}"
            time.sleep(ERROR_SECONDS)
            return False
        self.ask_again = time.monotonic() + IDLE_SECONDS
        return True

    def _next_records(self, mapping: Any) -> list[Any]:
        size = int(mapping.get("BatchSize") or 100)
        window = float(mapping.get("MaximumBatchingWindowInSeconds") or 0)
        records = self._records()
        with records_lock:
            start = records.after(self.position)
            seen = self.polling.visible(records, start)
            found = batch.fitting(records.between(start, min(seen, start + size)))
        if found and len(found) < size and time.time() - found[0]["ApproximateArrivalTimestamp"] < window:
            return []
        return found

    def _process(self, work: batch.Work, mapping: Any, function: Any) -> None:
        policy = batch.Policy.of(mapping)
        too_old = batch.expired(work, policy, time.time())
        if too_old:
            self._discard(batch.Work(work.records[:too_old], work.invocations), batch.TOO_OLD, mapping)
            work = batch.Work(work.records[too_old:], work.invocations)
            if not work.records:
                return
        events = [self._event(record, mapping) for record in work.records]
        events = lambda_svc._apply_filter_criteria(events, mapping)
        measures.iterator_age(mapping, work.records[-1])
        response = lambda_svc._execute_function(function, {"Records": events}) if events else {}
        failed = batch.failed_at(work, response, policy)
        outcome = batch.decide(work, failed, policy, counts=not response.get("throttle"))
        self._settle(work, outcome, response, mapping)

    def _settle(self, work: batch.Work, outcome: batch.Outcome, response: Any, mapping: Any) -> None:
        if outcome.done:
            self._advance(work.records[outcome.done - 1])
        self.work.extendleft(reversed(outcome.retry))
        if outcome.discarded:
            self._discard(outcome.discarded, outcome.condition, mapping, error=response.get("error"))
        if outcome.done == len(work.records):
            self.attempt = 0
            mapping["LastProcessingResult"] = "OK"
            return
        mapping["LastProcessingResult"] = "PROBLEM: Function call failed"
        log.warning("Event source mapping %s, %s: %s", self.mapping_id, self.shard_id, response.get("body"))
        if outcome.retry:
            time.sleep(BACKOFF_SECONDS[min(self.attempt, len(BACKOFF_SECONDS) - 1)])
            self.attempt = 0 if outcome.done or len(outcome.retry) > 1 else self.attempt + 1

    def _discard(self, work: batch.Work, condition: str, mapping: Any, *, error: Any = None) -> None:
        event = {"Records": [self._event(record, mapping) for record in work.records]}
        delivered = send_failure(mapping, self.shard_id, work, condition, event, function_error=bool(error))
        measures.given_up(mapping, len(work.records), delivered=delivered)
        self._advance(work.records[-1])
        self.attempt = 0

    def _advance(self, record: Any) -> None:
        self.position = record["SequenceNumber"]
        _checkpoints.save(self.mapping_id, {self.shard_id: self.position})

    def _event(self, record: Any, mapping: Any) -> dict[str, Any]:
        return {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record["PartitionKey"],
                "sequenceNumber": record["SequenceNumber"],
                "data": base64.b64encode(record_bytes(record)).decode(),
                "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{self.shard_id}:{record['SequenceNumber']}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": _role_of(mapping["FunctionName"]),
            "awsRegion": self.scope[1],
            "eventSourceARN": self.source_arn,
        }


def _role_of(function_name: str) -> str:
    return str((lambda_svc._functions.get(function_name) or {}).get("config", {}).get("Role", ""))


_checkpoints: Checkpoints
_poll_interval: float
_readers: dict[tuple[str, str], ShardReader] = {}
_stock_create = lambda_svc._create_esm
_stock_update = lambda_svc._update_esm
_stock_init = lambda_svc._init_stream_position
_stock_release = lambda_svc._release_esm_poll_state


def install(settings: EmulatorSettings) -> None:
    """Replace the Kinesis poller."""
    global _checkpoints, _poll_interval  # noqa: PLW0603  ministack calls module functions; one of these a process
    _checkpoints = Checkpoints(settings.checkpoint_dir)
    _poll_interval = settings.kinesis_poll_seconds
    lambda_svc._poll_kinesis = _start_readers
    lambda_svc._create_esm = _create_mapping
    lambda_svc._update_esm = _update_mapping
    lambda_svc._kinesis_stream_name_from_arn_spec = _stream_name
    lambda_svc._init_stream_position = _init_position
    lambda_svc._release_esm_poll_state = _release
    local_kinesis.consumed_up_to = _consumed_up_to


def _create_mapping(data: Any) -> Any:
    if ":kinesis:" in data.get("EventSourceArn", ""):
        if data.get("StartingPosition") not in ("LATEST", "TRIM_HORIZON"):
            text = "The local AWS starts a Kinesis mapping at LATEST or TRIM_HORIZON only."
            return error_response_json("InvalidParameterValueException", text, 400)
        data.setdefault("BatchSize", 100)
    response = _stock_create(data)
    if response[0] < 400 and "MetricsConfig" in data:
        response = _with_metrics(json.loads(response[2])["UUID"], data["MetricsConfig"])
    lambda_svc._esm_wake.set()
    return response


def _update_mapping(mapping_id: str, data: Any) -> Any:
    response = _stock_update(mapping_id, data)
    if response[0] < 400 and "MetricsConfig" in data:
        response = _with_metrics(mapping_id, data["MetricsConfig"])
    return response


def _with_metrics(mapping_id: str, wanted: Any) -> Any:
    """Keep what stock ministack drops; the answer with it."""
    mapping = lambda_svc._esms[mapping_id]
    mapping["MetricsConfig"] = wanted
    return json_response(lambda_svc._esm_response(mapping))


def _stream_name(spec: Any) -> str | None:
    """The stream's name of an ARN of a stream or of one of its consumers, which stock ministack refuses as a source."""
    parts = spec.resource.split("/")
    is_stream = spec.service == "kinesis" and parts[0] == "stream" and len(parts) in (2, 4)
    return parts[1] or None if is_stream and (len(parts) == 2 or parts[2] == "consumer") else None


def _init_position(mapping_id: str, source_arn: str, starting: str) -> None:
    """LATEST means after what is there when the mapping is created; a shard that appears later is read from its
    start.
    """
    stream = kinesis._streams.get(stream_arn_of(source_arn).rpartition("/")[2]) if ":kinesis:" in source_arn else None
    if stream is None:
        _stock_init(mapping_id, source_arn, starting)
    elif starting == "LATEST":
        _checkpoints.save(mapping_id, {shard_id: records_of(stream, shard_id).last for shard_id in stream["shards"]})


def _release(mapping_id: str) -> None:
    _stock_release(mapping_id)
    _checkpoints.remove(mapping_id)
    for key in [key for key, reader in _readers.items() if key[0] == mapping_id and reader.ended]:
        _readers.pop(key, None)


def _start_readers() -> bool:
    for account_id, region, mapping in lambda_svc._iter_all_esms():
        source = stream_arn_of(mapping.get("EventSourceArn", ""))
        if ":kinesis:" not in source:
            continue
        stream = kinesis._streams.get_scoped(account_id, region, source.rsplit("/", 1)[-1])
        for shard_id in list(stream["shards"]) if stream else ():
            key = (mapping["UUID"], shard_id)
            if key not in _readers:
                _readers[key] = ShardReader(account_id, region, mapping, shard_id)
                _readers[key].start()
    return False


def _consumed_up_to(stream_arn: str, shard_id: str) -> str | None:
    """The lowest position of the mappings that read a shard; None when none does."""
    positions = [
        reader.position
        for reader in list(_readers.values())
        if reader.stream_arn == stream_arn and reader.shard_id == shard_id and not reader.ended
    ]
    return min(positions) if positions else None
