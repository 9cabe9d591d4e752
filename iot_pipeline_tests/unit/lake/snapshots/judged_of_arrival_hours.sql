-- Judged rows of these arrival hours, by outcome.
SELECT year, month, day, hour, outcome, count(*) AS readings
FROM judged_telemetry
WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
GROUP BY year, month, day, hour, outcome
