"""Partitions in the real Glue of the local AWS, which answers as a throttled Glue does: for a part of what is asked."""

from dataclasses import replace
from typing import Any

import pytest

from iot_pipeline.contract import tables
from iot_pipeline.lake import catalog as catalog_module
from iot_pipeline.lake.catalog import CatalogError, ForeignPartition, Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.messages import RawZone, build, line, message, reading

CURATED = tables().curated_telemetry


class Throttled:
    """A Glue client that answers BatchGetPartition for at most so many keys, and leaves the others unprocessed."""

    def __init__(self, glue: Any, answered: int) -> None:
        self.glue, self.answered = glue, answered

    def __getattr__(self, name: str) -> Any:
        return getattr(self.glue, name)

    def batch_get_partition(self, *, PartitionsToGet: list[Any], **place: str) -> Any:  # noqa: N803  # boto3's name
        asked, left = PartitionsToGet[: self.answered], PartitionsToGet[self.answered :]
        found = self.glue.batch_get_partition(PartitionsToGet=asked, **place) if asked else {"Partitions": []}
        return {**found, "UnprocessedKeys": left}


@pytest.fixture
def published(lake: Lake, arrival: Hour, monkeypatch: pytest.MonkeyPatch) -> list[Hour]:
    """Five published hours; pauses are short."""
    monkeypatch.setattr(catalog_module, "FIRST_PAUSE_SECONDS", 0.001)
    hours = [arrival + n for n in range(5)]
    places = [Partition(hour, f"s3://{lake.bucket}/{CURATED.prefix}v=1/{hour.path}") for hour in hours]
    lake.catalog.publish(CURATED.name, places)
    return hours


def test_keys_that_were_left_out_are_asked_for_again(lake: Lake, published: list[Hour]) -> None:
    glue: Any = Throttled(lake.catalog.glue, answered=1)
    found = replace(lake.catalog, glue=glue).partitions(CURATED.name, [*published, published[-1] + 1])
    assert sorted(found) == published, "all that exist, and not the one that does not"


def test_an_hour_without_an_answer_is_not_taken_for_one_without_a_partition(lake: Lake, published: list[Hour]) -> None:
    glue: Any = Throttled(lake.catalog.glue, answered=0)
    with pytest.raises(CatalogError, match=r"left 5 partitions of curated_telemetry unanswered.*nothing was changed"):
        replace(lake.catalog, glue=glue).partitions(CURATED.name, published)


@pytest.mark.parametrize("of_day", ["xx", "5", "+5", "__HIVE_DEFAULT_PARTITION__", "a b%2F+ä"], ids=ascii)
def test_partitions_that_are_no_hours_stop_no_build_and_are_listed_apart(
    lake: Lake, raw: RawZone, arrival: Hour, of_day: str
) -> None:
    glue: Any = lake.catalog.glue
    values = [*arrival.values[:3], of_day]
    names = (tables().judged_telemetry.name, tables().ledger.name, CURATED.name)
    for name in names:
        glue.create_partition(
            DatabaseName=lake.catalog.database,
            TableName=name,
            PartitionInput={"Values": values, "StorageDescriptor": {"Location": "s3://elsewhere"}},
        )
    try:
        raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
        assert build(lake, [arrival]) == [arrival]
        assert lake.stale([arrival]) == lake.stale_among([arrival]) == []
        for name in names:
            foreign = ForeignPartition(name, tuple(values), "s3://elsewhere")
            listed = lake.catalog.listed(name)
            assert arrival in listed.partitions
            assert foreign in listed.foreign
            assert foreign in lake.catalog.foreign(name)
    finally:
        for name in names:
            glue.delete_partition(DatabaseName=lake.catalog.database, TableName=name, PartitionValues=values)
