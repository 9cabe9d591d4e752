-- Readings of these arrival hours by firmware and outcome: how many, of how many devices, with which metrics.
SELECT fw, outcome, count(*) AS readings, count(DISTINCT device_id) AS devices, count(temperature) AS temperature, count(humidity) AS humidity, count(pressure) AS pressure, count(flow_rate) AS flow_rate, count(battery) AS battery, count(rssi) AS rssi
FROM judged_telemetry
WHERE outcome IN ('valid', 'invalid_value', 'unknown_unit')
    AND ((year = '2026' AND month = '10' AND day = '29' AND hour IN ('12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '10' AND day IN ('30', '31') AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '11' AND day IN ('01', '02', '03', '04') AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22', '23'))
    OR (year = '2026' AND month = '11' AND day = '05' AND hour IN ('00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12')))
GROUP BY fw, outcome
ORDER BY fw, outcome
