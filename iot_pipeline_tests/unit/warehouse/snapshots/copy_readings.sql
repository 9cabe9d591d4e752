-- Load a curated partition, whose columns are those it was built with. Parquet is loaded by position, so that the list of columns must be the files' own; a column it leaves out becomes null (Redshift database developer guide, "COPY from columnar data formats", "Column mapping options").
COPY lake.readings (device_id, event_time, seq, temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon, extras, tenant, site, fw, received_at, duplicates, conflicts)
FROM 's3://lake/curated/telemetry/v=20261105T130000_0a1b2c3d/year=2026/month=11/day=05/hour=12/'
IAM_ROLE 'arn:aws:iam::123456789012:role/warehouse-copy'
FORMAT AS PARQUET SERIALIZETOJSON
