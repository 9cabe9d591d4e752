{# The sensor of an alert and the place of it, as they were when it opened: of a device's alert by the registry, of a site's own by
   the site's name. What no version covers is 'unknown'; a site's own alert has no sensor. #}
{% macro joined_as_opened(alerts) -%}
left join {{ ref('dim_sensor') }} as sensors
    on sensors.device_id = {{ alerts }}.device_id and {{ holds_at('sensors', alerts ~ '.opened_at') }}
left join {{ ref('dim_location') }} as locations
    on locations.tenant_id = case when {{ alerts }}.device_id is null then {{ alerts }}.reported_tenant else sensors.tenant_id end
    and locations.site_id = case when {{ alerts }}.device_id is null then {{ alerts }}.reported_site else sensors.site_id end
    and {{ holds_at('locations', alerts ~ '.opened_at') }}
{%- endmacro %}

{% macro sensor_key_as_opened(alerts) -%}
case when {{ alerts }}.device_id is not null then coalesce(sensors.sensor_key, 'unknown') end
{%- endmacro %}

{% macro location_key_as_opened() -%} coalesce(locations.location_key, 'unknown') {%- endmacro %}
