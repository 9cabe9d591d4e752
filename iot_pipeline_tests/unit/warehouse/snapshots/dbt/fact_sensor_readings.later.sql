delete from "telemetry"."marts"."fact_sensor_readings"
    where event_hour in (select event_hour from "telemetry"."marts"."stale_hours");

    insert into "telemetry"."marts"."fact_sensor_readings" ("device_id", "event_time", "event_hour", "date_key", "seq", "sensor_key", "location_key", "tenant_id", "reported_tenant", "reported_site", "temperature", "humidity", "pressure", "flow_rate", "battery", "rssi", "lat", "lon", "firmware", "received_at", "lateness_s", "duplicates", "conflicts")
    select "device_id", "event_time", "event_hour", "date_key", "seq", "sensor_key", "location_key", "tenant_id", "reported_tenant", "reported_site", "temperature", "humidity", "pressure", "flow_rate", "battery", "rssi", "lat", "lon", "firmware", "received_at", "lateness_s", "duplicates", "conflicts" from "fact_sensor_readings__dbt_tmp"
