create view "telemetry"."reporting"."alert_summary__dbt_tmp" as (
    -- Medians are sort-based aggregates, of which Redshift wants one order for all of a query.
with alerts as (
    select facts.*, locations.site_id, locations.site_name
    from "telemetry"."marts"."fact_alerts" as facts
    join "telemetry"."marts"."dim_location" as locations on locations.location_key = facts.location_key
),

counted as (
    select
        opened_date,
        tenant_id,
        site_id,
        rule,
        max(site_name) as site_name,
        count(*) as alerts,
        sum(case when severity = 'critical' then 1 else 0 end) as critical,
        sum(case when is_open then 1 else 0 end) as open_alerts,
        sum(case when parent_id is not null then 1 else 0 end) as spoken_for,
        sum(case when flapping then 1 else 0 end) as flapping,
        count(acknowledged_at) as acknowledged
    from alerts
    group by opened_date, tenant_id, site_id, rule
),

acknowledgements as (
    select
        opened_date,
        tenant_id,
        site_id,
        rule,
        percentile_cont(0.5) within group (order by seconds_to_acknowledge) as median_seconds
    from alerts
    where seconds_to_acknowledge is not null
    group by opened_date, tenant_id, site_id, rule
),

resolutions as (
    select
        opened_date,
        tenant_id,
        site_id,
        rule,
        percentile_cont(0.5) within group (order by seconds_to_resolve) as median_seconds
    from alerts
    where seconds_to_resolve is not null
    group by opened_date, tenant_id, site_id, rule
)

select
    counted.opened_date,
    counted.tenant_id,
    counted.site_id,
    counted.site_name,
    counted.rule,
    counted.alerts,
    counted.critical,
    counted.open_alerts,
    counted.spoken_for,
    counted.flapping,
    counted.acknowledged,
    acknowledgements.median_seconds as median_seconds_to_acknowledge,
    resolutions.median_seconds as median_seconds_to_resolve
from counted
left join acknowledgements
    on acknowledgements.opened_date = counted.opened_date and acknowledgements.tenant_id = counted.tenant_id
    and acknowledgements.site_id = counted.site_id and acknowledgements.rule = counted.rule
left join resolutions
    on resolutions.opened_date = counted.opened_date and resolutions.tenant_id = counted.tenant_id
    and resolutions.site_id = counted.site_id and resolutions.rule = counted.rule
  ) with no schema binding;
