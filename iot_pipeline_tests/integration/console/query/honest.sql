SELECT count(*) FROM telemetry
SELECT * FROM curated_telemetry ORDER BY device_id, event_time, seq
SELECT t.* FROM telemetry t ORDER BY t.device_id, t.event_time, t.seq LIMIT 7
SELECT site, avg(temperature) AS mean, max(humidity) FROM telemetry WHERE year = '2026' AND month = '11' AND day = '20' GROUP BY site ORDER BY site
SELECT DISTINCT device_id FROM telemetry WHERE year = '2026' AND month = '11' AND day = '20' ORDER BY 1
SELECT device_id, count(*) n FROM telemetry GROUP BY 1 HAVING count(*) > 3 ORDER BY n DESC, 1
SELECT hour, min(temperature), max(temperature) FROM curated_telemetry GROUP BY hour ORDER BY hour
SELECT date_trunc('hour', event_time) h, sum(flow_rate) FROM telemetry GROUP BY 1 ORDER BY 1
SELECT device_id, seq, lag(temperature) OVER (PARTITION BY device_id ORDER BY event_time, seq) FROM telemetry ORDER BY 1, 2, 3
SELECT device_id, seq, avg(temperature) OVER (PARTITION BY device_id ORDER BY event_time, seq ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) m FROM telemetry ORDER BY device_id, event_time, seq
SELECT * FROM (SELECT device_id, event_time, row_number() OVER (PARTITION BY device_id ORDER BY event_time DESC, seq) rn FROM telemetry) WHERE rn = 1 ORDER BY device_id
SELECT device_id, rank() OVER (ORDER BY max(temperature) DESC) r FROM telemetry GROUP BY device_id ORDER BY 1
WITH hourly AS (SELECT hour, avg(temperature) m FROM telemetry GROUP BY hour) SELECT hour, m - lag(m) OVER (ORDER BY hour) d FROM hourly ORDER BY hour
WITH telemetry AS (SELECT * FROM telemetry WHERE seq > 2) SELECT count(*), min(seq) FROM telemetry
WITH a AS (SELECT device_id, max(temperature) t FROM telemetry GROUP BY 1), b AS (SELECT * FROM a WHERE t > 1) SELECT a.device_id, b.t FROM a LEFT JOIN b ON a.device_id = b.device_id ORDER BY 1
WITH a AS (SELECT 1 AS x) SELECT * FROM (WITH a AS (SELECT 2 AS x) SELECT x FROM a) CROSS JOIN a
SELECT t.device_id, d.device_name, count(*) FROM telemetry t JOIN registry_devices d ON d.device_id = t.device_id GROUP BY 1, 2 ORDER BY 1, 2
SELECT device_id, count(*) FROM telemetry JOIN registry_devices USING (device_id) GROUP BY device_id ORDER BY 1
SELECT s.site_name, avg(t.temperature) FROM telemetry AS t LEFT JOIN registry_sites AS s ON s.site_id = t.site GROUP BY s.site_name ORDER BY 1
SELECT device_name, site_name, country, count(*) FROM device_telemetry GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
SELECT d.device_id FROM registry_devices d WHERE NOT EXISTS (SELECT 1 FROM telemetry t WHERE t.device_id = d.device_id) ORDER BY 1
SELECT device_id FROM registry_devices WHERE device_id IN (SELECT device_id FROM telemetry WHERE temperature > 3) ORDER BY 1
SELECT device_id FROM registry_devices WHERE device_id NOT IN (SELECT device_id FROM telemetry WHERE temperature > 300) ORDER BY 1
SELECT approx_percentile(temperature, 0.5), approx_percentile(humidity, 0.95) FROM telemetry
SELECT device_id, approx_percentile(temperature, 0.9) p FROM telemetry GROUP BY device_id ORDER BY device_id
SELECT approx_distinct(device_id), count(DISTINCT site) FROM telemetry
SELECT extras['x'], element_at(extras, 'none') FROM telemetry ORDER BY device_id, event_time, seq LIMIT 5
SELECT k, count(*) FROM telemetry CROSS JOIN UNNEST(map_keys(extras)) AS e(k) GROUP BY k ORDER BY k
SELECT k, v, count(*) n FROM telemetry CROSS JOIN UNNEST(extras) AS e(k, v) GROUP BY 1, 2 ORDER BY 1, 2
SELECT n, letter FROM UNNEST(ARRAY['a', 'b', 'c']) WITH ORDINALITY AS t(letter, n) ORDER BY n
SELECT cardinality(extras), map_keys(extras) FROM telemetry ORDER BY device_id, event_time, seq LIMIT 3
SELECT site, fw, count(*) FROM telemetry GROUP BY GROUPING SETS ((site), (fw), ()) ORDER BY 1, 2, 3
SELECT site, device_id, count(*), grouping(site, device_id) g FROM telemetry GROUP BY ROLLUP (site, device_id) ORDER BY 4, 1, 2
SELECT site, fw, sum(seq) FROM telemetry GROUP BY CUBE (site, fw) ORDER BY 1, 2, 3
SELECT CASE WHEN temperature < 2 THEN 'cold' WHEN temperature < 4 THEN 'mild' ELSE 'warm' END c, count(*) FROM telemetry GROUP BY 1 ORDER BY 1
SELECT CASE site WHEN 'site-0' THEN 0 ELSE 1 END s, max(seq) FROM telemetry GROUP BY 1 ORDER BY 1
SELECT TRY(CAST(fw AS bigint)), TRY_CAST(extras['x'] AS bigint) x FROM telemetry ORDER BY device_id, event_time, seq LIMIT 4
SELECT if(temperature > 2, 'high', 'low') l, count(*) FROM telemetry GROUP BY 1 ORDER BY 1
SELECT coalesce(device_id, 'none'), nullif(site, 'site-0'), greatest(temperature, humidity) FROM telemetry ORDER BY 1, 2, 3 LIMIT 5
SELECT count_if(temperature > 2), bool_or(seq > 3), bool_and(seq >= 0) FROM telemetry
SELECT max_by(device_id, temperature), min_by(seq, event_time) FROM telemetry WHERE seq = 1
SELECT array_agg(seq ORDER BY seq DESC) FROM telemetry WHERE hour = '22'
SELECT count(*) FILTER (WHERE temperature > 2) AS hot, count(*) FROM telemetry
SELECT stddev(temperature), variance(humidity), corr(temperature, pressure) FROM telemetry
SELECT event_time + INTERVAL '1' HOUR, event_time - INTERVAL '10' MINUTE FROM telemetry ORDER BY 1, device_id LIMIT 3
SELECT date_diff('minute', min(event_time), max(event_time)), date_add('day', 1, max(event_time)) FROM telemetry
SELECT date_format(event_time, '%Y-%m-%d %H:%i') t, count(*) FROM telemetry GROUP BY 1 ORDER BY 1 LIMIT 5
SELECT extract(hour FROM event_time) h, day_of_week(event_time) d, count(*) FROM telemetry GROUP BY 1, 2 ORDER BY 1, 2
SELECT count(*) FROM telemetry WHERE event_time >= TIMESTAMP '2026-11-20 23:00:00' AND event_time < TIMESTAMP '2026-11-21 00:30:00'
SELECT count(*) FROM telemetry WHERE event_time BETWEEN timestamp '2026-11-20 22:00:00' AND timestamp '2026-11-20 22:59:59'
SELECT CAST(event_time AS date) d, count(*) FROM telemetry WHERE CAST(event_time AS date) = DATE '2026-11-20' GROUP BY 1
SELECT to_unixtime(max(event_time)) - to_unixtime(min(event_time)), year(max(received_at)), from_iso8601_date('2026-11-20') FROM telemetry
SELECT event_time AT TIME ZONE 'UTC' FROM telemetry ORDER BY 1 LIMIT 2
SELECT round(avg(temperature), 2), floor(max(humidity)), abs(-1.5), 7 / 2, 7 % 4, power(2, 3) FROM telemetry
SELECT upper(site) || '-' || lower(fw), length(fw), substr(fw, 1, 2) FROM telemetry ORDER BY 1, seq LIMIT 3
SELECT regexp_extract(device_id, 'a-(\d+)', 1) n, count(*) FROM telemetry WHERE regexp_like(device_id, '^a-') GROUP BY 1 ORDER BY 1
SELECT device_id FROM registry_devices WHERE device_id LIKE 'a-%' AND device_name LIKE '%!_%' ESCAPE '!' ORDER BY 1
SELECT transform(ARRAY[1, 2, 3], x -> x * 2), filter(ARRAY[1, 2, 3], x -> x > 1), reduce(ARRAY[1, 2], 0, (s, x) -> s + x, s -> s)
SELECT json_extract_scalar(json_parse('{"a": {"b": 1}}'), '$.a.b'), json_array_length('[1, 2]')
SELECT site FROM telemetry UNION SELECT site_id FROM registry_sites ORDER BY 1
SELECT device_id FROM telemetry EXCEPT SELECT device_id FROM registry_devices WHERE device_id = 'a-0' ORDER BY 1
SELECT device_id FROM telemetry INTERSECT SELECT device_id FROM registry_devices ORDER BY 1
(SELECT 1 AS a) UNION ALL (SELECT 2) ORDER BY 1 DESC
SELECT reason, count(*) FROM quarantined_telemetry GROUP BY reason ORDER BY 2 DESC, 1
SELECT severity, rule, count(*) FROM alert_history WHERE resolved_at IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
SELECT a.episode_id, t.temperature FROM alert_history a JOIN telemetry t ON t.device_id = a.device_id AND t.seq = 1 WHERE a.flapping ORDER BY 1, 2
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(n, letter) JOIN (SELECT 2 AS n) USING (n)
SELECT (SELECT max(temperature) FROM telemetry) - (SELECT min(temperature) FROM telemetry) AS span
SELECT t.device_id, t.temperature FROM telemetry t WHERE t.temperature = (SELECT max(u.temperature) FROM telemetry u WHERE u.device_id = t.device_id) ORDER BY 1, 2
SELECT count(*) FROM daily_telemetry d FULL JOIN curated_telemetry c ON d.device_id = c.device_id AND d.seq = c.seq AND d.event_time = c.event_time
SELECT "Device_ID" AS "Gerät (°)", Temperature FROM TELEMETRY WHERE Year = '2026' ORDER BY 1, 2 LIMIT 3
SELECT "t"."seq" FROM "telemetry" AS "t" ORDER BY "t"."seq" DESC LIMIT 2 -- the newest
SELECT first_value(temperature) OVER w, last_value(seq) OVER w FROM telemetry WINDOW w AS (PARTITION BY site ORDER BY event_time, seq) ORDER BY 1, 2
SELECT ntile(4) OVER (ORDER BY temperature, device_id, event_time) q, temperature FROM telemetry ORDER BY 2, 1
SELECT map_agg(device_id, seq) FROM (SELECT device_id, max(seq) seq FROM telemetry GROUP BY 1 ORDER BY 1)
SELECT width_bucket(temperature, 0, 10, 5) b, count(*) FROM telemetry GROUP BY 1 ORDER BY 1
SELECT histogram(site) FROM telemetry WHERE hour = '23'
SELECT lat, lon FROM telemetry WHERE NOT (lat IS NULL) AND lat IS DISTINCT FROM lon ORDER BY 1, 2 LIMIT 3
SELECT d.device_id, m.t FROM registry_devices d CROSS JOIN LATERAL (SELECT max(t.temperature) AS t FROM telemetry t WHERE t.device_id = d.device_id) AS m ORDER BY 1, 2
