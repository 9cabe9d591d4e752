create view "telemetry"."staging"."stg_loads__dbt_tmp" as (
    select event_hour, location, readings, duplicates, conflicts, loaded_at
from "telemetry"."lake"."loads"
  ) with no schema binding;
