-- Give the facts the content ids of the loads that they were built from.
UPDATE marts.fact_hours
SET content = coalesce(loads.content, loads.location)
FROM lake.loads AS loads
WHERE loads.event_hour = fact_hours.event_hour AND loads.location = fact_hours.location
