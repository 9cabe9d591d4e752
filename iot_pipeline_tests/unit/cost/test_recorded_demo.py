"""The model's quantities against a demo that was recorded on 2026-11-29.

100 devices of two tenants; 300,000 readings in packs of 25, then 30 s at 500 readings/s in packs of 5; every fault on,
which adds a hundredth of readings that are sent twice. Two cores with other work.
"""

import pytest

from infra.cost.sent import Sent, at_the_edge, on_the_way, statements_of
from infra.stacks.config import PlatformConfig

_SENT = (Sent(12_000, 25, 100, 15.3), Sent(3_000, 5, 100, 30))
_MADE = {
    "bytes on the stream": 43_224_054,
    "bytes that Kinesis bills": 47_619 * 1024,
    "bytes that Firehose bills": 14_987 * 5120,
    "bytes in raw": 4_979_201,
    "bytes in judged": 2_452_564,
    "bytes in curated": 2_593_928,
}


@pytest.mark.parametrize("what", _MADE)
def test_bytes_are_within_5_percent(what: str) -> None:
    assert on_the_way(_SENT)[what] == pytest.approx(_MADE[what], rel=0.05)


def test_calls_and_writes_of_the_edge_are_within_a_third() -> None:
    """Locally a handler is slower than a poll is long, so that some polls wait and find more."""
    predicted = at_the_edge(_SENT, 4, PlatformConfig())
    assert predicted["calls of the edge's handler"] == pytest.approx(145, rel=0.33)
    assert predicted["writes of device states"] == pytest.approx(3_568, rel=0.33)


def test_a_build_sends_the_statements_that_were_counted() -> None:
    assert statements_of(1, 1) == 17
