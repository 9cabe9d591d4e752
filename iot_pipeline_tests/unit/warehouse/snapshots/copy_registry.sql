-- Load one table of a registry snapshot.
COPY registry.site_versions (tenant_id, site_id, customer_id, name, country, timezone, lat, lon, valid_from, valid_to, recorded_at)
FROM 's3://lake/curated/telemetry/v=20261105T130000_0a1b2c3d/year=2026/month=11/day=05/hour=12/'
IAM_ROLE 'arn:aws:iam::123456789012:role/warehouse-copy'
FORMAT AS PARQUET
