"""The reference of rules is what the code says."""

from iot_pipeline.alerting.rule_docs import markdown
from iot_pipeline_tests.support.layers import CHECKOUT


def test_the_reference_is_generated_from_the_rules() -> None:
    written = (CHECKOUT / "docs" / "alert-rules.md").read_text(encoding="utf-8")
    assert written == markdown(), "run `make docs`"
