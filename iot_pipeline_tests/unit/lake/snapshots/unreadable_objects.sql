-- The raw objects of these arrival hours that could not be read when they were judged.
SELECT DISTINCT year, month, day, hour, object
FROM ledger
WHERE outcome = 'unreadable_object'
    AND ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
