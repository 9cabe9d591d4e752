create  table
    "telemetry"."marts"."dim_sensor"

    diststyle all

      compound sortkey(device_id,valid_from)
  as (

with calibrated as (
    select versions.sensor_key, max(calibrations.calibrated_at) as last_calibrated_at
    from "telemetry"."staging"."stg_device_versions" as versions
    join "telemetry"."staging"."stg_calibrations" as calibrations
        on calibrations.device_id = versions.device_id and calibrations.calibrated_at < versions.valid_to
    group by versions.sensor_key
)

select
    versions.sensor_key,
    versions.device_id,
    versions.tenant_id,
    versions.site_id,
    versions.sensor_name,
    versions.model_id,
    models.model_name,
    models.manufacturer,
    models.metrics,
    versions.status,
    versions.firmware,
    coalesce(versions.expected_interval_s, models.expected_interval_s) as expected_interval_s,
    calibrated.last_calibrated_at,
    versions.valid_from,
    versions.valid_to,
    versions.is_current
from "telemetry"."staging"."stg_device_versions" as versions
left join "telemetry"."staging"."stg_device_models" as models on models.model_id = versions.model_id
left join calibrated on calibrated.sensor_key = versions.sensor_key
union all
select
    'unknown', 'unknown', 'unknown', 'unknown', 'Unknown sensor', 'unknown', 'Unknown model', null, null, 'unknown', null,
    null, null, cast('1900-01-01 00:00:00' as timestamp), cast('9999-12-31 00:00:00' as timestamp), true
  );
