-- Readings of devices or sites that the registry does not know, by hour. They are in the facts, with the default member.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'fact_hours'}}}) }}

select event_hour, readings, unknown_sensor_readings, unknown_location_readings
from {{ ref('fact_hours') }}
where unknown_sensor_readings > 0 or unknown_location_readings > 0
