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
from {{ ref('fact_sensor_daily') }} as facts
join {{ ref('dim_location') }} as locations on locations.location_key = facts.location_key
left join {{ ref('dim_customer') }} as customers on customers.customer_id = locations.customer_id
where {{ has_begun('facts.event_date') }}
group by
    facts.event_date, facts.tenant_id, locations.site_id, locations.site_name, customers.customer_name, locations.country,
    facts.metric
