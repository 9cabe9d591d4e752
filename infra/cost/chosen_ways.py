"""The ways in and through that an environment chooses: producers, the streaming job, crawls on arrival.

Each is nothing where it is not chosen; the counts of the templates leave them out. Vendors' APIs: infra/cost/pulls.py.
"""

import math
from collections.abc import Iterator

from infra.cost.design import Design
from infra.cost.fleet import HOURS_A_MONTH, MINUTES_A_MONTH, SECONDS_A_MONTH, Fleet
from infra.cost.intake import FREE_RETENTION_HOURS, raw_objects, written_gigabytes
from infra.cost.metering import CRAWL_SECONDS, CRAWLER_DPUS, put_units
from infra.cost.usage import Usage
from infra.cost.volumes import line_bytes, over_kinds
from infra.stacks.config import PlatformConfig

# Assumed: the producers together send a tenth of the fleet's messages, a record each, as far as their shards take them.
_PRODUCERS_SHARE = 0.1
# Kinesis guide, "Quotas and limits": records a second that a shard takes.
_SHARD_RECORDS = 1_000
# infra/stacks/producers/stack.py; a call's time is assumed, as the edge's is.
_INTAKE_GB, _INTAKE_SECONDS = 1.0, 0.02
# infra/stacks/producers/alarms.py, and of iot_pipeline/intake/handler.py a metric each and its duration.
_INTAKE_ALARMS, _ALARMS_A_PRODUCER, _INTAKE_METRICS = 5, 3, 5
# Glue guide, "Worker types": a G.025X is a quarter of a DPU. Glue takes no job of fewer than two workers; with auto
# scaling more of them run while more are busy, which is left out.
STREAMING_DPUS = 2 * 0.25
# infra/stacks/streaming/stack.py, with the alarm on runs that could not be told; of glue_job.py the metrics.
_STREAMING_ALARMS, _STREAMING_METRICS = 4, 5
# Of a micro-batch: its rows, and what Spark notes of it (offsets, commit, the source's own), each an object; two calls
# of Glue register it.
_OBJECTS_A_BATCH, _CATALOG_CALLS_A_BATCH = 4, 2
# infra/stacks/queries/crawl_starter.py: a call a minute while arrivals wait, of this length (assumed).
_STARTER_GB, _STARTER_SECONDS, _STARTER_ALARMS = 0.25, 0.5, 3


def chosen_ways(fleet: Fleet, config: PlatformConfig, design: Design) -> Iterator[Usage]:
    """All that the environment has chosen. Without a stream there are neither producers nor a streaming job."""
    if design.stream:
        yield from _producers(fleet, config)
        yield from _streaming(fleet, config)
    yield from _crawls(fleet, config, design)


def _producers(fleet: Fleet, config: PlatformConfig) -> Iterator[Usage]:
    shards = sum(each.shards for each in config.producers)
    if not shards:
        return
    share = f"{_PRODUCERS_SHARE:.0%} of the fleet's messages, assumed"
    records = min(fleet.messages * _PRODUCERS_SHARE, shards * _SHARD_RECORDS * SECONDS_A_MONTH)
    # Each shard is polled once a second, and a poll that finds something is a call.
    calls = shards * SECONDS_A_MONTH * (1 - math.exp(-records / (shards * SECONDS_A_MONTH)))
    what = "backends that put records"
    yield Usage("kinesis-shard", shards * HOURS_A_MONTH, what)
    if config.stream_retention_hours > FREE_RETENTION_HOURS:
        yield Usage("kinesis-shard-retention", shards * HOURS_A_MONTH, f"kept {config.stream_retention_hours} hours")
    units = over_kinds(fleet.pack, lambda payload: put_units(line_bytes(payload)))
    yield Usage("kinesis-put-unit", records * units, what, share)
    yield Usage("lambda-request", calls, "the intake", share)
    yield Usage("lambda-compute", calls * _INTAKE_SECONDS * _INTAKE_GB, "the intake", "0.02 s a call, assumed")
    yield Usage("alarm", _INTAKE_ALARMS + _ALARMS_A_PRODUCER * len(config.producers), "the intake")
    yield Usage("metric", _INTAKE_METRICS, "the intake")


def _streaming(fleet: Fleet, config: PlatformConfig) -> Iterator[Usage]:
    if not config.streaming_window_seconds:
        return
    batches = SECONDS_A_MONTH / config.streaming_window_seconds
    what = "the streaming job"
    yield Usage("glue-job", STREAMING_DPUS * HOURS_A_MONTH, what, "two workers of a quarter DPU, always")
    yield Usage("kinesis-out", written_gigabytes(fleet), what, "it reads the stream once more")
    yield Usage("s3-put", batches * _OBJECTS_A_BATCH, what, f"{_OBJECTS_A_BATCH} objects a micro-batch, assumed")
    yield Usage("glue-request", batches * _CATALOG_CALLS_A_BATCH, what)
    yield Usage("metric-request", batches, what, "a call a micro-batch")
    yield Usage("alarm", _STREAMING_ALARMS, what)
    yield Usage("metric", _STREAMING_METRICS, what)


def _crawls(fleet: Fleet, config: PlatformConfig, design: Design) -> Iterator[Usage]:
    if not config.crawl_on_events_minutes:
        return
    objects = raw_objects(fleet, config, design)
    pauses = MINUTES_A_MONTH / config.crawl_on_events_minutes
    # A pause in which nothing arrived ends without a crawl.
    crawls = pauses * (1 - math.exp(-objects / pauses))
    hours = crawls * CRAWLER_DPUS * CRAWL_SECONDS / 3600
    basis = f"at most one in {config.crawl_on_events_minutes:g} minutes, of two DPUs (assumed), at least ten minutes"
    yield Usage("glue-crawler", hours, "crawls on arrival", basis)
    calls = MINUTES_A_MONTH
    yield Usage("lambda-request", calls, "the crawl starter", "a call a minute, assumed")
    yield Usage("lambda-compute", calls * _STARTER_SECONDS * _STARTER_GB, "the crawl starter", "0.5 s a call, assumed")
    # An event comes, is received and deleted; in each minute a wakeup comes, is received and deleted.
    yield Usage("sqs-request", objects + 5 * calls, "arrivals for the crawl starter")
    yield Usage("alarm", _STARTER_ALARMS, "the crawl starter")
