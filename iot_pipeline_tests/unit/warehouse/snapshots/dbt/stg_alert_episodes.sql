create view "telemetry"."staging"."stg_alert_episodes__dbt_tmp" as (
    select
    episode_id,
    cast(opened_at as date) as opened_date,
    device_id,
    tenant as reported_tenant,
    site as reported_site,
    subject,
    rule,
    metric,
    severity,
    opened_severity,
    status = 'open' as is_open,
    flapping,
    opened_at,
    recorded_at,
    escalated_at,
    acknowledged_at,
    acknowledged_by,
    notified_at,
    resolved_at,
    last_value,
    limit_value,
    worst_value,
    parent_id,
    held_by,
    trace
from "telemetry"."lake"."alert_episodes"
  ) with no schema binding;
