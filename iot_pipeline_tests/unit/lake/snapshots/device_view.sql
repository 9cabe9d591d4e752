-- The view on all readings with model, site, customer and tenant as they were at the reading's time.
CREATE OR REPLACE VIEW device_telemetry AS
SELECT t.*, d.device_name, d.status AS device_status, d.model_id, d.model_name, d.manufacturer,
    d.tenant_id AS registered_tenant, s.tenant_name, d.site_id AS registered_site, s.site_name, s.customer_id,
    s.customer_name, s.country, s.timezone
FROM telemetry AS t
LEFT JOIN registry_devices AS d ON d.device_id = t.device_id AND t.event_time >= d.valid_from AND t.event_time < coalesce(d.valid_to, TIMESTAMP '9999-12-31 00:00:00')
LEFT JOIN registry_sites AS s ON s.tenant_id = d.tenant_id AND s.site_id = d.site_id AND t.event_time >= s.valid_from AND t.event_time < coalesce(s.valid_to, TIMESTAMP '9999-12-31 00:00:00')
