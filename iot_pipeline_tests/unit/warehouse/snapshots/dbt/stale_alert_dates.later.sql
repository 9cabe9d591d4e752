-- Dates whose alerts were loaded with other content than their facts were built from, or whose facts no longer fit the dimensions.
-- All alerts are looked at, since there are few.
-- depends_on: "telemetry"."marts"."dim_sensor"
-- depends_on: "telemetry"."marts"."dim_location"

with noted as (
    select distinct opened_date, content from "telemetry"."marts"."fact_alerts"
)

select coalesce(loads.opened_date, noted.opened_date) as opened_date
from "telemetry"."staging"."stg_alert_loads" as loads
full outer join noted on noted.opened_date = loads.opened_date
where loads.opened_date is null or noted.opened_date is null or noted.content <> loads.content
union
select facts.opened_date
from "telemetry"."marts"."fact_alerts" as facts
left join "telemetry"."marts"."dim_sensor" as sensors
    on sensors.device_id = facts.device_id and facts.opened_at >= sensors.valid_from and facts.opened_at < sensors.valid_to
left join "telemetry"."marts"."dim_location" as locations
    on locations.tenant_id = case when facts.device_id is null then facts.reported_tenant else sensors.tenant_id end
    and locations.site_id = case when facts.device_id is null then facts.reported_site else sensors.site_id end
    and facts.opened_at >= locations.valid_from and facts.opened_at < locations.valid_to
where
    facts.location_key <> coalesce(locations.location_key, 'unknown')
    or facts.sensor_key <> case when facts.device_id is not null then coalesce(sensors.sensor_key, 'unknown') end
;

delete from "telemetry"."marts"."stale_alert_dates";

    insert into "telemetry"."marts"."stale_alert_dates" ("opened_date")
    select "opened_date" from "stale_alert_dates__dbt_tmp"
