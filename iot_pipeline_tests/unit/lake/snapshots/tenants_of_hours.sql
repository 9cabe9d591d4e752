-- Which of these tenants have data in these hours, or days, of a table; null stands for rows without a tenant.
SELECT DISTINCT year, month, day, hour, tenant
FROM ledger
WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
    AND (tenant IS NULL OR tenant IN ('acme', 'it''s'))
