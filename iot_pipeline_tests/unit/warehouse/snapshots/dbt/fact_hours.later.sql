delete from "telemetry"."marts"."fact_hours"
    where event_hour in (select event_hour from "telemetry"."marts"."stale_hours");

    insert into "telemetry"."marts"."fact_hours" ("event_hour", "content", "location", "readings", "hourly_readings", "unknown_sensor_readings", "unknown_location_readings", "built_at")
    select "event_hour", "content", "location", "readings", "hourly_readings", "unknown_sensor_readings", "unknown_location_readings", "built_at" from "fact_hours__dbt_tmp"
