"""Rules of alerts: what people set beside the contract's defaults, with its history and who set it."""

from alembic import op

from iot_pipeline.registry.users import READER, WRITER

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One row an override. It is in force from `valid_from` until `valid_to`, and never changed otherwise."""
    op.execute(
        """
        CREATE TABLE registry.alert_rules (
            id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            rule       text NOT NULL,
            metric     text NOT NULL,
            scope      jsonb NOT NULL,
            parameters jsonb NOT NULL,
            author     text NOT NULL CHECK (author <> ''),
            note       text NOT NULL,
            valid_from timestamptz NOT NULL,
            valid_to   timestamptz CHECK (valid_to > valid_from),
            ended_by   text
        )
        """
    )
    # One override of a rule for a scope is in force at a time.
    op.execute(
        "CREATE UNIQUE INDEX alert_rules_in_force ON registry.alert_rules (rule, metric, scope) WHERE valid_to IS NULL"
    )
    op.execute("CREATE SEQUENCE registry.alert_rules_version")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON registry.alert_rules TO {WRITER}")
    op.execute(f"GRANT USAGE, SELECT ON SEQUENCE registry.alert_rules_version TO {WRITER}, {READER}")
    op.execute(f"GRANT SELECT ON registry.alert_rules TO {READER}")


def downgrade() -> None:
    """Remove the rules and their history."""
    op.execute("DROP TABLE registry.alert_rules")
    op.execute("DROP SEQUENCE registry.alert_rules_version")
