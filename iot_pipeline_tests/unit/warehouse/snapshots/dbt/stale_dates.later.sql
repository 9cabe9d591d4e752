-- The dates of the stale hours, and those whose facts expected readings for another part of the day than they would now:
-- as_of has moved on, or a version has begun or ended where no reading was.
-- depends_on: "telemetry"."marts"."dim_sensor"
-- depends_on: "telemetry"."marts"."dim_location"
-- depends_on: "telemetry"."marts"."clock"

select distinct cast(event_hour as date) as event_date
from "telemetry"."marts"."stale_hours"
union
select distinct facts.event_date
from "telemetry"."marts"."fact_sensor_daily" as facts
join "telemetry"."marts"."dim_sensor" as sensors on sensors.sensor_key = facts.sensor_key
join "telemetry"."marts"."dim_location" as locations on locations.location_key = facts.location_key
cross join "telemetry"."marts"."clock" as clock
where
    facts.observed_from <> greatest(cast(facts.event_date as timestamp), sensors.valid_from, locations.valid_from)
    or facts.observed_until <> greatest(
        least(cast(facts.event_date as timestamp) + interval '1 day', sensors.valid_to, locations.valid_to, clock.as_of),
        greatest(cast(facts.event_date as timestamp), sensors.valid_from, locations.valid_from)
    )
    or coalesce(facts.expected_interval_s, 0) <> coalesce(sensors.expected_interval_s, 0)
;

delete from "telemetry"."marts"."stale_dates";

    insert into "telemetry"."marts"."stale_dates" ("event_date")
    select "event_date" from "stale_dates__dbt_tmp"
