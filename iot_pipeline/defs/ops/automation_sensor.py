"""The sensor that evaluates the assets' automation conditions."""

import dagster as dg

automation = dg.AutomationConditionSensorDefinition(
    "automation",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description=(
        "Judges the hours with new raw objects every few minutes, the registry's snapshot every 15 minutes, "
        "dbt's documentation and the search for stray readings daily."
    ),
)
