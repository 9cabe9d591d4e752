"""The models' documentation."""

from collections import Counter

import dagster as dg
from dagster_dbt import DbtCliResource

from iot_pipeline.defs.automation_conditions import first
from iot_pipeline.defs.common import DBT_POOL, OWNERS
from iot_pipeline.defs.metadata import markdown_table
from iot_pipeline.resources.dbt import DbtDocs, target_folder
from iot_pipeline.warehouse.dbt_project import manifest

_PAGE = "index.html"


@dg.asset(
    deps=["fact_hours"],
    group_name="reports",
    kinds={"dbt", "s3"},
    owners=OWNERS,
    pool=DBT_POOL,
    automation_condition=first() | dg.AutomationCondition.on_cron("30 4 * * *"),
    description=(
        "dbt's documentation of the warehouse: models, columns, tests, compiled SQL and lineage, as one page that "
        "needs no server, with its manifest and catalog beside it in the lake's bucket. Written daily."
    ),
)
def dbt_docs(dbt: DbtCliResource, docs: DbtDocs) -> dg.MaterializeResult:
    """Generate and publish."""
    with target_folder() as folder:
        run = dbt.cli(["docs", "generate", "--static"], manifest=manifest(), target_path=folder).wait()
        catalog = run.get_artifact("catalog.json")
        resources = Counter(node["resource_type"] for node in run.get_artifact("manifest.json")["nodes"].values())
        place = docs.publish(
            {
                _PAGE: folder / "static_index.html",
                "manifest.json": folder / "manifest.json",
                "catalog.json": folder / "catalog.json",
            }
        )
    tables = [(name, len(node["columns"])) for name, node in sorted(catalog["nodes"].items())]
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.path(place + _PAGE),
            "models": resources["model"],
            "tests": resources["test"],
            "relations in the warehouse": len(tables),
            "columns": markdown_table(("relation", "columns"), [(n.split(".")[-1], c) for n, c in tables]),
        }
    )
