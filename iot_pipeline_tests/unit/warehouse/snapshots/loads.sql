-- What is loaded: the curated location of each event hour.
SELECT event_hour, location
FROM lake.loads
