"""The options of arrival: what an environment may not ask for is refused by name."""

from typing import Any

import pytest

from infra.stacks.config import PlatformConfig
from infra.stacks.environments import environment
from infra.stacks.sizes import Size

REFUSED: dict[str, dict[str, Any]] = {
    "expected json or parquet": {"firehose_format": "orc"},
    "expected tenant, or nothing": {"firehose_format": "parquet", "firehose_partition": "device_class"},
    "firehose_partition is for": {"firehose_partition": "tenant"},
    "has no Firehose": {"firehose_format": "parquet", "size": Size.PROTOTYPE},
    "at least 64": {"firehose_format": "parquet", "firehose_buffer_mib": 63},
    "crawl_on_events_minutes must be": {"crawl_on_events_minutes": 9},
}


@pytest.mark.parametrize("told", REFUSED)
def test_what_cannot_be_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match=told):
        PlatformConfig(**REFUSED[told])


def test_they_are_off_unless_they_are_asked_for() -> None:
    assert not PlatformConfig().raw_is_parquet
    assert PlatformConfig().crawl_on_events_minutes == 0


def test_one_environment_has_them_so_that_they_are_checked() -> None:
    columnar = environment("columnar")
    assert columnar.raw_is_parquet
    assert columnar.firehose_partition == "tenant"
    assert columnar.crawl_on_events_minutes
