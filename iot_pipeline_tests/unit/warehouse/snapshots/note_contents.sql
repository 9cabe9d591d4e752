-- Note the content ids of loads.
UPDATE lake.loads
SET content = noted.content
FROM (
    SELECT TIMESTAMP '2026-11-05 12:00:00' AS event_hour, '0123456789abcdef' AS content
    UNION ALL SELECT TIMESTAMP '2026-11-05 13:00:00' AS event_hour, 'fedcba9876543210' AS content
) AS noted
WHERE noted.event_hour = loads.event_hour
