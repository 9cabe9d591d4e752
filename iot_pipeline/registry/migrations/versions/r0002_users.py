"""The users: `registry`, who onboards devices and records changes, and `registry_reader`, who copies the registry.

Who migrates owns the tables; neither user does, and so neither can drop or alter one. They have no password, and cannot
sign in, until `registry.users.set_password` gives them one. A later migration that
makes a table also grants it.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_USERS = ("registry", "registry_reader")
_GRANTS = """
GRANT USAGE ON SCHEMA registry TO registry, registry_reader;

GRANT SELECT, INSERT, UPDATE ON registry.tenants, registry.customers, registry.device_models, registry.site_keys,
    registry.device_keys TO registry;
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.site_versions, registry.device_versions, registry.model_metrics,
    registry.onboardings TO registry;
GRANT SELECT, INSERT ON registry.calibrations TO registry;
GRANT SELECT ON registry.metrics, registry.sites, registry.devices, registry.alembic_version TO registry;

GRANT SELECT ON registry.tenants, registry.customers, registry.site_versions, registry.metrics, registry.device_models,
    registry.model_metrics, registry.device_versions, registry.calibrations TO registry_reader;
"""


def upgrade() -> None:
    """Create the users that the server lacks, and grant each what it needs."""
    for user in _USERS:
        # Users belong to the server: another database's registry may have made them, or be making them just now.
        op.execute(f"""
            DO $$ BEGIN CREATE ROLE {user} LOGIN;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
        """)
    op.execute(_GRANTS)


def downgrade() -> None:
    """Take the grants; the users stay, since another database's registry may need them."""
    names = ", ".join(_USERS)
    op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA registry FROM {names}; REVOKE ALL ON SCHEMA registry FROM {names}")
