-- The loads that were noted before content ids were: event hour and location.
SELECT event_hour, location
FROM lake.loads
WHERE content IS NULL
