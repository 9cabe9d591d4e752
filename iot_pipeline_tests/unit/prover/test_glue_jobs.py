"""What the prover leaves out of the job of backfills is called nowhere in the code that the job can reach."""

import ast
from collections.abc import Iterator

from infra.prover.aws_calls.glue_jobs import BACKFILL, NOT_IN_BACKFILLS
from infra.prover.product import found_calls
from infra.prover.source.code import module
from infra.prover.source.reach import reached


def _called(method: str) -> Iterator[tuple[str, ast.Call]]:
    """The calls of a method of that name, whosever it is, with where each stands."""
    job = module(BACKFILL)
    assert job is not None
    for piece in reached(job, "main"):
        for node in piece.walk():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
                yield f"{piece.module}:{piece.qualified}", node


def test_a_backfill_names_the_hours_of_all_partitions_that_it_asks_for() -> None:
    asked = list(_called("partitions"))
    assert len(asked) > 5
    assert [site for site, call in asked if len(call.args) != 2] == []
    assert {site for site, _ in _called("listed")} == {"iot_pipeline.lake.catalog:Catalog.partitions"}
    assert [*_called("foreign"), *_called("older_than")] == []


def test_a_backfill_asks_for_no_partition_s_columns() -> None:
    assert list(_called("columns")) == []


def test_nothing_is_left_out_that_is_not_found() -> None:
    job = module(BACKFILL)
    assert job is not None
    assert set(NOT_IN_BACKFILLS) <= {call.site for call in found_calls(job, "main")}
