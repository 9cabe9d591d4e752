-- Readings of event hours that no load accounts for; none is expected.
SELECT counted.event_hour, counted.readings
FROM (
    SELECT date_trunc('hour', event_time) AS event_hour, count(*) AS readings
    FROM lake.readings
    GROUP BY 1
) AS counted
LEFT JOIN lake.loads ON loads.event_hour = counted.event_hour
WHERE loads.event_hour IS NULL
ORDER BY 1
