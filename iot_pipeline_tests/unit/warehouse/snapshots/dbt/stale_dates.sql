create  table
    "telemetry"."marts"."stale_dates"

    diststyle all

      compound sortkey(event_date)
  as (

-- The dates of the stale hours, and those whose facts expected readings for another part of the day than they would now:
-- as_of has moved on, or a version has begun or ended where no reading was.
-- depends_on: "telemetry"."marts"."dim_sensor"
-- depends_on: "telemetry"."marts"."dim_location"
-- depends_on: "telemetry"."marts"."clock"

select distinct cast(event_hour as date) as event_date
from "telemetry"."marts"."stale_hours"

  );
