"""The services' network: endpoints for what is called, and for nothing else; who opens connections to whom."""

import json
from typing import Any

from infra.stacks.network.endpoints import ENDPOINTS
from iot_pipeline_tests.support.templates import of_type, template

STACK = "TelemetryServiceNetwork"
# By gateways, or in the stack Network, or no API: a database's port is reached by its group.
OTHERWISE = {"s3", "dynamodb", "secretsmanager", "rds-db"}
# What AWS does in a task's name elsewhere: KMS is called by the services that encrypt, roles are passed to ECS.
NOT_CALLED = {"kms", "iam"}

# This account's principals, on this account's resources.
OWN = {"StringEquals": {"aws:PrincipalAccount": "000000000000", "aws:ResourceAccount": "000000000000"}}


def test_the_endpoints_are_those_that_dagsters_tasks_call() -> None:
    """Of the tasks' own roles and of Fargate's before them."""
    made = template("TelemetryOrchestration")
    policies = {**of_type(made, "AWS::IAM::Policy"), **of_type(made, "AWS::IAM::ManagedPolicy")}
    own = {name: each for name, each in policies.items() if not name.startswith("ScheduleRole")}
    assert len(own) >= 12, "seven roles of tasks, five of Fargate's"
    called = {
        action.partition(":")[0]
        for each in own.values()
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
        for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
    }
    assert called - OTHERWISE - NOT_CALLED == set(ENDPOINTS)


def test_each_endpoint_is_for_this_accounts_principals() -> None:
    made = of_type(template(STACK), "AWS::EC2::VPCEndpoint").values()
    assert len(made) == sum(map(len, ENDPOINTS.values())) + 1
    for endpoint in made:
        (statement,) = endpoint["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Condition"] == OWN
        if endpoint["Properties"]["VpcEndpointType"] == "Interface":
            assert endpoint["Properties"]["PrivateDnsEnabled"] is True
            assert len(endpoint["Properties"]["SubnetIds"]) == 1, "a team's endpoints stand in one zone"


def test_s3_leads_to_own_buckets_and_to_the_layers_of_images() -> None:
    endpoints = of_type(template("TelemetryNetwork"), "AWS::EC2::VPCEndpoint").values()
    (gateway,) = (e["Properties"] for e in endpoints if e["Properties"]["VpcEndpointType"] == "Gateway")
    own, layers = gateway["PolicyDocument"]["Statement"]
    assert own["Condition"] == OWN
    assert "Condition" not in layers, "ECR's own account signs the addresses of layers"
    assert layers["Action"] == "s3:GetObject"
    assert layers["Resource"] == "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*"


def test_no_group_opens_connections_to_everything() -> None:
    for stack in ("TelemetryNetwork", STACK):
        for name, group in of_type(template(stack), "AWS::EC2::SecurityGroup").items():
            for rule in group["Properties"].get("SecurityGroupEgress", []):
                assert rule["IpProtocol"] in ("tcp", "icmp"), name
                assert rule["CidrIp"] != "0.0.0.0/0" or rule["FromPort"] == rule["ToPort"] == 443, name


def test_people_reach_the_load_balancer_alone_and_by_https() -> None:
    groups = of_type(template(STACK), "AWS::EC2::SecurityGroup")
    open_to_all = {
        name: [rule["FromPort"] for rule in group["Properties"].get("SecurityGroupIngress", [])]
        for name, group in groups.items()
        if "0.0.0.0/0" in json.dumps(group["Properties"].get("SecurityGroupIngress", []))
    }
    ((name, ports),) = open_to_all.items()
    assert name.startswith("EntranceGroup")
    assert ports == [443]


def test_services_listen_to_the_balancer_and_databases_to_services() -> None:
    rules = {
        (short(rule["Properties"]["SourceSecurityGroupId"]), rule["Properties"]["FromPort"])
        for rule in of_type(template(STACK), "AWS::EC2::SecurityGroupIngress").values()
    }
    assert rules == {
        ("Entrance", 3000),
        ("Entrance", 8080),
        ("Dagster", 4000),
        ("Dagster", 5432),
        ("Dagster", 5439),
        ("Dagster", 443),
        ("Console", 5432),
        ("Console", 5439),
        ("Console", 443),
    }


def short(reference: Any) -> str:
    return str(reference["Fn::GetAtt"][0]).partition("Group")[0]


def test_the_way_to_the_internet_is_the_public_subnets_own() -> None:
    made = template(STACK)
    (route,) = of_type(made, "AWS::EC2::Route").values()
    assert route["Properties"]["RouteTableId"]["Ref"].startswith("PublicRoutes")
    assert of_type(made, "AWS::EC2::NatGateway") == {}
    for part in ("Orchestration",):
        for service in of_type(template(f"Telemetry{part}"), "AWS::ECS::Service").values():
            network = service["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"]
            assert network["AssignPublicIp"] == "DISABLED"
