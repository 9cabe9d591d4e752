-- The raw objects that the ledger knows of these arrival hours.
SELECT DISTINCT year, month, day, hour, object
FROM ledger
WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
