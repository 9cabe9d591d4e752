-- Event hours with valid readings in these arrival hours.
SELECT DISTINCT event_hour
FROM ledger
WHERE outcome = 'valid'
    AND ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
