{{ config(sort=['tenant_id']) }}

select tenant_id, tenant_name, plan, created_at
from {{ ref('stg_tenants') }}
union all
select 'unknown', 'Unknown tenant', 'none', {{ far_past() }}
