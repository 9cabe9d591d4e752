"""What roles may do: no administrator, no whole service, and in the lake each writes its own prefixes."""

from infra.stacks.checks.documents import ROLE, actions, allowed_to, resources, trusted_services
from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Resource, Synthesised, listed, text
from iot_pipeline.contract.layout import (
    CURATED,
    FAILED_DELIVERY,
    JUDGED,
    LEDGER,
    PUBLISHING,
    QUARANTINE,
    RAW,
    STREAM_CHECKPOINT,
    STREAMED,
    UNLOAD,
)
from iot_pipeline.pull.pulled_objects import UNREADABLE
from iot_pipeline.spark.order import PIPES

# Services whose every resource has an ARN (service authorization reference): `*` is never needed.
_NAMED_RESOURCES = frozenset(
    {"dynamodb", "firehose", "glue", "iam", "kinesis", "kms", "lambda", "s3", "secretsmanager", "sns", "sqs", "sts"}
)
# KMS has families of calls with one meaning (KMS guide, "AWS KMS permissions").
_FAMILIES = frozenset({"kms:GenerateDataKey*", "kms:ReEncrypt*"})
# Which prefixes of the lake's bucket the services may write that write there by themselves. Nothing of theirs is
# judged, curated or in the books: those are Dagster's.
_WRITERS = {
    "firehose.amazonaws.com": (RAW, FAILED_DELIVERY),
    "glue.amazonaws.com": (STREAMED, STREAM_CHECKPOINT),
    "iot.amazonaws.com": (RAW,),
    "lambda.amazonaws.com": (),
    "redshift.amazonaws.com": (UNLOAD,),
    "redshift-serverless.amazonaws.com": (UNLOAD,),
}
# By stack, what is the pipeline's own beside: the functions that pull from vendors land what they read, and the job of
# backfills builds the zones as Dagster does, with whom it takes turns to publish, and whom it tells of it.
_OWN = {"Pull": (RAW, UNREADABLE), "Spark": (JUDGED, LEDGER, QUARANTINE, CURATED, PUBLISHING, PIPES)}
_WRITING = ("s3:*", "s3:Put", "s3:Delete", "s3:Abort", "s3:Replicate", "s3:Restore")


def no_role_is_an_administrator(environment: Synthesised) -> Problems:
    """AWS's own policies only where a service asks for one (`service-role/`); no action and no service as a whole."""
    for role in environment.of_type(ROLE):
        for managed in map(text, listed(role.properties.get("ManagedPolicyArns"))):
            if ":aws:policy/" in managed and ":aws:policy/service-role/" not in managed:
                yield role, f"has {managed.rpartition('/')[2]}, which allows more than the role does"
        for at, statement in allowed_to(environment, role):
            if {"NotAction", "NotResource"} & statement.keys():
                yield at, "allows all but some (NotAction, NotResource): name what is allowed"
            if wide := [a for a in actions(statement) if "*" in a and a not in _FAMILIES]:
                yield at, f"allows {', '.join(wide)}: name the actions"


def resources_are_named(environment: Synthesised) -> Problems:
    """No `*` for services whose resources have ARNs."""
    for role in environment.of_type(ROLE):
        for at, statement in allowed_to(environment, role):
            services = {action.partition(":")[0] for action in actions(statement)} & _NAMED_RESOURCES
            if services and "*" in resources(statement):
                yield at, f"allows calls of {', '.join(sorted(services))} on every resource"


def passed_roles_are_named(environment: Synthesised) -> Problems:
    """Who may pass any role to a service has that role's rights.

    IAM user guide, "Grant a user permissions to pass a role to an AWS service".
    """
    for role in environment.of_type(ROLE):
        for at, statement in allowed_to(environment, role):
            passing = "iam:PassRole" in actions(statement)
            if passing and (any(r.endswith(("*", "role/*")) for r in resources(statement)) or not _to(statement)):
                yield at, "may pass any role, or to any service: name the roles, and iam:PassedToService"


def services_write_their_prefixes(environment: Synthesised) -> Problems:
    """COPY's role reads what is curated and writes what it unloads; a crawler reads; a stream is delivered to raw."""
    for role in environment.of_type(ROLE):
        known = [_WRITERS[service] for service in trusted_services(role) if service in _WRITERS]
        if not known:
            continue
        written = [own for part, own in _OWN.items() if role.stack == environment.config.stack(part)]
        own = {prefix for prefixes in (*known, *written) for prefix in prefixes}
        for at, statement in allowed_to(environment, role):
            if not any(action.startswith(_WRITING) for action in actions(statement)):
                continue
            for resource in resources(statement):
                bucket, _, key = resource.partition("/")
                if environment.config.lake_bucket in bucket and not key.startswith(tuple(own)):
                    yield (
                        at,
                        f"lets {', '.join(sorted(trusted_services(role)))} write {key or 'the bucket'} of the lake",
                    )


def delivery_may_encrypt(environment: Synthesised) -> Problems:
    """Firehose encrypts with the bucket's key in its role's name (Firehose guide, "Controlling access", S3).

    So does an IoT rule that writes to S3.
    """
    for stream in environment.of_type("AWS::KinesisFirehose::DeliveryStream"):
        for key, destination in stream.properties.items():
            if not key.endswith("S3DestinationConfiguration"):
                continue
            kms = destination.get("EncryptionConfiguration", {}).get("KMSEncryptionConfig", {}).get("AWSKMSKeyARN")
            if kms is None:
                yield stream, "names no key: its objects would not be under the lake's"
            elif not _may_generate(environment, environment.target(stream.stack, destination["RoleARN"]), text(kms)):
                yield stream, "its role may not kms:GenerateDataKey with the destination's key: nothing is delivered"


def _may_generate(environment: Synthesised, role: Resource | None, key: str) -> bool:
    return role is not None and any(
        {"kms:GenerateDataKey", "kms:GenerateDataKey*", "kms:*"} & set(actions(statement))
        and key in resources(statement)
        for _, statement in allowed_to(environment, role)
    )


def _to(statement: object) -> bool:
    return "iam:PassedToService" in str(statement)
