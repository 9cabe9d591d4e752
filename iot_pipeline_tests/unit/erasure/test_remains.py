"""What remains after an erasure is what the docs say, for as long as the stacks keep it."""

import re

from infra.local.servers.checkout import CHECKOUT
from infra.stacks.config import PlatformConfig
from iot_pipeline.erasure.remains import REMAINS


def test_the_docs_have_the_table() -> None:
    page = (CHECKOUT / "docs" / "retention.md").read_text(encoding="utf-8").partition("## What remains")[2]
    lines = re.findall(r"^\|.+\|$", page, re.MULTILINE)
    rows = [tuple(cell.strip() for cell in line.strip("| ").split(" | ")) for line in lines]
    assert rows[2:] == [(it.place, it.holds, it.expiry, it.why) for it in REMAINS]


def test_the_times_are_those_of_the_stacks() -> None:
    config, expiry = PlatformConfig(), {it.place: it.expiry for it in REMAINS}
    assert expiry["Kinesis stream"] == f"{config.stream_retention_hours} hours"
    assert expiry["noncurrent versions of objects"] == f"{config.noncurrent_days} days"
    assert expiry["people's query results"] == f"{config.query_results_days} days"
    assert expiry["Aurora's backups"] == f"{config.registry_backup_days} days"
    assert expiry["the warehouse's nightly snapshots"] == f"{config.warehouse_snapshot_days} days"
