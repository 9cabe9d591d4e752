-- Keys that stand more than once in these event hours; none is expected.
SELECT device_id, event_time, seq, count(*) AS copies
FROM curated_telemetry
WHERE ((year = '2025' AND month = '12' AND day = '31' AND hour IN ('23'))
    OR (year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13')))
    AND "$path" IN ('s3://lake/judged/v=20261105T120000_0a1b2c3d/year=2026/month=11/day=05/hour=12/new')
GROUP BY device_id, event_time, seq
HAVING count(*) > 1
LIMIT 100
