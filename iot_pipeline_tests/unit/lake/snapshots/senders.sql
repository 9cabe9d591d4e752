-- Who has sent anything within these arrival hours, by hour: tenants and devices.
SELECT DISTINCT year, month, day, hour, tenant, device_id
FROM judged_telemetry
WHERE ((year = '2026' AND month = '10' AND day = '29' AND hour IN ('12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '10' AND day IN ('30', '31') AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '11' AND day IN ('01', '02', '03', '04') AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '11' AND day = '05' AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12')))
    AND (tenant IS NOT NULL OR device_id IS NOT NULL)
