-- The raw objects whose rows lie in these objects of an arrival hour's judged rows.
SELECT DISTINCT object
FROM judged_telemetry
WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12')))
    AND "$path" IN ('s3://lake/judged/v=20261105T120000_0a1b2c3d/year=2026/month=11/day=05/hour=12/new')
