-- Quarantined records of these arrival hours, by reason.
SELECT year, month, day, hour, reason, count(*) AS records
FROM quarantined_telemetry
WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
GROUP BY year, month, day, hour, reason
