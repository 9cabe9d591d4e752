"""Legal holds by tenant, and erasures of a device or a tenant, each with who, when and why.

The registry's user may delete no tenant and no device. An erasure does so through one function, which looks itself at
what the erasure is of, that it is under way, and that no hold is in force.
"""

from alembic import op

from iot_pipeline.registry.users import READER, WRITER

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE registry.legal_holds (
    hold_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id   text NOT NULL CHECK (tenant_id <> ''),
    reason      text NOT NULL CHECK (reason <> ''),
    placed_by   text NOT NULL CHECK (placed_by <> ''),
    placed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    lifted_by   text CHECK (lifted_by <> ''),
    lifted_at   timestamptz CHECK (lifted_at >= placed_at),
    lift_reason text CHECK (lift_reason <> ''),
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lift_reason IS NULL))
);
CREATE UNIQUE INDEX legal_holds_in_force ON registry.legal_holds (tenant_id) WHERE lifted_at IS NULL;

CREATE TABLE registry.erasures (
    erasure_id  text PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('device', 'tenant')),
    subject     text CHECK (subject <> ''),
    salt        text NOT NULL,
    digest      text NOT NULL,
    author      text NOT NULL CHECK (author <> ''),
    reason      text NOT NULL CHECK (reason <> ''),
    state       text NOT NULL CHECK (state IN ('planned', 'running', 'done')),
    progress    jsonb NOT NULL,
    planned_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    CHECK ((state = 'done') = (subject IS NULL) AND (state = 'done') = (finished_at IS NOT NULL))
);
CREATE UNIQUE INDEX erasures_at_work ON registry.erasures (kind, subject) WHERE subject IS NOT NULL;
COMMENT ON COLUMN registry.erasures.subject IS 'Whom it erases; gone with its end, when the salted hash alone stays';
"""
_ERASE = """
CREATE FUNCTION registry.erase(erasing text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = registry, pg_temp AS $$
DECLARE
    it erasures;
    gone text[];
    owners text[];
    counts jsonb := '{}';
    n bigint;
BEGIN
    SELECT * INTO it FROM erasures WHERE erasure_id = erasing AND state = 'running' FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no erasure % is under way', erasing;
    END IF;
    SELECT array_agg(device_id::text), array_agg(DISTINCT tenant_id::text) INTO gone, owners FROM device_keys
        WHERE (it.kind = 'device' AND device_id = it.subject) OR (it.kind = 'tenant' AND tenant_id = it.subject);
    IF it.kind = 'tenant' THEN
        owners := owners || it.subject;
    ELSE
        gone := gone || it.subject;
    END IF;
    IF EXISTS (SELECT FROM legal_holds WHERE lifted_at IS NULL AND tenant_id = ANY (owners)) THEN
        RAISE EXCEPTION 'a legal hold is in force';
    END IF;
    DELETE FROM alert_rules
        WHERE scope->>'device' = ANY (gone) OR (it.kind = 'tenant' AND scope->>'tenant' = it.subject);
    GET DIAGNOSTICS n = ROW_COUNT; counts := counts || jsonb_build_object('alert_rules', n);
    DELETE FROM calibrations WHERE device_id = ANY (gone);
    GET DIAGNOSTICS n = ROW_COUNT; counts := counts || jsonb_build_object('calibrations', n);
    DELETE FROM onboardings WHERE device_id = ANY (gone);
    GET DIAGNOSTICS n = ROW_COUNT; counts := counts || jsonb_build_object('onboardings', n);
    DELETE FROM device_versions WHERE device_id = ANY (gone);
    GET DIAGNOSTICS n = ROW_COUNT; counts := counts || jsonb_build_object('device_versions', n);
    DELETE FROM device_keys WHERE device_id = ANY (gone);
    GET DIAGNOSTICS n = ROW_COUNT; counts := counts || jsonb_build_object('devices', n);
    IF it.kind = 'tenant' THEN
        DELETE FROM site_versions WHERE tenant_id = it.subject;
        DELETE FROM site_keys WHERE tenant_id = it.subject;
        GET DIAGNOSTICS n = ROW_COUNT; counts := counts || jsonb_build_object('sites', n);
        DELETE FROM customers WHERE tenant_id = it.subject;
        GET DIAGNOSTICS n = ROW_COUNT; counts := counts || jsonb_build_object('customers', n);
        DELETE FROM tenants WHERE tenant_id = it.subject;
        UPDATE legal_holds SET tenant_id = 'erased:' || it.digest WHERE tenant_id = it.subject;
        GET DIAGNOSTICS n = ROW_COUNT; counts := counts || jsonb_build_object('legal_holds renamed', n);
    END IF;
    RETURN counts;
END $$;
REVOKE ALL ON FUNCTION registry.erase(text) FROM PUBLIC;
"""


def upgrade() -> None:
    """Create both tables and the function."""
    op.execute(_TABLES)
    op.execute(_ERASE)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON registry.legal_holds, registry.erasures TO {WRITER}")
    op.execute(f"GRANT EXECUTE ON FUNCTION registry.erase(text) TO {WRITER}")
    op.execute(f"GRANT SELECT ON registry.legal_holds TO {READER}")


def downgrade() -> None:
    """Remove them, and the record of what was held and erased."""
    op.execute("DROP FUNCTION registry.erase(text)")
    op.execute("DROP TABLE registry.erasures, registry.legal_holds")
