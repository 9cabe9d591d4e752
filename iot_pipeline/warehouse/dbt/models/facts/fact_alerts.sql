{{ config(
    incremental_strategy='replace_stale_alert_dates',
    dist='device_id',
    sort=['opened_at', 'device_id']
) }}

-- An alert has the sensor and the site as they were when it opened, by the registry.
select
    alerts.episode_id,
    alerts.opened_date,
    {{ date_key('alerts.opened_at') }} as date_key,
    alerts.opened_at,
    alerts.device_id,
    {{ sensor_key_as_opened('alerts') }} as sensor_key,
    {{ location_key_as_opened() }} as location_key,
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
    {{ seconds_between('alerts.recorded_at', 'alerts.acknowledged_at') }} as seconds_to_acknowledge,
    {{ seconds_between('alerts.opened_at', 'alerts.resolved_at') }} as seconds_to_resolve,
    alerts.last_value,
    alerts.limit_value,
    alerts.worst_value,
    alerts.parent_id,
    alerts.held_by,
    alerts.trace,
    loads.content
from {{ ref('stg_alert_episodes') }} as alerts
join {{ ref('stale_alert_dates') }} as stale_alert_dates on stale_alert_dates.opened_date = alerts.opened_date
join {{ ref('stg_alert_loads') }} as loads on loads.opened_date = alerts.opened_date
{{ joined_as_opened('alerts') }}
