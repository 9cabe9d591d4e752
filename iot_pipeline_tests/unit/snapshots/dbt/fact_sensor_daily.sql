create  table
    "telemetry"."marts"."fact_sensor_daily"

    diststyle key distkey (device_id)

      compound sortkey(event_date,device_id)
  as (

with newest as (
    select max(event_hour) as event_hour from "telemetry"."staging"."stg_loads"
),

readings as (
    select
        cast(facts.event_hour as date) as event_date,
        facts.device_id,
        facts.sensor_key,
        facts.location_key,
        facts.tenant_id,
        facts.event_time,
        facts.seq,
        greatest(cast(cast(facts.event_hour as date) as timestamp), sensors.valid_from, locations.valid_from) as observed_from,
        least(
        cast(cast(facts.event_hour as date) as timestamp) + interval '1 day', sensors.valid_to, locations.valid_to, newest.event_hour
    ) as observed_until,
        sensors.expected_interval_s,
        facts.temperature,
        facts.humidity,
        facts.pressure,
        facts.flow_rate,
        facts.battery,
        facts.rssi
    from "telemetry"."marts"."fact_sensor_readings" as facts
    join "telemetry"."marts"."dim_sensor" as sensors on sensors.sensor_key = facts.sensor_key
    join "telemetry"."marts"."dim_location" as locations on locations.location_key = facts.location_key
    cross join newest
    where cast(facts.event_hour as date) in (select event_date from "telemetry"."marts"."stale_dates")
),

long_form as (

    select event_date, device_id, sensor_key, location_key, tenant_id, event_time, seq, observed_from, observed_until, expected_interval_s, cast('temperature' as varchar(64)) as metric, temperature as value
    from readings
    where temperature is not null
    union all
    select event_date, device_id, sensor_key, location_key, tenant_id, event_time, seq, observed_from, observed_until, expected_interval_s, cast('humidity' as varchar(64)) as metric, humidity as value
    from readings
    where humidity is not null
    union all
    select event_date, device_id, sensor_key, location_key, tenant_id, event_time, seq, observed_from, observed_until, expected_interval_s, cast('pressure' as varchar(64)) as metric, pressure as value
    from readings
    where pressure is not null
    union all
    select event_date, device_id, sensor_key, location_key, tenant_id, event_time, seq, observed_from, observed_until, expected_interval_s, cast('flow_rate' as varchar(64)) as metric, flow_rate as value
    from readings
    where flow_rate is not null
    union all
    select event_date, device_id, sensor_key, location_key, tenant_id, event_time, seq, observed_from, observed_until, expected_interval_s, cast('battery' as varchar(64)) as metric, battery as value
    from readings
    where battery is not null
    union all
    select event_date, device_id, sensor_key, location_key, tenant_id, event_time, seq, observed_from, observed_until, expected_interval_s, cast('rssi' as varchar(64)) as metric, rssi as value
    from readings
    where rssi is not null

),

in_order as (
    select
        long_form.*,
        lag(event_time) over (
            partition by event_date, device_id, sensor_key, location_key, tenant_id, metric order by event_time, seq
        ) as previous_event
    from long_form
),

paced as (
    select
        in_order.*,
        (cast(extract(epoch from date_trunc('second', event_time)) as bigint) - cast(extract(epoch from date_trunc('second', previous_event)) as bigint)) as pause_s,
        cast(floor((cast(extract(epoch from date_trunc('second', event_time)) as bigint) - cast(extract(epoch from date_trunc('second', observed_from)) as bigint)) / greatest(expected_interval_s, 1.0)) as bigint) as interval_number,
        cast(floor((cast(extract(epoch from date_trunc('second', previous_event)) as bigint) - cast(extract(epoch from date_trunc('second', observed_from)) as bigint)) / greatest(expected_interval_s, 1.0)) as bigint) as previous_interval_number
    from in_order
),

daily as (
    select
        event_date, device_id, sensor_key, location_key, tenant_id, metric, observed_from, observed_until, expected_interval_s,
        count(*) as value_count,
    min(value) as min_value,
    max(value) as max_value,
    avg(value) as avg_value,
    stddev_samp(value) as stddev_value,
    percentile_cont(0.5) within group (order by value) as p50_value,
    percentile_cont(0.95) within group (order by value) as p95_value,
    min(event_time) as first_event,
    max(event_time) as last_event,
        sum(
            case
                when event_time >= observed_until or expected_interval_s is null then 0
                when previous_event is null or interval_number <> previous_interval_number then 1
                else 0
            end
        ) as seen_intervals,
        sum(case when pause_s > 3 * expected_interval_s then 1 else 0 end) as inner_gaps,
        max(pause_s) as longest_inner_pause_s
    from paced
    group by event_date, device_id, sensor_key, location_key, tenant_id, metric, observed_from, observed_until, expected_interval_s
),

measured as (
    select
        daily.*,
        -- Less than one interval, as of a version that held for a minute, still is one.
        greatest(cast(floor((cast(extract(epoch from date_trunc('second', observed_until)) as bigint) - cast(extract(epoch from date_trunc('second', observed_from)) as bigint)) / greatest(expected_interval_s, 1.0)) as bigint), 1) as expected_intervals,
        greatest((cast(extract(epoch from date_trunc('second', first_event)) as bigint) - cast(extract(epoch from date_trunc('second', observed_from)) as bigint)), 0) as first_pause_s,
        greatest((cast(extract(epoch from date_trunc('second', observed_until)) as bigint) - cast(extract(epoch from date_trunc('second', last_event)) as bigint)), 0) as last_pause_s
    from daily
)

select
    event_date,
    cast(to_char(event_date, 'YYYYMMDD') as integer) as date_key,
    device_id,
    sensor_key,
    location_key,
    tenant_id,
    metric,
    value_count,
    min_value,
    max_value,
    avg_value,
    stddev_value,
    p50_value,
    p95_value,
    first_event,
    last_event,
    observed_from,
    observed_until,
    expected_interval_s,
    case when observed_until > observed_from and expected_interval_s is not null then expected_intervals end as expected_intervals,
    case when expected_interval_s is not null then seen_intervals end as seen_intervals,
    case
        when observed_until > observed_from and expected_interval_s is not null
            then least(cast(seen_intervals as double precision) / expected_intervals, 1.0)
    end as uptime,
    case
        when expected_interval_s is not null
            then inner_gaps
                + case when first_pause_s > 3 * expected_interval_s then 1 else 0 end
                + case when last_pause_s > 3 * expected_interval_s then 1 else 0 end
    end as gaps,
    greatest(coalesce(longest_inner_pause_s, 0), first_pause_s, last_pause_s) as longest_pause_s
from measured
  );
