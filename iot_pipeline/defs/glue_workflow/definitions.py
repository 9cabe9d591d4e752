"""Dagster's objects of Glue's own workflow; loaded where IOT_GLUE_WORKFLOW names one."""

import dagster as dg

from iot_pipeline.defs.glue_workflow.workflow_runs import built_by_glue, glue_workflow_runs

defs = dg.Definitions(assets=[built_by_glue], sensors=[glue_workflow_runs])
