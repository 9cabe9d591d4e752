"""An intent names the key that its certificate is made for, before it is made."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; intents from before it have none, and no certificate is removed for them."""
    op.execute("""
        ALTER TABLE registry.onboardings ADD COLUMN public_key text;
        COMMENT ON COLUMN registry.onboardings.public_key IS
            'SHA-256 of the public key (hex): a certificate for it was made by this onboarding, and by no one else';
    """)


def downgrade() -> None:
    """Remove the column."""
    op.execute("ALTER TABLE registry.onboardings DROP COLUMN public_key")
