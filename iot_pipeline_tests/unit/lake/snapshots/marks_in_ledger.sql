-- The same of these arrival hours in the ledger, for those whose build did not note it.
SELECT event_hour, year, month, day, hour, sum(readings) AS valid,
    to_hex(checksum(object || coalesce(' ' || content, ' ' || judged_by, ''))) AS objects
FROM ledger
WHERE outcome = 'valid'
    AND ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
GROUP BY event_hour, year, month, day, hour
