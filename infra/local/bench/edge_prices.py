"""What the edge costs a day: units by the sizes of real items, and list prices with their sources."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.stacks.config import PlatformConfig

_FIELD_NOTES = "DynamoDB pricing page since 2024-11, us-east-1 (field notes)"
MINUTES = 1440
# What is assumed rather than measured. An on-demand stream begins with four shards (Kinesis guide, "Choose the data
# stream capacity mode"), and each is polled once a second.
SHARDS = 4
HANDLER_SECONDS, NOTIFY_SECONDS, SWEEP_SECONDS = 0.1, 0.2, 10.0
# A reading of six metrics with the rule's fields is about 450 bytes; Kinesis bills each record by the begun kilobyte.
RECORD_BYTES = 1024


@dataclass(frozen=True)
class Price:
    """US dollars for a unit, and where that was found."""

    dollars: float
    unit: str
    source: str

    @property
    def each(self) -> float:
        """Dollars for one."""
        return self.dollars / (1_000_000 if self.unit.startswith("million") else 1)


WRITE = Price(0.625, "million write units of 1 KB", _FIELD_NOTES)
READ = Price(0.125, "million read units of 4 KB", _FIELD_NOTES)
REQUEST = Price(0.20, "million requests", "lambda_local_runner, lambda-13-cost.md (not AWS's own page), arm64")
COMPUTE = Price(0.0000133334, "GB-second", "cloudchipr.com/blog/aws-lambda-pricing 2024, us-east-1, arm64")
STREAM = Price(0.04, "stream-hour", "infracost's data, on demand (field notes)")
INGEST = Price(0.08, "GB in", "infracost's data, on demand (field notes)")
RETRIEVAL = Price(0.04, "GB out", "from memory, unverified (docs/architecture.md)")


@dataclass(frozen=True)
class Line:
    """One line of the bill."""

    what: str
    units: float
    price: Price

    @property
    def dollars(self) -> float:
        """What it costs a day."""
        return self.units * self.price.each


def a_day(devices: int, item_bytes: int) -> Iterator[Line]:
    """The bill of devices that send one message a minute, each a write of its whole state's item."""
    messages, memory_gb = devices * MINUTES, PlatformConfig().edge_memory_mib / 1024
    gigabytes = messages * RECORD_BYTES / 1e9
    calls = min(SHARDS * 86_400, messages)
    yield Line("DynamoDB: a write of each state a message", messages * -(-item_bytes // 1024), WRITE)
    yield Line("DynamoDB: how far each batch came", calls, WRITE)
    # Eventually consistent: half a unit for 4 KB.
    yield Line("DynamoDB: the sweep's scan each minute", MINUTES * devices * item_bytes / 4096 / 2, READ)
    yield Line("Lambda: calls", calls + 2 * MINUTES, REQUEST)
    yield Line(f"Lambda: handler, {HANDLER_SECONDS:g} s a call", calls * HANDLER_SECONDS * memory_gb, COMPUTE)
    yield Line(f"Lambda: sweep, {SWEEP_SECONDS:g} s a call", MINUTES * SWEEP_SECONDS * memory_gb, COMPUTE)
    yield Line("Lambda: notifications", MINUTES * NOTIFY_SECONDS * 0.5, COMPUTE)
    yield Line("Kinesis: the stream", 24, STREAM)
    yield Line("Kinesis: records in", gigabytes, INGEST)
    yield Line("Kinesis: records out, to Lambda and Firehose", 2 * gigabytes, RETRIEVAL)
