create  table
    "telemetry"."marts"."dim_customer"

    diststyle all

      compound sortkey(customer_id)
  as (

select customer_id, tenant_id, customer_name, created_at
from "telemetry"."staging"."stg_customers"
union all
select 'unknown', 'unknown', 'Unknown customer', cast('1900-01-01 00:00:00' as timestamp)
  );
