"""The platform's warehouse by the Redshift Data API: as the administrator, and as the product's reader."""

from typing import Any

import boto3

from infra.local.session.platform import Platform
from iot_pipeline.warehouse.users import READER


def rows(client: Any, sql: str, **target: str) -> list[list[dict[str, Any]]]:
    made = client.execute_statement(Sql=sql, Database="telemetry", WaitTimeSeconds=30, **target)
    done = client.describe_statement(Id=made["Id"], WaitTimeSeconds=30)
    assert done["Status"] == "FINISHED", done.get("Error")
    found: list[list[dict[str, Any]]] = client.get_statement_result(Id=made["Id"])["Records"]
    return found


def test_the_platforms_warehouse(platform: Platform) -> None:
    client: Any = boto3.client("redshift-data", **platform.emulator.client_options)  # type: ignore[call-overload]  # options in a dict
    named = "telemetry"
    assert platform.redshift is not None
    assert rows(client, "SELECT current_user", WorkgroupName=named) == [[{"stringValue": platform.redshift.user}]]
    assert rows(client, "SELECT current_user", ClusterIdentifier=named, DbUser=READER) == [[{"stringValue": READER}]]
    schemas = client.list_schemas(Database="telemetry", WorkgroupName=named)["Schemas"]
    assert {"lake", "marts", "registry", "reporting"} <= set(schemas)
