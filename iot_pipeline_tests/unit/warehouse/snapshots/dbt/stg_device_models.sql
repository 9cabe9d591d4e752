create view "telemetry"."staging"."stg_device_models__dbt_tmp" as (
    select model_id, manufacturer, name as model_name, metrics, expected_interval_s
from "telemetry"."registry"."device_models"
  ) with no schema binding;
