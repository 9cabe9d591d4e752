create view "telemetry"."staging"."stg_alert_loads__dbt_tmp" as (
    select cast(opened_date as date) as opened_date, content, location, episodes, loaded_at
from "telemetry"."lake"."alert_loads"
  ) with no schema binding;
