"""Security: the trail of who did what, and the guards of the account."""

from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.security.account import add_account_guards
from infra.stacks.security.audit_bucket import add_audit_bucket
from infra.stacks.security.notices import add_security_notices
from infra.stacks.security.trail import add_trail


class SecurityStack(PlatformStack):
    """What watches, and takes no part in the telemetry's way."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "Security", config, holds_data=True)
        key = self.key("Key", "audit", f"Audit of {config.name}: the trail's records and AWS Config's")
        bucket = add_audit_bucket(self, key)
        add_trail(self, bucket, key)
        add_account_guards(self, bucket, key)
        add_security_notices(self)
        self.outputs(AuditBucket=bucket.bucket_name)
