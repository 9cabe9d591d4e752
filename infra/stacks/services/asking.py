"""Asking Athena and reading the catalog, as the services' processes do."""

from collections.abc import Iterable

from infra.stacks.services.places import Places
from infra.stacks.statements import Statements, allow


def asking(places: Places, groups: Iterable[str]) -> Statements:
    """Statements in these workgroups, and what the catalog says of the lake's tables.

    `groups` are ARNs.
    """
    return {
        "Ask": allow(
            groups,
            "athena:StartQueryExecution",
            "athena:StopQueryExecution",
            "athena:GetQueryExecution",
            "athena:GetQueryResults",
        ),
        "Catalog": allow(
            places.catalog("*"),
            "glue:GetDatabase",
            "glue:GetTable",
            "glue:GetTables",
            "glue:GetPartition",
            "glue:GetPartitions",
            "glue:BatchGetPartition",
        ),
    }


def counting(places: Places) -> Statements:
    """What the statements of all workgroups have read, which is what they cost."""
    groups = places.workgroups().values()
    return {"CountQueries": allow(groups, "athena:ListQueryExecutions", "athena:BatchGetQueryExecution")}
