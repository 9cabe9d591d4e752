-- Rows of these event hours that no valid reading could have become; none is expected.
SELECT device_id, event_time, seq
FROM curated_telemetry
WHERE ((year = '2025' AND month = '12' AND day = '31' AND hour IN ('23'))
    OR (year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13')))
    AND "$path" IN ('s3://lake/judged/v=20261105T120000_0a1b2c3d/year=2026/month=11/day=05/hour=12/new')
    AND (temperature NOT BETWEEN DOUBLE '-60.0' AND DOUBLE '150.0'
        OR humidity NOT BETWEEN DOUBLE '0.0' AND DOUBLE '100.0'
        OR pressure NOT BETWEEN DOUBLE '300.0' AND DOUBLE '1100.0'
        OR flow_rate NOT BETWEEN DOUBLE '0.0' AND DOUBLE '500.0'
        OR battery NOT BETWEEN DOUBLE '0.0' AND DOUBLE '5.0'
        OR rssi NOT BETWEEN DOUBLE '-130.0' AND DOUBLE '0.0'
        OR date_format(event_time, '%Y%m%d%H') <> year || month || day || hour)
LIMIT 100
