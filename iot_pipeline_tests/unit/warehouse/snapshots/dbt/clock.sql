create  table
    "telemetry"."marts"."clock"

    diststyle all

      compound sortkey(as_of)
  as (

-- "Now", by the broker's clock alone: a device's own clock may be an hour ahead or weeks behind, and must say nothing about the others.
-- It is read from what is loaded, so that a rebuild has the same now, and loading old hours does not move it back.
select
    date_trunc('hour', max(received_at)) as as_of,
    date_trunc('hour', min(received_at)) as first_hour
from "telemetry"."staging"."stg_readings"
where event_hour in (select event_hour from "telemetry"."staging"."stg_loads")
  );
