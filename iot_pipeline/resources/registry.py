"""The device registry as a Dagster resource."""

from contextlib import AbstractContextManager
from typing import Any

import boto3
import dagster as dg
import psycopg

from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.connections.registry import open_registry
from iot_pipeline.contract.layout import EDGE_RULES
from iot_pipeline.contract.tables import registry_history
from iot_pipeline.lake.expected_readings import ActiveDevice
from iot_pipeline.lake.site_states import RegisteredSite
from iot_pipeline.registry import alert_rules, present
from iot_pipeline.settings import deployment, edge
from iot_pipeline.warehouse import registry_export

_ACTIVE_DEVICES = """
SELECT device_id, tenant_id, site_id, model_id, expected_interval_s, valid_from
FROM registry.device_versions
WHERE valid_to IS NULL AND status = 'active'
"""


class RegistryResource(dg.ConfigurableResource["RegistryResource"]):
    """Opens a connection for each use, and closes it."""

    def connect(self) -> AbstractContextManager[psycopg.Connection[Any]]:
        """As `open_registry`."""
        return open_registry()

    def sites(self) -> list[RegisteredSite]:
        """Every site as it is now, by tenant and site. Raises as `open_registry` does, and psycopg.Error."""
        with self.connect() as connection:
            return [RegisteredSite(*row) for row in present.sites(connection)]

    def publish_history(self) -> dict[str, int]:
        """Copy sites and devices, with their history, into the lake; rows by table. Raises as `sites`, botocore's too.

        Sites come first: a device never stands at one that is not there yet.
        """
        with self.connect() as connection:
            found = registry_export.history(connection)
        s3, bucket = boto3.client("s3"), deployment().lake_bucket
        for table in registry_history():
            body = registry_export.to_parquet(found[table.name])
            s3.put_object(Bucket=bucket, Key=f"{table.prefix}rows.parquet", Body=body)
        return {name: rows.num_rows for name, rows in found.items()}

    def active_devices(self) -> list[ActiveDevice]:
        """Every device that is to send now. Raises as `open_registry` does, and psycopg.Error."""
        with self.connect() as connection:
            return [ActiveDevice(*row) for row in connection.execute(_ACTIVE_DEVICES)]

    def publish_alert_rules(self) -> RuleSet | None:
        """The rules of alerts as a new version; None if the current one says the same. Raises botocore's errors too."""
        with self.connect() as connection:
            return alert_rules.published_if_changed(connection, boto3.client("s3"), edge().rules_bucket, EDGE_RULES)
