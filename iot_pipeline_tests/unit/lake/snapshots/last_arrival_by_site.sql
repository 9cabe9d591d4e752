-- When each site was last heard of, within these arrival hours, and how many readings it sent in them.
SELECT tenant, site, max(last_received) AS last_received, sum(readings) AS readings
FROM ledger
WHERE tenant IS NOT NULL
    AND ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
GROUP BY tenant, site
ORDER BY tenant, site
