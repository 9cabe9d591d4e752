-- What stood in `unit` of readings that were refused for it, in these arrival hours.
SELECT detail, count(*) AS readings
FROM judged_telemetry
WHERE outcome = 'unknown_unit'
    AND ((year = '2026' AND month = '10' AND day = '29' AND hour IN ('12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '10' AND day IN ('30', '31') AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '11' AND day IN ('01', '02', '03', '04') AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '11' AND day = '05' AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12')))
GROUP BY detail
ORDER BY readings DESC, detail
LIMIT 500
