"""What is expected of the Dagster assets."""

# By hour; what follows in the warehouse has no partitions of its own.
HOURLY = [
    "raw_telemetry",
    "judged_telemetry",
    "ledger",
    "quarantined_telemetry",
    "curated_telemetry",
    "warehouse_readings",
]
