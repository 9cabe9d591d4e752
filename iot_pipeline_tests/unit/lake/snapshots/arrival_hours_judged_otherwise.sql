-- Those of these arrival hours whose ledger says that other rules judged them than this contract's. `unnoted_stand`: rows without a note of what judged them are not named.
SELECT DISTINCT year, month, day, hour
FROM ledger
WHERE ((year = '2026' AND month = '11' AND day = '05' AND hour IN ('12', '13'))
    OR (year = '2026' AND month = '11' AND day = '06' AND hour IN ('00')))
    AND (judged_by IS NULL
        OR judged_by <> 'transformation 3, contract 1, future 3600'
        || CASE WHEN outcome <> 'too_late' AND date_diff('second', first_event, last_received) < 2592000 THEN '' ELSE ', lateness 2592000' END
        || CASE WHEN unknown_fields IS NOT NULL THEN if(regexp_like(unknown_fields, '"(unit\.)?(temperature|humidity|pressure|flow_rate|battery|rssi)"'), ', promoted', '')
            WHEN outcome <> 'no_metrics' AND with_extras = 0 THEN ''
            ELSE ', metrics c7ee13d62a37' END
        || CASE WHEN min_temperature IS NULL THEN ''
            WHEN min_temperature >= DOUBLE '-60.0' AND max_temperature <= DOUBLE '150.0' THEN ', temperature 403770438375'
            ELSE ', temperature 403770438375 -60.0 to 150.0' END
        || CASE WHEN min_humidity IS NULL THEN ''
            WHEN min_humidity >= DOUBLE '0.0' AND max_humidity <= DOUBLE '100.0' THEN ', humidity 8a465330b6a9'
            ELSE ', humidity 8a465330b6a9 0.0 to 100.0' END
        || CASE WHEN min_pressure IS NULL THEN ''
            WHEN min_pressure >= DOUBLE '300.0' AND max_pressure <= DOUBLE '1100.0' THEN ', pressure ec8ce3d082f5'
            ELSE ', pressure ec8ce3d082f5 300.0 to 1100.0' END
        || CASE WHEN min_flow_rate IS NULL THEN ''
            WHEN min_flow_rate >= DOUBLE '0.0' AND max_flow_rate <= DOUBLE '500.0' THEN ', flow_rate b32683d0dbba'
            ELSE ', flow_rate b32683d0dbba 0.0 to 500.0' END
        || CASE WHEN min_battery IS NULL THEN ''
            WHEN min_battery >= DOUBLE '0.0' AND max_battery <= DOUBLE '5.0' THEN ', battery a5271c1a9527'
            ELSE ', battery a5271c1a9527 0.0 to 5.0' END
        || CASE WHEN min_rssi IS NULL THEN ''
            WHEN min_rssi >= DOUBLE '-130.0' AND max_rssi <= DOUBLE '0.0' THEN ', rssi e312f4642c8b'
            ELSE ', rssi e312f4642c8b -130.0 to 0.0' END)
