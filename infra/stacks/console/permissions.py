"""What the console may do: what its routes do (docs/console-access.md), and nothing else."""

from infra.stacks.edge.tables import ALERT_INDEXES
from infra.stacks.parameters import read
from infra.stacks.services.asking import asking, counting
from infra.stacks.services.places import REGISTRY_WRITER, WAREHOUSE_PIPELINE, Places
from infra.stacks.statements import READ_STREAM, Statements, allow, listing, table_keys, via
from iot_pipeline.contract import layout

_ZONES = (
    layout.RAW,
    layout.JUDGED,
    layout.LEDGER,
    layout.QUARANTINE,
    layout.CURATED,
    layout.DAILY,
    layout.ALERT_HISTORY,
    layout.REGISTRY,
    layout.REMOVALS,
    layout.FAILED_DELIVERY,
)
# What is read of them: what tables lie on.
_READ = tuple(zone for zone in _ZONES if zone not in (layout.REMOVALS, layout.FAILED_DELIVERY))


def console_statements(places: Places, pool: str) -> Statements:
    """The statements of the console's role; `pool` is the id of its user pool."""
    return {**_own(places), **_live(places), **_queries(places), **_administration(places, pool)}


def _own(places: Places) -> Statements:
    """Sessions, keys and audit; and the databases' users."""
    stack = places.stack
    table = stack.format_arn(service="dynamodb", resource="table", resource_name=stack.config.console_table)
    keys = [places.edge_key, read(stack, stack.config, "console-key")]
    return {
        "Own": allow([table], "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query"),
        "TableKeys": table_keys(stack, keys),
        "SignIn": allow(
            [places.secret(REGISTRY_WRITER), places.secret(WAREHOUSE_PIPELINE)], "secretsmanager:GetSecretValue"
        ),
        "SecretKeys": via(stack, "secretsmanager", places.secret_keys, "kms:Decrypt"),
    }


def _live(places: Places) -> Statements:
    """The fleet's page and the pipeline's: the stream, live state, alerts, what was given up, metrics."""
    return {
        "States": allow([places.state], "dynamodb:BatchGetItem", "dynamodb:Scan"),
        "Alerts": allow([places.alerts], "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        "Episodes": allow([f"{places.alerts}/index/{name}" for name in ALERT_INDEXES], "dynamodb:Query"),
        "OpenEpisodes": allow([f"{places.alerts}/index/open"], "dynamodb:Scan"),
        "Stream": allow([places.stream], *READ_STREAM),
        "CountDeadLetters": allow(places.dead_letters, "sqs:GetQueueAttributes"),
        "ListFailed": listing(places.failures, ["aws/lambda/"]),
        # CloudWatch has no resources for metrics.
        "Metrics": allow(["*"], "cloudwatch:GetMetricData"),
    }


def _queries(places: Places) -> Statements:
    """Queries of people and tenants, and the statements of the console's own pages, in their workgroups."""
    stack, groups = places.stack, places.workgroups()
    answers = [places.config.name, f"{places.config.name}-tenants"]
    return {
        **asking(places, [groups["people"], groups["tenants"]]),
        **counting(places),
        "Locate": allow([places.lake, places.results], "s3:GetBucketLocation"),
        "List": listing(places.lake, _ZONES),
        "Read": allow([stack.config.lake_objects(prefix) for prefix in _READ], "s3:GetObject"),
        "Results": allow(
            [f"{places.results}/{whose}/*" for whose in answers],
            "s3:GetObject",
            "s3:PutObject",
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
        ),
        "ListResults": listing(places.results, [f"{whose}/" for whose in answers]),
        # Athena looks for parts of earlier results (its guide, "Control access to Amazon S3 from Athena").
        "Uploads": allow([places.results], "s3:ListBucketMultipartUploads"),
        "LakeKey": via(stack, "s3", [places.lake_key], "kms:Decrypt", "kms:GenerateDataKey"),
    }


def _administration(places: Places, pool: str) -> Statements:
    """Devices, rules and people, for admins."""
    stack = places.stack
    config = stack.config
    thing, certificate = (
        stack.format_arn(service="iot", resource=kind, resource_name="*") for kind in ("thing", "cert")
    )
    people = stack.format_arn(service="cognito-idp", resource="userpool", resource_name=pool)
    return {
        "WriteRules": allow([config.lake_objects(layout.EDGE_RULES)], "s3:PutObject"),
        "Things": allow(
            [thing],
            "iot:CreateThing",
            "iot:DescribeThing",
            "iot:UpdateThing",
            "iot:DeleteThing",
            "iot:ListThingPrincipals",
        ),
        # A certificate has no ARN before it is made, nor has a list (service authorization reference, AWS IoT).
        "SignCertificates": allow(["*"], "iot:CreateCertificateFromCsr"),
        # An onboarding that was interrupted may have left one of which nobody has the id (`things.remove_unclaimed`).
        "FindUnclaimed": allow(["*"], "iot:ListCertificates", "iot:ListAttachedPolicies"),
        # What is attached to a certificate is authorised on the certificate.
        "Certificates": allow(
            [certificate],
            "iot:DescribeCertificate",
            "iot:UpdateCertificate",
            "iot:DeleteCertificate",
            "iot:ListPrincipalThings",
            "iot:AttachThingPrincipal",
            "iot:DetachThingPrincipal",
            "iot:AttachPolicy",
            "iot:DetachPolicy",
        ),
        "People": allow(
            [people],
            "cognito-idp:ListGroups",
            "cognito-idp:ListUsers",
            "cognito-idp:ListUsersInGroup",
            "cognito-idp:AdminListGroupsForUser",
            "cognito-idp:AdminGetUser",
            "cognito-idp:AdminCreateUser",
            "cognito-idp:AdminDeleteUser",
            "cognito-idp:AdminEnableUser",
            "cognito-idp:AdminDisableUser",
            "cognito-idp:AdminAddUserToGroup",
            "cognito-idp:AdminRemoveUserFromGroup",
            "cognito-idp:CreateGroup",
        ),
    }
