-- What was sent in fields unknown to the contract in these arrival hours: how many numbers, and which.
SELECT name, count(*) AS readings, count(DISTINCT device_id) AS devices, min(received_at) AS first_seen,
    count(number) AS numbers, min(number) AS least, approx_percentile(number, 0.01) AS p1, approx_percentile(number, 0.5) AS p50, approx_percentile(number, 0.99) AS p99, max(number) AS greatest
FROM (
    SELECT name, device_id, received_at, TRY_CAST(element_at(sent, name) AS DOUBLE) AS number
    FROM (
        SELECT device_id, received_at, CAST(json_parse(extras) AS MAP(VARCHAR, VARCHAR)) AS sent
        FROM judged_telemetry
        WHERE extras IS NOT NULL
            AND received_at IS NOT NULL
            AND ((year = '2026' AND month = '10' AND day = '29' AND hour IN ('12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '10' AND day IN ('30', '31') AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '11' AND day IN ('01', '02', '03', '04') AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '11' AND day = '05' AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12')))
    )
    CROSS JOIN UNNEST(map_keys(sent)) AS fields (name)
)
GROUP BY name
ORDER BY readings DESC, name
LIMIT 500
