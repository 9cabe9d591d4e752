"""How dbt's models, tests and sources look in Dagster."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

from iot_pipeline.defs.common import OWNERS

# The assets that fill the tables of each dbt source.
SOURCES = {
    "lake": dg.AssetKey("warehouse_readings"),
    "alerts": dg.AssetKey("warehouse_alerts"),
    "registry": dg.AssetKey("registry_snapshot"),
}
_LAYERS = ("staging", "dimensions", "facts", "reporting")


class ModelsTranslator(DagsterDbtTranslator):
    """Models under their own names, grouped by layer; sources under the assets that load them."""

    def __init__(self) -> None:
        """Several tables of a source are one asset."""
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """The model's name, or the asset behind a source."""
        if dbt_resource_props["resource_type"] == "source":
            return SOURCES[dbt_resource_props["source_name"]]
        return dg.AssetKey(dbt_resource_props["name"])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The model's folder: staging, dimensions, facts or reporting."""
        layers = [part for part in dbt_resource_props["fqn"] if part in _LAYERS]
        return layers[0] if layers else None

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:  # noqa: ARG002  # the same for all
        """The team that owns the pipeline."""
        return OWNERS

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The model's description alone; its SQL is in the documentation."""
        return str(dbt_resource_props.get("description") or "")

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """The zone, beside dbt's tags."""
        return {**super().get_tags(dbt_resource_props), "zone": "warehouse"}
