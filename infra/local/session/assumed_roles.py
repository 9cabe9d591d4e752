"""Acting as a role of the platform, as its task or function does on AWS."""

from typing import Any

import boto3

from infra.local.emulator.process import Emulator


def assume(emulator: Emulator, role_arn: str, session: str = "local") -> dict[str, str]:
    """The variables by which an AWS SDK reaches the local AWS as a role: for an hour, with the role's permissions only.

    The root stands for the service that the role trusts (a task of ECS is started by ECS on AWS). Raises ClientError
    (AccessDenied) if the role trusts none for this account, or does not exist.
    """
    sts: Any = boto3.client("sts", **emulator.client_options)  # type: ignore[call-overload]  # the options are a dict
    made = sts.assume_role(RoleArn=role_arn, RoleSessionName=session)["Credentials"]
    return {
        **emulator.environment,
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }
