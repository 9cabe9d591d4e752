create  table
    "telemetry"."marts"."stale_hours"

    diststyle all

      compound sortkey(event_hour)
  as (

-- Data decides, neither a clock nor a variable: an hour is stale when the content of its load is not what its facts were built from,
-- or when its facts no longer fit the dimensions.
-- depends_on: "telemetry"."marts"."dim_sensor"
-- depends_on: "telemetry"."marts"."dim_location"
-- Read before, so that facts may be newer than it, which harms nothing, but never older, which would look like silence:
-- depends_on: "telemetry"."marts"."clock"

with noted as (
    select event_hour, content from "telemetry"."staging"."stg_loads" where 1 = 0
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

stale as (
    select event_hour, min(reason) as reason
    from (
        select event_hour, reason from by_load

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
  );
