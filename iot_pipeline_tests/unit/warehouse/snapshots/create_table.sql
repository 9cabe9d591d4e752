-- A landing table.
CREATE TABLE IF NOT EXISTS registry.site_versions (
    tenant_id varchar(128),
    site_id varchar(128),
    customer_id varchar(128),
    name varchar(128),
    country varchar(128),
    timezone varchar(128),
    lat double precision,
    lon double precision,
    valid_from timestamp,
    valid_to timestamp,
    recorded_at timestamp
)
