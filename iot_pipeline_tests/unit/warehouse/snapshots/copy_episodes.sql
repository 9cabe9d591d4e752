-- Load a day's partition of the alerts' history, whose columns are those it was built with.
COPY lake.alert_episodes (device_id, event_time, seq, temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon, extras, tenant, site, fw, received_at, duplicates, conflicts)
FROM 's3://lake/curated/telemetry/v=20261105T130000_0a1b2c3d/year=2026/month=11/day=05/hour=12/'
IAM_ROLE 'arn:aws:iam::123456789012:role/warehouse-copy'
FORMAT AS PARQUET
