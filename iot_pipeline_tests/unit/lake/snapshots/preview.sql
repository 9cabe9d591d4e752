-- A few rows of an event hour, for a person to look at.
SELECT device_id, event_time, seq, temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon, extras, tenant, site, fw, received_at, duplicates, conflicts
FROM curated_telemetry
WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12')))
    AND "$path" IN ('s3://lake/judged/v=20261105T120000_0a1b2c3d/year=2026/month=11/day=05/hour=12/new')
LIMIT 10
