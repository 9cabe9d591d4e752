"""Dagster's objects of erasures."""

import dagster as dg

from iot_pipeline.defs.erasure.jobs import erase, erased_devices_send_nothing

defs = dg.Definitions(jobs=[erase], asset_checks=[erased_devices_send_nothing])
