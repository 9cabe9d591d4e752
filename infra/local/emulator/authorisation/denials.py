"""What was denied: a line of the log and a metric, as CloudTrail and its metric filter would tell of it on AWS."""

import logging
from dataclasses import dataclass

from infra.local.emulator.cloudwatch import record

NAMESPACE, METRIC = "LocalAws/IAM", "AccessDenied"
log = logging.getLogger("local_aws.iam")


@dataclass(frozen=True)
class Denial:
    """A call that was refused. `reason` is the end of AWS's message, from "because" or "with"."""

    principal: str
    action: str
    resource: str
    reason: str

    def __str__(self) -> str:
        """AWS's message (IAM user guide, "Troubleshoot access denied error messages")."""
        return (
            f"User: {self.principal} is not authorized to perform: {self.action} on resource: {self.resource} "
            f"{self.reason}"
        )


class AccessDeniedError(RuntimeError):
    """A service of the local AWS was refused what it wanted to do as a role; the text is AWS's message."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(str(denial))
        self.denial = denial


def tell(denial: Denial) -> None:
    """Log a denial, and count it by role and action, in the current request scope."""
    log.warning("AccessDenied: %s", denial)
    record(NAMESPACE, METRIC, 1, "Count", {"Role": role_name(denial.principal), "Action": denial.action})


def role_name(principal: str) -> str:
    """The role of a session's ARN, or of the role's own: `arn:aws:sts::123456789012:assumed-role/Name/session`."""
    kind, _, path = principal.rpartition(":")[2].partition("/")
    return path.split("/")[0] if kind == "assumed-role" else path.rpartition("/")[2]
