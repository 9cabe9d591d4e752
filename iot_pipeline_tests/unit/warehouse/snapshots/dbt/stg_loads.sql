create view "telemetry"."staging"."stg_loads__dbt_tmp" as (
    select
    event_hour,
    -- A load that was noted before content ids were is known by where it was loaded from.
    coalesce(content, location) as content,
    location,
    readings,
    duplicates,
    conflicts,
    loaded_at
from "telemetry"."lake"."loads"
  ) with no schema binding;
