-- Of a ledger's build: valid readings by arrival and event hour, with the checksum of a mark.
SELECT event_hour, year, month, day, hour, sum(readings) AS valid,
    to_hex(checksum(object || coalesce(' ' || content, ' ' || judged_by, ''))) AS objects
FROM build_curated_telemetry_20261105t120000_0a1b2c3d
WHERE outcome = 'valid'
GROUP BY event_hour, year, month, day, hour
