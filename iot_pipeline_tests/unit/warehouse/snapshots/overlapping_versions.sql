-- Versions of one thing of which two hold at the same time; none is expected.
SELECT tenant_id, site_id, valid_from, valid_to, next_from
FROM (
    SELECT tenant_id, site_id, valid_from, valid_to,
        lead(valid_from) OVER (PARTITION BY tenant_id, site_id ORDER BY valid_from) AS next_from
    FROM registry.site_versions
) AS versions
WHERE valid_to <= valid_from OR next_from < coalesce(valid_to, TIMESTAMP '9999-12-31 00:00:00')
ORDER BY tenant_id, site_id, valid_from
LIMIT 100
