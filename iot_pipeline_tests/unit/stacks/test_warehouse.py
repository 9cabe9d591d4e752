"""The databases of the third stack: private, encrypted, in TLS, limited; and the role that reads the lake."""

import json
from pathlib import Path
from typing import Any

from aws_cdk.assertions import Match

from infra.stacks.assembly import build
from infra.stacks.config import PlatformConfig
from iot_pipeline.registry import users as registry_users
from iot_pipeline.warehouse import users as warehouse_users
from iot_pipeline_tests.support.templates import assertions, of_type, template

STACK = "TelemetryWarehouse"
NETWORK = "TelemetryNetwork"
BUCKET = "arn:aws:s3:::telemetry-lake-000000000000-eu-west-1"


def only(resource_type: str) -> Any:
    (found,) = of_type(template(STACK), resource_type).values()
    return found["Properties"]


def statements(role: str) -> dict[str, Any]:
    (policy,) = (p for name, p in of_type(template(STACK), "AWS::IAM::Policy").items() if name.startswith(role))
    return {s["Sid"]: s for s in policy["Properties"]["PolicyDocument"]["Statement"]}


def test_registry_is_encrypted_backed_up_protected_and_refuses_clear_text() -> None:
    cluster = only("AWS::RDS::DBCluster")
    assert cluster["StorageEncrypted"] is True
    assert cluster["BackupRetentionPeriod"] == 14
    assert cluster["DeletionProtection"] is True
    assert cluster["DatabaseName"] == "registry"
    assert cluster["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0.5, "MaxCapacity": 4}
    assert only("AWS::RDS::DBClusterParameterGroup")["Parameters"] == {"rds.force_ssl": "1"}
    assert only("AWS::RDS::DBInstance")["PubliclyAccessible"] is False


def test_both_passwords_are_made_kept_and_rotated_by_the_services() -> None:
    cluster, namespace = only("AWS::RDS::DBCluster"), only("AWS::RedshiftServerless::Namespace")
    assert cluster["ManageMasterUserPassword"] is True
    assert namespace["ManageAdminPassword"] is True
    assert "MasterUserPassword" not in cluster
    assert "AdminUserPassword" not in namespace
    assert cluster["MasterUserSecret"]["KmsKeyId"]
    assert namespace["AdminPasswordSecretKmsKeyId"]


def test_every_user_of_the_databases_has_a_secret_with_a_password_that_nobody_has_seen() -> None:
    made = [it["Properties"] for it in of_type(template(STACK), "AWS::SecretsManager::Secret").values()]
    users = (*registry_users.USERS, *warehouse_users.USERS)
    assert sorted(secret["Name"] for secret in made) == sorted(f"telemetry/{user}" for user in users)
    for secret in made:
        generated = secret["GenerateSecretString"]
        assert json.loads(generated["SecretStringTemplate"]) == {"username": secret["Name"].partition("/")[2]}
        assert generated["GenerateStringKey"] == "password"
        assert (generated["PasswordLength"], generated["ExcludePunctuation"]) == (32, True)
        assert generated["RequireEachIncludedType"] is True, "Redshift asks for a capital, a small letter and a digit"
        assert "SecretString" not in secret
    keys = {secret["Name"]: secret["KmsKeyId"]["Fn::GetAtt"][0] for secret in made}
    assert keys["telemetry/registry"] == keys["telemetry/registry_reader"] != keys["telemetry/pipeline"]


def test_who_may_read_a_users_secret_may_use_its_key_for_that_and_for_nothing_else() -> None:
    for key in of_type(template(STACK), "AWS::KMS::Key").values():
        (shared,) = (s for s in key["Properties"]["KeyPolicy"]["Statement"] if s["Principal"] == {"AWS": "*"})
        assert shared["Condition"] == {
            "StringEquals": {
                "kms:CallerAccount": "000000000000",
                "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com",
            }
        }


def test_warehouse_is_private_in_tls_audited_and_limited() -> None:
    workgroup = only("AWS::RedshiftServerless::Workgroup")
    assert workgroup["PubliclyAccessible"] is False
    assert workgroup["EnhancedVpcRouting"] is True
    assert {p["ParameterKey"]: p["ParameterValue"] for p in workgroup["ConfigParameters"]} == {
        "require_ssl": "true",
        "enable_user_activity_logging": "true",
    }
    assert (workgroup["BaseCapacity"], workgroup["MaxCapacity"]) == (8, 32)
    assert len(workgroup["SubnetIds"]) == 3
    namespace = only("AWS::RedshiftServerless::Namespace")
    assert set(namespace["LogExports"]) == {"userlog", "connectionlog", "useractivitylog"}
    assert namespace["DbName"] == "telemetry"


def test_the_days_limit_refuses_queries() -> None:
    asked = only("Custom::RedshiftUsageLimit")
    create = json.loads("".join(part if isinstance(part, str) else "ARN" for part in asked["Create"]["Fn::Join"][1]))
    assert create["parameters"] == {
        "resourceArn": "ARN",
        "usageType": "serverless-compute",
        "period": "daily",
        "amount": PlatformConfig().warehouse_rpu_hours_a_day,
        "breachAction": "deactivate",
    }
    assert json.loads(asked["Update"])["parameters"]["amount"] == PlatformConfig().warehouse_rpu_hours_a_day


def test_only_clients_reach_the_databases() -> None:
    made = template(NETWORK)
    groups = of_type(made, "AWS::EC2::SecurityGroup")
    assert not any(group["Properties"].get("SecurityGroupIngress") for group in groups.values())
    rules = {
        rule["Properties"]["FromPort"]: (
            rule["Properties"]["GroupId"]["Fn::GetAtt"][0][:-8],
            rule["Properties"]["SourceSecurityGroupId"]["Fn::GetAtt"][0][:-8],
        )
        for rule in of_type(made, "AWS::EC2::SecurityGroupIngress").values()
    }
    assert rules == {
        5432: ("RegistryAccess", "Client"),
        5439: ("WarehouseAccess", "Client"),
        443: ("EndpointAccess", "Client"),
    }
    assert of_type(made, "AWS::EC2::InternetGateway") == {}
    assert of_type(made, "AWS::EC2::NatGateway") == {}


def test_s3_and_secrets_manager_are_reached_inside_the_network() -> None:
    assertions(NETWORK).resource_count_is("AWS::EC2::VPCEndpoint", 2)
    assertions(NETWORK).has_resource_properties(
        "AWS::EC2::VPCEndpoint",
        {"VpcEndpointType": "Interface", "ServiceName": "com.amazonaws.eu-west-1.secretsmanager"},
    )
    assertions(NETWORK).has_resource_properties(
        "AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway", "RouteTableIds": [Match.any_value()] * 3}
    )


READ = ("alerts/history/", "curated/telemetry/", "registry/", "unload/")


def test_copy_reads_alerts_curated_and_registry_and_writes_unload_alone() -> None:
    granted = statements("CopyRole")
    assert granted["Read"]["Resource"] == [f"{BUCKET}/{p}*" for p in READ]
    assert granted["Unload"]["Resource"] == f"{BUCKET}/unload/*"
    writing = [s["Sid"] for s in granted.values() if "s3:PutObject" in s["Action"]]
    assert writing == ["Unload"]
    assert not any("Delete" in str(s["Action"]) or "*" in str(s["Action"]) for s in granted.values())
    assert set(granted["Decrypt"]["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_redshift_takes_on_the_copy_role_for_this_account_alone() -> None:
    (role,) = (r for name, r in of_type(template(STACK), "AWS::IAM::Role").items() if name.startswith("CopyRole"))
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert set(trust["Principal"]["Service"]) == {"redshift.amazonaws.com", "redshift-serverless.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "000000000000"},
        "ArnLike": {
            "aws:SourceArn": [
                "arn:aws:redshift:eu-west-1:000000000000:*",
                "arn:aws:redshift-serverless:eu-west-1:000000000000:*",
            ]
        },
    }
    assert only("AWS::RedshiftServerless::Namespace")["IamRoles"][0]["Fn::GetAtt"][0].startswith("CopyRole")


def test_without_protection_the_stack_can_be_destroyed(tmp_path: Path) -> None:
    build(tmp_path, PlatformConfig(deletion_protection=False)).synth()
    made = json.loads((tmp_path / f"{STACK}.template.json").read_text())
    (cluster,) = of_type(made, "AWS::RDS::DBCluster").values()
    (namespace,) = of_type(made, "AWS::RedshiftServerless::Namespace").values()
    assert cluster["Properties"]["DeletionProtection"] is False
    assert cluster["DeletionPolicy"] == "Snapshot"
    assert namespace["DeletionPolicy"] == "Delete"
    (kept,) = of_type(template(STACK), "AWS::RedshiftServerless::Namespace").values()
    assert kept["DeletionPolicy"] == "RetainExceptOnCreate"
