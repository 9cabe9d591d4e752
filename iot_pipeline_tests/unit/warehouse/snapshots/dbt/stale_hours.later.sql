-- Data decides, neither a clock nor a variable: an hour is stale when the content of its load is not what its facts were built from,
-- or when its facts no longer fit the dimensions.
-- depends_on: "telemetry"."marts"."dim_sensor"
-- depends_on: "telemetry"."marts"."dim_location"
-- Read before, so that facts may be newer than it, which harms nothing, but never older, which would look like silence:
-- depends_on: "telemetry"."marts"."clock"

with noted as (
    select event_hour, content from "telemetry"."marts"."fact_hours"
),

by_load as (
    select
        coalesce(loads.event_hour, noted.event_hour) as event_hour,
        cast(
            case
                when loads.event_hour is null then 'load removed'
                when noted.event_hour is null then 'new'
                when noted.content is null then 'unfinished'
                else 'loaded again'
            end as varchar(32)
        ) as reason
    from "telemetry"."staging"."stg_loads" as loads
    full outer join noted on noted.event_hour = loads.event_hour
    where
        loads.event_hour is null
        or noted.content is null
        or noted.content <> loads.content
),

-- First and last event are readings' own times: a version that covers neither of them covers none, since the versions of a
-- device or a site follow each other without a pause.
by_dimension as (
    select distinct facts.event_hour, cast('dimension changed' as varchar(32)) as reason
    from "telemetry"."marts"."fact_sensor_hourly" as facts
    left join "telemetry"."marts"."dim_sensor" as sensors on sensors.sensor_key = facts.sensor_key
    left join "telemetry"."marts"."dim_location" as locations on locations.location_key = facts.location_key
    where
        sensors.sensor_key is null
        or locations.location_key is null
        or facts.first_event < sensors.valid_from
        or facts.last_event >= sensors.valid_to
        or facts.first_event < locations.valid_from
        or facts.last_event >= locations.valid_to
        or facts.tenant_id <> sensors.tenant_id
        or (locations.location_key <> 'unknown' and locations.tenant_id <> sensors.tenant_id)
        or (locations.location_key <> 'unknown' and locations.site_id <> sensors.site_id)
    union
    select distinct facts.event_hour, cast('device became known' as varchar(32)) as reason
    from "telemetry"."marts"."fact_sensor_hourly" as facts
    join "telemetry"."marts"."dim_sensor" as sensors on sensors.device_id = facts.device_id
    where
        facts.sensor_key = 'unknown'
        and ((facts.first_event >= sensors.valid_from and facts.first_event < sensors.valid_to) or (facts.last_event >= sensors.valid_from and facts.last_event < sensors.valid_to))
    union
    select distinct facts.event_hour, cast('site became known' as varchar(32)) as reason
    from "telemetry"."marts"."fact_sensor_hourly" as facts
    join "telemetry"."marts"."dim_sensor" as sensors on sensors.sensor_key = facts.sensor_key
    join "telemetry"."marts"."dim_location" as locations
        on locations.tenant_id = sensors.tenant_id and locations.site_id = sensors.site_id
    where
        facts.location_key = 'unknown'
        and facts.sensor_key <> 'unknown'
        and ((facts.first_event >= locations.valid_from and facts.first_event < locations.valid_to) or (facts.last_event >= locations.valid_from and facts.last_event < locations.valid_to))
),

stale as (
    select event_hour, min(reason) as reason
    from (
        select event_hour, reason from by_load
        union all
        select event_hour, reason from by_dimension
    ) as reasons
    group by event_hour
),

newest_first as (
    select event_hour, reason, row_number() over (order by event_hour desc) as place, count(*) over () as stale_hours
    from stale
)

select
    newest_first.event_hour,
    loads.content,
    loads.location,
    newest_first.reason,
    -- Stale hours that this run leaves to the next; a full refresh, which begins with empty tables, leaves none.
    greatest(newest_first.stale_hours - 168, 0) as hours_left
from newest_first
left join "telemetry"."staging"."stg_loads" as loads on loads.event_hour = newest_first.event_hour
where newest_first.place <= 168
;

delete from "telemetry"."marts"."stale_hours";

    insert into "telemetry"."marts"."stale_hours" ("event_hour", "content", "location", "reason", "hours_left")
    select "event_hour", "content", "location", "reason", "hours_left" from "stale_hours__dbt_tmp"
