select customer_id, tenant_id, name as customer_name, created_at
from {{ source('registry', 'customers') }}
