"""Dagster's runs sign in as `registry_reader`, and one of their checks holds what has arrived against the erasures."""

from alembic import op

from iot_pipeline.registry.users import READER

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the reader see the erasures: of one that is done, a salted hash and no name."""
    op.execute(f"GRANT SELECT ON registry.erasures TO {READER}")


def downgrade() -> None:
    """Take it back."""
    op.execute(f"REVOKE SELECT ON registry.erasures FROM {READER}")
