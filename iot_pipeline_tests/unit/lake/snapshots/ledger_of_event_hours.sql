-- Valid readings of these event hours by arrival hour, with a checksum over the raw objects they stand in and over the rules that judged them.
SELECT event_hour, year, month, day, hour, sum(readings) AS valid,
    to_hex(checksum(object || coalesce(' ' || judged_by, ''))) AS objects
FROM ledger
WHERE outcome = 'valid'
    AND year || month || day || hour BETWEEN '2025123122' AND '2026120514'
    AND event_hour IN (TIMESTAMP '2025-12-31 23:00:00', TIMESTAMP '2026-11-05 12:00:00', TIMESTAMP '2026-11-05 13:00:00')
GROUP BY event_hour, year, month, day, hour
