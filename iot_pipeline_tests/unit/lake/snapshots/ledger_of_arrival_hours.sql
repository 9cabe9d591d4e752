-- What these arrival hours hold, by outcome.
SELECT year, month, day, hour, outcome, sum(messages) AS messages, sum(readings) AS readings, sum(with_extras) AS with_extras,
    count(DISTINCT object) AS objects
FROM ledger
WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
GROUP BY year, month, day, hour, outcome
