{{ config(
    incremental_strategy='replace_stale_hours',
    dist='device_id',
    sort=['event_time', 'device_id']
) }}

-- A reading has the sensor and the site as they were at its time, by the registry; what no version covers is 'unknown'.
select
    readings.device_id,
    readings.event_time,
    readings.event_hour,
    {{ date_key('readings.event_time') }} as date_key,
    readings.seq,
    coalesce(sensors.sensor_key, 'unknown') as sensor_key,
    coalesce(locations.location_key, 'unknown') as location_key,
    coalesce(sensors.tenant_id, 'unknown') as tenant_id,
    readings.reported_tenant,
    readings.reported_site,
    {% for metric in var('metrics') -%}
    readings.{{ metric.name }},
    {% endfor -%}
    readings.lat,
    readings.lon,
    readings.firmware,
    readings.received_at,
    {{ seconds_between('readings.event_time', 'readings.received_at') }} as lateness_s,
    readings.duplicates,
    readings.conflicts
from {{ ref('stg_readings') }} as readings
join {{ ref('stale_hours') }} as stale_hours on stale_hours.event_hour = readings.event_hour
left join {{ ref('dim_sensor') }} as sensors
    on sensors.device_id = readings.device_id and {{ holds_at('sensors', 'readings.event_time') }}
left join {{ ref('dim_location') }} as locations
    on locations.tenant_id = sensors.tenant_id and locations.site_id = sensors.site_id
    and {{ holds_at('locations', 'readings.event_time') }}
