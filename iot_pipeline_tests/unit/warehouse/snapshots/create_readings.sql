-- The table of the readings, with a column for each metric of the contract.
CREATE TABLE IF NOT EXISTS lake.readings (
    device_id varchar(256),
    event_time timestamp,
    seq bigint,
    temperature double precision,
    humidity double precision,
    pressure double precision,
    flow_rate double precision,
    battery double precision,
    rssi double precision,
    lat double precision,
    lon double precision,
    extras super,
    tenant varchar(256),
    site varchar(256),
    fw varchar(256),
    received_at timestamp,
    duplicates bigint,
    conflicts bigint
)
DISTKEY (device_id)
COMPOUND SORTKEY (event_time, device_id)
