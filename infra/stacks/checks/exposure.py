"""Data is reached from inside, with TLS, by people who have signed in."""

from collections.abc import Mapping
from typing import Any

from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Synthesised, listed, reference

_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
# Resource type: the type of its policy, where the policy names its targets, the actions that must be denied.
_TLS_POLICIES = {
    "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket", {"s3:*"}),
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues", {"sqs:*"}),
    "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics", {"sns:*", "sns:Publish"}),
}


def plain_http_is_denied(environment: Synthesised) -> Problems:
    """Buckets, queues and topics refuse requests without TLS."""
    for kind, (policy_type, targets, actions) in _TLS_POLICIES.items():
        denying = {
            (policy.stack, target)
            for policy in environment.of_type(policy_type)
            if any(_denies_plain_http(s, actions) for s in listed(policy.properties["PolicyDocument"]["Statement"]))
            for target in map(reference, listed(policy.properties[targets]))
        }
        for resource in environment.of_type(kind):
            if (resource.stack, resource.name) not in denying:
                yield resource, f"no {policy_type} denies it plain HTTP (aws:SecureTransport false)"


def _denies_plain_http(statement: Mapping[str, Any], actions: set[str]) -> bool:
    return (
        statement["Effect"] == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and bool(actions & set(listed(statement["Action"])))
        and statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
    )


def buckets_are_private(environment: Synthesised) -> Problems:
    """All four blocks of public access are on, and no ACL says otherwise (S3 guide, "Blocking public access")."""
    for bucket in environment.of_type("AWS::S3::Bucket"):
        blocked = bucket.properties.get("PublicAccessBlockConfiguration", {})
        if missing := [block for block in _BLOCKS if blocked.get(block) is not True]:
            yield bucket, f"public access is not blocked: {', '.join(missing)}"
        if str(bucket.properties.get("AccessControl", "Private")).startswith(("Public", "Authenticated")):
            yield bucket, f"its ACL is {bucket.properties['AccessControl']}"
        if "WebsiteConfiguration" in bucket.properties:
            yield bucket, "is a web site"


def databases_are_private(environment: Synthesised) -> Problems:
    """No database has an address on the internet, and the warehouse's own traffic stays in the VPC."""
    for instance in environment.of_type("AWS::RDS::DBInstance", "AWS::RDS::DBCluster"):
        if instance.properties.get("PubliclyAccessible", instance.type.endswith("Instance")) is not False:
            yield instance, "is publicly accessible (PubliclyAccessible must be false)"
    for workgroup in environment.of_type("AWS::RedshiftServerless::Workgroup"):
        if workgroup.properties.get("PubliclyAccessible") is not False:
            yield workgroup, "is publicly accessible (PubliclyAccessible must be false)"
        if workgroup.properties.get("EnhancedVpcRouting") is not True:
            yield workgroup, "COPY and UNLOAD leave the VPC (EnhancedVpcRouting)"


def databases_want_tls(environment: Synthesised) -> Problems:
    """RDS guide, "Requiring an SSL/TLS connection to a PostgreSQL DB instance"; Redshift guide, "Connect using SSL"."""
    for group in environment.of_type("AWS::RDS::DBClusterParameterGroup"):
        if str(group.properties.get("Parameters", {}).get("rds.force_ssl")) != "1":
            yield group, "lets clear text connections in (rds.force_ssl must be 1)"
    for cluster in environment.of_type("AWS::RDS::DBCluster"):
        if "DBClusterParameterGroupName" not in cluster.properties:
            yield cluster, "has no parameters of its own, so that TLS is not required"
        if cluster.properties.get("EnableIAMDatabaseAuthentication") is not True:
            yield cluster, "knows passwords alone (EnableIAMDatabaseAuthentication)"
    for workgroup in environment.of_type("AWS::RedshiftServerless::Workgroup"):
        parameters = {
            p["ParameterKey"]: str(p["ParameterValue"]) for p in listed(workgroup.properties.get("ConfigParameters"))
        }
        if parameters.get("require_ssl") != "true":
            yield workgroup, "lets clear text connections in (require_ssl must be true)"


def people_are_made_by_administrators(environment: Synthesised) -> Problems:
    """Nobody signs himself up, everybody has a second factor, and no client takes a password over the API."""
    for pool in environment.of_type("AWS::Cognito::UserPool"):
        if pool.properties.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly") is not True:
            yield pool, "lets people sign themselves up (AllowAdminCreateUserOnly)"
        if pool.properties.get("MfaConfiguration") != "ON":
            yield pool, "asks for no second factor (MfaConfiguration)"
    for client in environment.of_type("AWS::Cognito::UserPoolClient"):
        flows = set(listed(client.properties.get("ExplicitAuthFlows"))) - {"ALLOW_REFRESH_TOKEN_AUTH"}
        if flows or not client.properties.get("ExplicitAuthFlows"):
            yield client, f"takes passwords over the API: {', '.join(sorted(flows)) or 'ExplicitAuthFlows is missing'}"
        if "implicit" in listed(client.properties.get("AllowedOAuthFlows")):
            yield client, "hands tokens out in a URL (the implicit flow)"


def load_balancers_speak_tls(environment: Synthesised) -> Problems:
    """A listener of HTTP does nothing but redirect."""
    for listener in environment.of_type("AWS::ElasticLoadBalancingV2::Listener"):
        redirects = all(action["Type"] == "redirect" for action in listed(listener.properties.get("DefaultActions")))
        if listener.properties.get("Protocol") not in ("HTTPS", "TLS") and not redirects:
            yield listener, f"serves {listener.properties.get('Protocol')}"
