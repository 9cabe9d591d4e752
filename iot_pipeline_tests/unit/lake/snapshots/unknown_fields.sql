-- Fields unknown to the contract in these arrival hours, by firmware: readings, devices, and when first.
SELECT fw, name, count(*) AS readings, count(DISTINCT device_id) AS devices, min(received_at) AS first_seen
FROM judged_telemetry
CROSS JOIN UNNEST(map_keys(CAST(json_parse(extras) AS MAP(VARCHAR, JSON)))) AS sent (name)
WHERE extras IS NOT NULL
    AND received_at IS NOT NULL
    AND ((year = '2026' AND month = '10' AND day = '29' AND hour IN ('12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '10' AND day IN ('30', '31') AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '11' AND day IN ('01', '02', '03', '04') AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '11' AND day = '05' AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12')))
GROUP BY fw, name
ORDER BY readings DESC, name
LIMIT 500
