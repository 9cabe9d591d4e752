create  table
    "telemetry"."marts"."fact_alerts"

    diststyle key distkey (device_id)

      compound sortkey(opened_at,device_id)
  as (

-- An alert has the sensor and the site as they were when it opened, by the registry.
select
    alerts.episode_id,
    alerts.opened_date,
    cast(to_char(alerts.opened_at, 'YYYYMMDD') as integer) as date_key,
    alerts.opened_at,
    alerts.device_id,
    case when alerts.device_id is not null then coalesce(sensors.sensor_key, 'unknown') end as sensor_key,
    coalesce(locations.location_key, 'unknown') as location_key,
    coalesce(case when alerts.device_id is null then locations.tenant_id else sensors.tenant_id end, 'unknown') as tenant_id,
    alerts.reported_tenant,
    alerts.reported_site,
    alerts.subject,
    alerts.rule,
    alerts.metric,
    alerts.severity,
    alerts.opened_severity,
    alerts.is_open,
    alerts.flapping,
    alerts.is_history,
    alerts.arrived_at,
    alerts.recorded_at,
    alerts.escalated_at,
    alerts.notified_at,
    alerts.acknowledged_at,
    alerts.acknowledged_by,
    alerts.resolved_at,
    (cast(extract(epoch from date_trunc('second', alerts.acknowledged_at)) as bigint) - cast(extract(epoch from date_trunc('second', alerts.recorded_at)) as bigint)) as seconds_to_acknowledge,
    (cast(extract(epoch from date_trunc('second', alerts.resolved_at)) as bigint) - cast(extract(epoch from date_trunc('second', alerts.opened_at)) as bigint)) as seconds_to_resolve,
    alerts.last_value,
    alerts.limit_value,
    alerts.worst_value,
    alerts.parent_id,
    alerts.held_by,
    alerts.trace,
    loads.content
from "telemetry"."staging"."stg_alert_episodes" as alerts
join "telemetry"."marts"."stale_alert_dates" as stale_alert_dates on stale_alert_dates.opened_date = alerts.opened_date
join "telemetry"."staging"."stg_alert_loads" as loads on loads.opened_date = alerts.opened_date
left join "telemetry"."marts"."dim_sensor" as sensors
    on sensors.device_id = alerts.device_id and alerts.opened_at >= sensors.valid_from and alerts.opened_at < sensors.valid_to
left join "telemetry"."marts"."dim_location" as locations
    on locations.tenant_id = case when alerts.device_id is null then alerts.reported_tenant else sensors.tenant_id end
    and locations.site_id = case when alerts.device_id is null then alerts.reported_site else sensors.site_id end
    and alerts.opened_at >= locations.valid_from and alerts.opened_at < locations.valid_to
  );
