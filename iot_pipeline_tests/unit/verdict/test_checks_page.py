from infra.verdict.checks_page import markdown
from iot_pipeline_tests.support.layers import CHECKOUT


def test_the_page_is_what_the_checks_say() -> None:
    assert (CHECKOUT / "docs" / "infrastructure-checks.md").read_text() == markdown(), "run `make docs`"


def test_each_check_says_what_it_asks_for_and_has_a_mistake() -> None:
    rows = [line.split(" | ") for line in markdown().splitlines() if line.startswith("| `")]
    assert all(len(row) == 3 and row[1] and row[2].strip(" |") for row in rows)
