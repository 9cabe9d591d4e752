"""The alternatives of a design, each as one change, with what it costs and what it gives up."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from infra.cost.bills import Bill, bill
from infra.cost.design import Design, Finding, Landing, Publishing, Warehouse
from infra.cost.fleet import Fleet

# The longest that IOT_BUILD_INTERVAL_MINUTES takes.
_SELDOM_MINUTES = 30


@dataclass(frozen=True)
class Alternative:
    """Another choice: its name, its bill, and what changes beside the money."""

    name: str
    bill: Bill
    gives_up: str


def alternatives(of: Bill) -> Iterator[Alternative]:
    """All that differ from a bill's own design and fleet by one choice."""
    if of.fleet.pack > 1:
        unpacked = Fleet(of.fleet.devices, of.fleet.interval_seconds, 1)
        yield Alternative(
            "unpacked: a message a reading", bill(of.config, unpacked, of.design), "nothing; no reading waits"
        )
    for name, design, gives_up in _designs(of.design):
        if design != of.design:
            yield Alternative(name, bill(of.config, of.fleet, design), gives_up)


def _designs(own: Design) -> Iterator[tuple[str, Design, str]]:
    name = f"builds and loads every {_SELDOM_MINUTES} minutes instead of {own.build_minutes}"
    yield name, replace(own, build_minutes=_SELDOM_MINUTES), "curated rows and facts are half an hour later"
    yield "Basic Ingest instead of the broker", replace(own, publishing=Publishing.BASIC_INGEST), "nobody can subscribe"
    if own.stream:
        yield (
            "devices put to Kinesis themselves, no IoT Core",
            replace(own, publishing=Publishing.KINESIS),
            "topics, rules, certificates bound to tenant and site",
        )
        yield (
            "no Firehose: the rule straight to S3",
            replace(own, landing=Landing.RULE_TO_S3),
            "the stream and the edge: no live state, no alerts within seconds",
        )
        # The design's own landing is no alternative, and is left out.
        yield "gzipped JSON in Firehose", replace(own, landing=Landing.FIREHOSE), "raw in columns, for people's queries"
        yield (
            "Parquet in Firehose",
            replace(own, landing=Landing.FIREHOSE_PARQUET),
            "a delivery of one function more; raw is half as large again",
        )
    else:
        yield "with Kinesis, Firehose and the edge", replace(own, landing=Landing.FIREHOSE), "nothing"
    yield (
        "crawlers instead of partition projection",
        replace(own, finding=Finding.CRAWLERS),
        "an hour is seen when it has been crawled",
    )
    if own.warehouse is not Warehouse.NONE:
        yield "Redshift on RA3 nodes", replace(own, warehouse=Warehouse.PROVISIONED), "nothing; it need not be woken"
        yield "Snowflake", replace(own, warehouse=Warehouse.SNOWFLAKE), "the models' Redshift dialect, one provider"
