"""Mistakes in encryption, in exposure and in who signs in."""

from collections.abc import Callable

from infra.verdict.planted.mistake import Body, Mistake, bucket_named, setting, without

_BUCKET = "AWS::S3::Bucket"
_TABLE = "AWS::DynamoDB::Table"
_CLUSTER = "AWS::RDS::DBCluster"
_NAMESPACE = "AWS::RedshiftServerless::Namespace"
_WORKGROUP = "AWS::RedshiftServerless::Workgroup"
_FUNCTION = "AWS::Lambda::Function"
_POOL = "AWS::Cognito::UserPool"
_CLIENT = "AWS::Cognito::UserPoolClient"
_ATHENA = "AWS::Athena::WorkGroup"
_ENCRYPTED = "data_is_encrypted"
_PRIVATE = "buckets_are_private"


def _parameter(key: str, value: str) -> Callable[[Body], bool]:
    def plant(body: Body) -> bool:
        for parameter in body["Properties"].get("ConfigParameters", []):
            if parameter["ParameterKey"] == key:
                parameter["ParameterValue"] = value
                return True
        return False

    return plant


def _variable(body: Body) -> bool:
    variables = body["Properties"].get("Environment", {}).get("Variables")
    if variables is None:
        return False
    variables["IOT_REGISTRY_PASSWORD"] = "hunter2"  # noqa: S105  the mistake
    return True


def _plain_http(body: Body) -> bool:
    statements = body["Properties"]["PolicyDocument"]["Statement"]
    kept = [s for s in statements if s["Effect"] != "Deny"]
    changed = len(kept) < len(statements)
    statements[:] = kept
    return changed


MISTAKES = (
    Mistake("a stream in clear text", _ENCRYPTED, ("AWS::Kinesis::Stream",), without("StreamEncryption")),
    Mistake("a bucket without encryption", _ENCRYPTED, (_BUCKET,), without("BucketEncryption")),
    Mistake(
        "tenants' data under S3's key",
        _ENCRYPTED,
        (_BUCKET,),
        bucket_named(
            "telemetry-",
            setting(
                {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]},
                "BucketEncryption",
            ),
        ),
    ),
    Mistake("a queue in clear text", _ENCRYPTED, ("AWS::SQS::Queue",), setting(False, "SqsManagedSseEnabled")),
    Mistake("a topic in clear text", _ENCRYPTED, ("AWS::SNS::Topic",), without("KmsMasterKeyId")),
    Mistake("a table under DynamoDB's key", _ENCRYPTED, (_TABLE,), without("SSESpecification")),
    Mistake("a registry in clear text", _ENCRYPTED, (_CLUSTER,), setting(False, "StorageEncrypted")),
    Mistake("a warehouse under AWS's key", _ENCRYPTED, (_NAMESPACE,), without("KmsKeyId")),
    Mistake("a secret under AWS's key", _ENCRYPTED, ("AWS::SecretsManager::Secret",), without("KmsKeyId")),
    Mistake("a trail in clear text", _ENCRYPTED, adds={"Type": "AWS::CloudTrail::Trail", "Properties": {}}),
    Mistake(
        "query results in clear text",
        "query_results_are_encrypted",
        (_ATHENA,),
        without("WorkGroupConfiguration", "ResultConfiguration", "EncryptionConfiguration"),
    ),
    Mistake(
        "query results under S3's key",
        "query_results_are_encrypted",
        (_ATHENA,),
        setting(
            "SSE_S3", "WorkGroupConfiguration", "ResultConfiguration", "EncryptionConfiguration", "EncryptionOption"
        ),
    ),
    Mistake(
        "a query without a limit",
        "query_results_are_encrypted",
        (_ATHENA,),
        without("WorkGroupConfiguration", "BytesScannedCutoffPerQuery"),
    ),
    Mistake(
        "query results in another bucket",
        "query_results_are_encrypted",
        (_ATHENA,),
        setting("s3://elsewhere/", "WorkGroupConfiguration", "ResultConfiguration", "OutputLocation"),
    ),
    Mistake(
        "an access key",
        "nobody_has_standing_keys",
        adds={"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "x"}},
    ),
    Mistake("a key that is disabled", "keys_rotate", ("AWS::KMS::Key",), setting(False, "Enabled")),
    Mistake("a key that never rotates", "keys_rotate", ("AWS::KMS::Key",), without("EnableKeyRotation")),
    Mistake(
        "a password in the template",
        "secrets_are_in_no_template",
        (_CLUSTER,),
        setting("hunter2", "MasterUserPassword"),
    ),
    Mistake("a password in a function's environment", "secrets_are_in_no_template", (_FUNCTION,), _variable),
    Mistake(
        "requests without TLS",
        "plain_http_is_denied",
        ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"),
        _plain_http,
    ),
    Mistake("public access not blocked", _PRIVATE, (_BUCKET,), without("PublicAccessBlockConfiguration")),
    Mistake(
        "public policies not blocked",
        _PRIVATE,
        (_BUCKET,),
        setting(False, "PublicAccessBlockConfiguration", "BlockPublicPolicy"),
    ),
    Mistake("a public ACL", _PRIVATE, (_BUCKET,), setting("PublicRead", "AccessControl")),
    Mistake(
        "a public registry", "databases_are_private", ("AWS::RDS::DBInstance",), setting(True, "PubliclyAccessible")
    ),
    Mistake("a public warehouse", "databases_are_private", (_WORKGROUP,), setting(True, "PubliclyAccessible")),
    Mistake("a warehouse beside the VPC", "databases_are_private", (_WORKGROUP,), setting(False, "EnhancedVpcRouting")),
    Mistake(
        "a registry without TLS",
        "databases_want_tls",
        ("AWS::RDS::DBClusterParameterGroup",),
        setting("0", "Parameters", "rds.force_ssl"),
    ),
    Mistake("a warehouse without TLS", "databases_want_tls", (_WORKGROUP,), _parameter("require_ssl", "false")),
    Mistake(
        "people who sign themselves up",
        "people_are_made_by_administrators",
        (_POOL,),
        setting(False, "AdminCreateUserConfig", "AllowAdminCreateUserOnly"),
    ),
    Mistake(
        "people without a second factor",
        "people_are_made_by_administrators",
        (_POOL,),
        setting("OFF", "MfaConfiguration"),
    ),
    Mistake(
        "a client that takes passwords",
        "people_are_made_by_administrators",
        (_CLIENT,),
        setting(["ALLOW_USER_PASSWORD_AUTH"], "ExplicitAuthFlows"),
    ),
    Mistake(
        "a load balancer without TLS",
        "load_balancers_speak_tls",
        adds={
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {"Protocol": "HTTP", "Port": 80, "DefaultActions": [{"Type": "forward"}]},
        },
    ),
)
