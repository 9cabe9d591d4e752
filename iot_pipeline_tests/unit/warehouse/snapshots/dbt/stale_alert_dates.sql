create  table
    "telemetry"."marts"."stale_alert_dates"

    diststyle all

      compound sortkey(opened_date)
  as (

-- Dates whose alerts were loaded with other content than their facts were built from, or whose facts no longer fit the dimensions.
-- All alerts are looked at, since there are few.
-- depends_on: "telemetry"."marts"."dim_sensor"
-- depends_on: "telemetry"."marts"."dim_location"

with noted as (
    select opened_date, content from "telemetry"."staging"."stg_alert_loads" where 1 = 0
)

select coalesce(loads.opened_date, noted.opened_date) as opened_date
from "telemetry"."staging"."stg_alert_loads" as loads
full outer join noted on noted.opened_date = loads.opened_date
where loads.opened_date is null or noted.opened_date is null or noted.content <> loads.content

  );
