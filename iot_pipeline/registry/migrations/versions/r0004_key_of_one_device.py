"""A key belongs to one device: whose it is is asked at each onboarding."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the keys. It is not unique: devices from before may share one, and a decommissioned one's may be reused."""
    op.execute("CREATE INDEX onboardings_public_key ON registry.onboardings (public_key)")


def downgrade() -> None:
    """Remove the index."""
    op.execute("DROP INDEX registry.onboardings_public_key")
