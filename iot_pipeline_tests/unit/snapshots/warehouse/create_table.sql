-- A landing table.
CREATE TABLE IF NOT EXISTS registry.site_versions (
    tenant_id varchar(1024),
    site_id varchar(1024),
    customer_id varchar(1024),
    name varchar(1024),
    country varchar(1024),
    timezone varchar(1024),
    lat double precision,
    lon double precision,
    valid_from timestamp,
    valid_to timestamp,
    recorded_at timestamp
)
