"""What people read of the kinds of pipeline alerts is what the code says."""

from infra.local.servers.checkout import CHECKOUT
from iot_pipeline.defs.pipeline_alerts.docs import markdown


def test_the_table_is_as_generated() -> None:
    written = (CHECKOUT / "docs" / "pipeline-alerts.md").read_text(encoding="utf-8")
    assert written == markdown(), "run `make docs`"
