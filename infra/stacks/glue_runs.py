"""Which ends of a Glue job's runs people are told of (AWS Glue guide, "Automating AWS Glue with EventBridge").

CloudWatch has no metric of them: one of Glue's own is sent by the run itself, and so not by one that dies.
"""

from infra.stacks.base import PlatformStack
from infra.stacks.noticing import Notice, add_notices

SOURCE = "aws.glue"
STATE_CHANGE, RUN_STATUS = "Glue Job State Change", "Glue Job Run Status"
# A run that is stopped was meant to be; one that runs into its time-out was not.
FAILED = ("FAILED", "TIMEOUT")


def tell_of_runs(stack: PlatformStack, job: str, of: str, then: str, slow_minutes: int | None = None) -> None:
    """Tell the topic of alerts of each run of a job, by its name, that fails.

    `of` begins the ids of the rules and names their dead letters, `then` is what is to be done about it. With
    `slow_minutes`, the job's own delay notification (`notify_delay_after`), also of each run that takes longer.
    """
    notices = [
        Notice(
            f"{of}Failed",
            f"A run of the Glue job {job} has failed: {then}",
            {"source": [SOURCE], "detail-type": [STATE_CHANGE], "detail": {"jobName": [job], "state": list(FAILED)}},
        )
    ]
    if slow_minutes is not None:
        notices.append(
            Notice(
                f"{of}Slow",
                f"A run of the Glue job {job} takes over {slow_minutes} minutes: see in Glue how far it is",
                {"source": [SOURCE], "detail-type": [RUN_STATUS], "detail": {"jobName": [job], "state": ["RUNNING"]}},
            )
        )
    add_notices(stack, of.lower(), notices)
