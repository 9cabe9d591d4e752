create  table
    "telemetry"."marts"."fact_sensor_daily"

    diststyle key distkey (device_id)

      compound sortkey(event_date,device_id)
  as (

with readings_of_stale_dates as (
    select cast(event_hour as date) as event_date, facts.*
    from "telemetry"."marts"."fact_sensor_readings" as facts
    where cast(event_hour as date) in (select event_date from "telemetry"."marts"."stale_dates")
),

-- A date, or the part of it in which the sensor and its site were what they were; numbered, since values are sorted by it.
pieces as (
    select
        row_number() over (
            order by parts.event_date, parts.device_id, parts.sensor_key, parts.location_key
        ) as piece,
        parts.*,
        greatest(cast(parts.event_date as timestamp), sensors.valid_from, locations.valid_from) as observed_from,
        greatest(
        least(cast(parts.event_date as timestamp) + interval '1 day', sensors.valid_to, locations.valid_to, clock.as_of),
        greatest(cast(parts.event_date as timestamp), sensors.valid_from, locations.valid_from)
    ) as observed_until,
        sensors.expected_interval_s
    from (
        select distinct event_date, device_id, sensor_key, location_key, tenant_id
        from readings_of_stale_dates
    ) as parts
    join "telemetry"."marts"."dim_sensor" as sensors on sensors.sensor_key = parts.sensor_key
    join "telemetry"."marts"."dim_location" as locations on locations.location_key = parts.location_key
    cross join "telemetry"."marts"."clock" as clock
),

readings as (
    select
        pieces.piece,
        readings.event_time,
        cast(extract(epoch from date_trunc('second', readings.event_time)) as bigint) as event_second,
        case
            when readings.event_time < pieces.observed_until
                then cast(floor((cast(extract(epoch from date_trunc('second', readings.event_time)) as bigint) - cast(extract(epoch from date_trunc('second', pieces.observed_from)) as bigint)) / greatest(pieces.expected_interval_s, 1.0)) as bigint)
        end as interval_number,
        3 * pieces.expected_interval_s as gap_s,
        readings.temperature,
        readings.humidity,
        readings.pressure,
        readings.flow_rate,
        readings.battery,
        readings.rssi
    from readings_of_stale_dates as readings
    join pieces
        on pieces.event_date = readings.event_date
        and pieces.device_id = readings.device_id
        and pieces.sensor_key = readings.sensor_key
        and pieces.location_key = readings.location_key
),

long_form as (

    select piece, event_time, event_second, interval_number, gap_s, cast('temperature' as varchar(64)) as metric, temperature as value
    from readings
    where temperature is not null
    union all
    select piece, event_time, event_second, interval_number, gap_s, cast('humidity' as varchar(64)) as metric, humidity as value
    from readings
    where humidity is not null
    union all
    select piece, event_time, event_second, interval_number, gap_s, cast('pressure' as varchar(64)) as metric, pressure as value
    from readings
    where pressure is not null
    union all
    select piece, event_time, event_second, interval_number, gap_s, cast('flow_rate' as varchar(64)) as metric, flow_rate as value
    from readings
    where flow_rate is not null
    union all
    select piece, event_time, event_second, interval_number, gap_s, cast('battery' as varchar(64)) as metric, battery as value
    from readings
    where battery is not null
    union all
    select piece, event_time, event_second, interval_number, gap_s, cast('rssi' as varchar(64)) as metric, rssi as value
    from readings
    where rssi is not null

),

in_order as (
    select
        long_form.*,
        event_second - lag(event_second) over (partition by piece, metric order by event_time) as pause_s,
        lag(interval_number) over (partition by piece, metric order by event_time) as previous_interval_number
    from long_form
),

daily as (
    select
        piece,
        metric,
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
                when interval_number is null then 0
                when previous_interval_number is null or interval_number <> previous_interval_number then 1
                else 0
            end
        ) as seen_intervals,
        sum(case when pause_s > gap_s then 1 else 0 end) as inner_gaps,
        max(pause_s) as longest_inner_pause_s
    from in_order
    group by piece, metric
),

measured as (
    select
        pieces.event_date,
        pieces.device_id,
        pieces.sensor_key,
        pieces.location_key,
        pieces.tenant_id,
        pieces.observed_from,
        pieces.observed_until,
        pieces.expected_interval_s,
        daily.*,
        3 * pieces.expected_interval_s as gap_s,
        -- Less than one interval, as of a version that held for a minute, still is one.
        greatest(
            cast(floor((cast(extract(epoch from date_trunc('second', pieces.observed_until)) as bigint) - cast(extract(epoch from date_trunc('second', pieces.observed_from)) as bigint)) / greatest(pieces.expected_interval_s, 1.0)) as bigint), 1
        ) as all_intervals,
        (cast(extract(epoch from date_trunc('second', least(daily.first_event, pieces.observed_until))) as bigint) - cast(extract(epoch from date_trunc('second', pieces.observed_from)) as bigint)) as first_pause_s,
        greatest((cast(extract(epoch from date_trunc('second', pieces.observed_until)) as bigint) - cast(extract(epoch from date_trunc('second', daily.last_event)) as bigint)), 0) as last_pause_s
    from daily
    join pieces on pieces.piece = daily.piece
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
    case when observed_until > observed_from and expected_interval_s is not null then all_intervals end as expected_intervals,
    case when expected_interval_s is not null then seen_intervals end as seen_intervals,
    case
        when observed_until > observed_from and expected_interval_s is not null
            then least(cast(seen_intervals as double precision) / all_intervals, 1.0)
    end as uptime,
    case
        when expected_interval_s is not null
            then inner_gaps
                + case when first_pause_s > gap_s then 1 else 0 end
                + case when last_pause_s > gap_s then 1 else 0 end
    end as gaps,
    greatest(coalesce(longest_inner_pause_s, 0), first_pause_s, last_pause_s) as longest_pause_s
from measured
  );
