-- The view on all readings: days before this one from `daily_telemetry`, it and later ones from their hours.
CREATE OR REPLACE VIEW telemetry AS
SELECT device_id, event_time, seq, temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon, extras, tenant, site, fw, received_at, duplicates, conflicts, year, month, day, hour
FROM daily_telemetry
WHERE (year < '2026' OR (year = '2026' AND (month < '11' OR (month = '11' AND day < '05'))))
UNION ALL
SELECT device_id, event_time, seq, temperature, humidity, pressure, flow_rate, battery, rssi, lat, lon, extras, tenant, site, fw, received_at, duplicates, conflicts, year, month, day, hour
FROM curated_telemetry
WHERE NOT (year < '2026' OR (year = '2026' AND (month < '11' OR (month = '11' AND day < '05'))))
