-- The objects of these arrival hours' judged rows that hold valid readings of these event hours. It reads one narrow column, where a build would read them all.
SELECT DISTINCT year, month, day, hour, "$path" AS judged_object
FROM judged_telemetry
WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13')))
    AND object IN (
        SELECT object
        FROM ledger
        WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13')))
            AND outcome = 'valid'
            AND event_hour IN (TIMESTAMP '2025-12-31 23:00:00', TIMESTAMP '2026-11-05 12:00:00', TIMESTAMP '2026-11-05 13:00:00')
    )
