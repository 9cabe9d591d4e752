"""How bad a failed check is: a part of its evaluation, which no definition says, and so said here."""

import dagster as dg

WARNING, CRITICAL = "warning", "critical"

# Of every check that does not block, by its name; one that blocks is critical.
SEVERITIES = {
    "closed_hours_are_built": WARNING,
    "curated_schema_is_the_contracts": WARNING,
    "devices_send_as_expected": WARNING,
    "erased_devices_send_nothing": WARNING,
    "every_site_sends": WARNING,
    "firmwares_keep_to_the_contract": WARNING,
    "handler_keeps_up": WARNING,
    "no_orphaned_readings": WARNING,
    "no_reading_is_unknown": WARNING,
    "nothing_was_given_up": WARNING,
    "people_are_told": WARNING,
    "raw_objects_are_as_judged": CRITICAL,
    "raw_schema_is_known": WARNING,
    "sweep_runs": WARNING,
}


def severity_of(name: str, *, blocking: bool) -> str:
    """Which topic hears of the failed check. Raises KeyError for one that does not block and is not in SEVERITIES."""
    return CRITICAL if blocking else SEVERITIES[name]


def woken_by(key: dg.AssetCheckKey, *, blocking: bool) -> str:
    """In words."""
    return f"`failed_check`, {severity_of(key.name, blocking=blocking)}"
