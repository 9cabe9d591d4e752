-- Those of these event hours that are loaded, and whose facts are not of that load.
SELECT loads.event_hour
FROM lake.loads AS loads
LEFT JOIN marts.fact_hours AS facts ON facts.event_hour = loads.event_hour
WHERE loads.event_hour IN (TIMESTAMP '2026-11-05 12:00:00', TIMESTAMP '2026-11-05 13:00:00', TIMESTAMP '2026-11-06 00:00:00')
    AND (facts.content IS NULL OR facts.content <> loads.content)
