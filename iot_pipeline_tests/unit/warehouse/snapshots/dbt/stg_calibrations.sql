create view "telemetry"."staging"."stg_calibrations__dbt_tmp" as (
    select device_id, metric, offset_value, gain, calibrated_at, calibrated_by
from "telemetry"."registry"."calibrations"
  ) with no schema binding;
