-- How long after the event the readings of these event hours were received: a histogram by upper bound. Of `objects` of their curated rows (s3://bucket/key) alone, if they are given; so do `repeated_keys`, `rows_out_of_contract` and `preview`.
SELECT lateness, count(*) AS readings
FROM (
    SELECT CASE
        WHEN received_at - event_time <= INTERVAL '1' MINUTE THEN '1 <= 1 min'
        WHEN received_at - event_time <= INTERVAL '10' MINUTE THEN '2 <= 10 min'
        WHEN received_at - event_time <= INTERVAL '1' HOUR THEN '3 <= 1 h'
        WHEN received_at - event_time <= INTERVAL '6' HOUR THEN '4 <= 6 h'
        WHEN received_at - event_time <= INTERVAL '1' DAY THEN '5 <= 1 day'
        WHEN received_at - event_time <= INTERVAL '7' DAY THEN '6 <= 7 days'
        ELSE '7 > 7 days' END AS lateness
    FROM curated_telemetry
    WHERE ((year = '2025' AND month = '12' AND day = '31' AND hour IN ('23'))
    OR (year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13')))
    AND "$path" IN ('s3://lake/judged/v=20261105T120000_0a1b2c3d/year=2026/month=11/day=05/hour=12/new')
)
GROUP BY lateness
ORDER BY lateness
