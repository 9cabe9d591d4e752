"""AWS's services as those who take on a role, for this account's resources alone."""

from aws_cdk import aws_iam as iam

from infra.stacks.config import PlatformConfig


def for_this_account(service: str, config: PlatformConfig) -> iam.ServicePrincipal:
    """The service, acting for a resource of the environment's account.

    Otherwise somebody else's stream, crawler or flow log could be given this account's role. Each of the services so
    named sends `aws:SourceAccount` (IAM user guide, "The confused deputy problem"; on its own roles: Amazon
    Data Firehose, AWS Glue and AWS IoT guides, "Cross-service confused deputy prevention"; Amazon VPC guide, "IAM role
    for publishing flow logs to CloudWatch Logs").
    """
    return iam.ServicePrincipal(service, conditions={"StringEquals": {"aws:SourceAccount": config.account}})
