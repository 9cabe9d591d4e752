-- When each site was last heard of, within these arrival hours.
SELECT tenant, site, max(last_received) AS last_received, sum(readings) AS readings
FROM ledger
WHERE tenant IS NOT NULL
    AND year || month || day || hour BETWEEN '2026102912' AND '2026110512'
GROUP BY tenant, site
ORDER BY tenant, site
