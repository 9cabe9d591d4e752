{{ config(sort=['customer_id']) }}

select customer_id, tenant_id, customer_name, created_at
from {{ ref('stg_customers') }}
union all
select 'unknown', 'unknown', 'Unknown customer', {{ far_past() }}
