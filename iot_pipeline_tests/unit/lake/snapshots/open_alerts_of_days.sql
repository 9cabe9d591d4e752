-- Those of these days on which alerts opened that are open still.
SELECT DISTINCT year, month, day
FROM alert_history
WHERE ((year = '2026' AND month = '11' AND day = '05')
    OR (year = '2026' AND month = '11' AND day = '06'))
    AND status = 'open'
