-- What is loaded: the content id of each event hour.
SELECT event_hour, content
FROM lake.loads
