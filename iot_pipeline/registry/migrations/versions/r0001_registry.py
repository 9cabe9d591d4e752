"""Tenants, customers, sites, device models, devices with their history, calibrations, onboardings."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# An id is a level of the MQTT topic and an attribute of an IoT thing; a device id is the thing's name (AWS IoT API
# reference, CreateThing: [a-zA-Z0-9:_-]+, at most 128).
# The warehouse holds 128 bytes of each name (Redshift counts bytes, not characters).
_TABLES = """
CREATE DOMAIN registry.id AS text CHECK (VALUE ~ '^[A-Za-z0-9_.:-]{1,128}$');
CREATE DOMAIN registry.device_id AS text CHECK (VALUE ~ '^[A-Za-z0-9_:-]{1,128}$');
CREATE DOMAIN registry.label AS text CHECK (VALUE <> '' AND octet_length(VALUE) <= 128);

CREATE TABLE registry.tenants (
    tenant_id registry.id PRIMARY KEY,
    name registry.label NOT NULL,
    plan registry.label NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE registry.customers (
    customer_id registry.id PRIMARY KEY,
    tenant_id registry.id NOT NULL REFERENCES registry.tenants,
    name registry.label NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (tenant_id, customer_id)
);

CREATE TABLE registry.site_keys (
    tenant_id registry.id REFERENCES registry.tenants,
    site_id registry.id,
    PRIMARY KEY (tenant_id, site_id)
);
COMMENT ON TABLE registry.site_keys IS
    'What all versions of a site share; its row is locked by who changes the history';

CREATE TABLE registry.site_versions (
    tenant_id registry.id,
    site_id registry.id,
    customer_id registry.id,
    name registry.label NOT NULL,
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    timezone registry.label NOT NULL,
    lat double precision NOT NULL CHECK (lat BETWEEN -90 AND 90),
    lon double precision NOT NULL CHECK (lon BETWEEN -180 AND 180),
    valid_from timestamptz NOT NULL,
    valid_to timestamptz CHECK (valid_to > valid_from),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, site_id, valid_from),
    FOREIGN KEY (tenant_id, site_id) REFERENCES registry.site_keys,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES registry.customers (tenant_id, customer_id)
);

CREATE TABLE registry.metrics (
    metric registry.id PRIMARY KEY,
    position integer NOT NULL
);
COMMENT ON TABLE registry.metrics IS 'The metrics of the telemetry contract; written after each migration';

CREATE TABLE registry.device_models (
    model_id registry.id PRIMARY KEY,
    manufacturer registry.label NOT NULL,
    name registry.label NOT NULL,
    expected_interval_s double precision NOT NULL CHECK (expected_interval_s > 0)
);

CREATE TABLE registry.model_metrics (
    model_id registry.id REFERENCES registry.device_models,
    metric registry.id REFERENCES registry.metrics,
    PRIMARY KEY (model_id, metric)
);

CREATE TABLE registry.device_keys (
    device_id registry.device_id PRIMARY KEY,
    tenant_id registry.id NOT NULL REFERENCES registry.tenants,
    UNIQUE (device_id, tenant_id)
);
COMMENT ON TABLE registry.device_keys IS
    'What all versions of a device share; its row is locked by who changes the history';

CREATE TABLE registry.device_versions (
    device_id registry.device_id,
    tenant_id registry.id NOT NULL,
    site_id registry.id NOT NULL,
    model_id registry.id NOT NULL REFERENCES registry.device_models,
    name registry.label NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'decommissioned')),
    firmware registry.label,
    expected_interval_s double precision NOT NULL CHECK (expected_interval_s > 0),
    valid_from timestamptz NOT NULL,
    valid_to timestamptz CHECK (valid_to > valid_from),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (device_id, valid_from),
    FOREIGN KEY (device_id, tenant_id) REFERENCES registry.device_keys (device_id, tenant_id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES registry.site_keys
);
CREATE INDEX ON registry.device_versions (tenant_id, site_id);

CREATE TABLE registry.calibrations (
    device_id registry.device_id REFERENCES registry.device_keys,
    metric registry.id REFERENCES registry.metrics,
    offset_value double precision NOT NULL,
    gain double precision NOT NULL CHECK (gain <> 0),
    calibrated_at timestamptz NOT NULL,
    calibrated_by registry.label NOT NULL,
    PRIMARY KEY (device_id, metric, calibrated_at)
);

CREATE TABLE registry.onboardings (
    onboarding_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id registry.device_id NOT NULL,
    state text NOT NULL CHECK (state IN ('creating', 'undoing', 'active', 'decommissioning', 'decommissioned')),
    step text NOT NULL,
    certificate_id text,
    certificate_arn text,
    error text,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE registry.onboardings IS
    'What is and was done for a device in AWS IoT Core, written before it is done; what was undone is removed';
CREATE UNIQUE INDEX onboardings_one_a_device ON registry.onboardings (device_id) WHERE state <> 'decommissioned';

CREATE VIEW registry.sites AS
    SELECT tenant_id, site_id, customer_id, name, country, timezone, lat, lon, valid_from, recorded_at
    FROM registry.site_versions WHERE valid_to IS NULL;

CREATE VIEW registry.devices AS
    SELECT device_id, tenant_id, site_id, model_id, name, status, firmware, expected_interval_s, valid_from, recorded_at
    FROM registry.device_versions WHERE valid_to IS NULL;
"""


def _history(table: str, keys: str, key: tuple[str, ...]) -> str:
    """No gaps, no overlaps, the last version open: held by triggers, since an exclusion constraint needs btree_gist.

    Who writes a version first writes the row that all versions share. Another writer waits there, and its check, at
    its commit, sees what the first one wrote; at REPEATABLE READ it fails to serialise instead.
    """
    columns = ", ".join(key)
    own = " AND ".join(f"{column} = k.{column}" for column in key)
    name = " || '/' || ".join(f"k.{column}" for column in key)
    moved = " OR ".join(f"NEW.{column} <> OLD.{column}" for column in key)
    return f"""
CREATE UNIQUE INDEX {table}_one_open ON registry.{table} ({columns}) WHERE valid_to IS NULL;

CREATE FUNCTION registry.lock_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE k registry.{table};
BEGIN
    k := COALESCE(NEW, OLD);
    IF TG_OP = 'UPDATE' AND ({moved}) THEN
        RAISE EXCEPTION 'a version of registry.{table} cannot be given to another key';
    END IF;
    UPDATE registry.{keys} SET {key[0]} = {key[0]} WHERE {own};
    RETURN k;
END $$;
CREATE TRIGGER lock_history BEFORE INSERT OR UPDATE OR DELETE ON registry.{table}
    FOR EACH ROW EXECUTE FUNCTION registry.lock_{table}();

CREATE FUNCTION registry.check_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE k registry.{table};
BEGIN
    k := COALESCE(NEW, OLD);
    IF EXISTS (
        SELECT FROM (
            SELECT valid_to IS DISTINCT FROM lead(valid_from) OVER (ORDER BY valid_from) AS broken
            FROM registry.{table} WHERE {own}
        ) AS versions WHERE broken
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'exclusion_violation',
            MESSAGE = 'the versions of ' || {name} || ' in registry.{table} overlap or leave a gap';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER check_history AFTER INSERT OR UPDATE OR DELETE ON registry.{table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry.check_{table}();
"""


def upgrade() -> None:
    """Create everything in an empty schema."""
    op.execute(_TABLES)
    op.execute(_history("site_versions", "site_keys", ("tenant_id", "site_id")))
    op.execute(_history("device_versions", "device_keys", ("device_id",)))


def downgrade() -> None:
    """Remove everything, data included; Alembic's own table stays."""
    op.execute("""
        DROP VIEW registry.devices, registry.sites;
        DROP TABLE registry.onboardings, registry.calibrations, registry.device_versions, registry.device_keys,
            registry.model_metrics, registry.device_models, registry.metrics, registry.site_versions,
            registry.site_keys, registry.customers, registry.tenants;
        DROP FUNCTION registry.lock_site_versions(), registry.check_site_versions(),
            registry.lock_device_versions(), registry.check_device_versions();
        DROP DOMAIN registry.id, registry.device_id, registry.label;
    """)
