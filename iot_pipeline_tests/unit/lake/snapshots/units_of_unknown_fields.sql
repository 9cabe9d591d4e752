-- The units that devices state of fields unknown to the contract, as JSON texts; null where they state none.
SELECT name, unit, count(*) AS readings
FROM (
    SELECT name, element_at(sent, 'unit.' || name) AS unit
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
GROUP BY name, unit
ORDER BY readings DESC, name, unit
LIMIT 500
