select tenant_id, name as tenant_name, plan, created_at
from {{ source('registry', 'tenants') }}
