-- How many readings of an event hour each device has. Its columns are names alone: almost no bytes in Parquet.
SELECT tenant, site, device_id, count(*) AS readings
FROM curated_telemetry
WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12')))
GROUP BY tenant, site, device_id
