"""What pulling from vendors' APIs is billed: calls by the clock, and what they write. Nothing without vendors."""

from collections.abc import Iterator

from infra.cost.fleet import MINUTES_A_MONTH
from infra.cost.usage import Usage
from infra.stacks.config import PlatformConfig
from infra.stacks.pulled_vendors import VENDORS, vendors

# Assumed: a call reads a window of four pages at half a second each, and a second is what it takes to begin.
_PAGES, _PAGE_SECONDS, _BEGIN_SECONDS = 4, 0.5, 1.0
_GB = 0.5
# The lease, the first page's time of arrival, each page, the end: an item below 1 KB.
_WRITES_BESIDE_PAGES = 3
# Of iot_pipeline/pull/scheduled_pull.py, a vendor.
_METRICS = 7
# infra/stacks/pull/pull_alarms.py
_ALARMS_A_VENDOR, _ALARMS_BESIDE = 6, 2


def pulls(config: PlatformConfig) -> Iterator[Usage]:
    """The stack of all vendors, which the counts of the templates leave out."""
    found = [vendor for vendor, _ in vendors(config.vendors, VENDORS)]
    if not found:
        return
    calls = sum(MINUTES_A_MONTH / vendor.every_minutes for vendor in found)
    seconds = calls * (_BEGIN_SECONDS + _PAGES * _PAGE_SECONDS)
    basis = f"{_PAGES} pages a call, assumed"
    yield Usage("lambda-request", calls, "pulling from vendors")
    yield Usage("lambda-compute", seconds * _GB, "pulling from vendors", basis)
    yield Usage("dynamodb-write", calls * (_PAGES + _WRITES_BESIDE_PAGES), "vendors' cursors", basis)
    yield Usage("secret-request", calls, "vendors' credentials")
    yield Usage("kms-key", 1, "vendors' cursors and credentials")
    yield Usage("secret", len(found), "vendors' credentials")
    yield Usage("metric", len(found) * _METRICS, "pulling from vendors")
    yield Usage("alarm", len(found) * _ALARMS_A_VENDOR + _ALARMS_BESIDE, "pulling from vendors")
