create view "telemetry"."reporting"."site_comparison__dbt_tmp" as (
    select
    facts.event_date,
    facts.tenant_id,
    locations.site_id,
    locations.site_name,
    customers.customer_name,
    locations.country,
    facts.metric,
    count(distinct facts.device_id) as devices,
    cast(sum(facts.value_count) as bigint) as value_count,
    min(facts.min_value) as min_value,
    sum(facts.avg_value * facts.value_count) / sum(facts.value_count) as avg_value,
    max(facts.max_value) as max_value,
    avg(facts.uptime) as uptime,
    cast(sum(facts.gaps) as bigint) as gaps
from "telemetry"."marts"."fact_sensor_daily" as facts
join "telemetry"."marts"."dim_location" as locations on locations.location_key = facts.location_key
left join "telemetry"."marts"."dim_customer" as customers on customers.customer_id = locations.customer_id
where facts.event_date <= (select cast(as_of as date) from "telemetry"."marts"."clock")
group by
    facts.event_date, facts.tenant_id, locations.site_id, locations.site_name, customers.customer_name, locations.country,
    facts.metric
  ) with no schema binding;
