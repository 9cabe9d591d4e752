"""The types of resources that stand still until something else calls them.

A type that is neither here nor has rows in `template_rows.py` fails a test.
"""

_STANDING = {
    "ApplicationAutoScaling": ("ScalableTarget",),
    "Athena": ("WorkGroup",),
    "CloudWatch": (
        "Alarm",
        "Dashboard",
    ),
    "Cognito": (
        "UserPool",
        "UserPoolClient",
        "UserPoolDomain",
        "UserPoolGroup",
    ),
    "EC2": (
        "FlowLog",
        "InternetGateway",
        "Route",
        "RouteTable",
        "SecurityGroup",
        "SecurityGroupEgress",
        "SecurityGroupIngress",
        "Subnet",
        "SubnetRouteTableAssociation",
        "VPC",
        "VPCEndpoint",
        "VPCGatewayAttachment",
    ),
    "ECS": (
        "Cluster",
        "ClusterCapacityProviderAssociations",
        "TaskDefinition",
    ),
    "ElasticLoadBalancingV2": (
        "Listener",
        "ListenerRule",
        "LoadBalancer",
        "TargetGroup",
    ),
    "Glue": (
        "Database",
        "Job",
        "Table",
        "Workflow",
    ),
    "IAM": (
        "ManagedPolicy",
        "Policy",
        "Role",
    ),
    "IoT": (
        "Policy",
        "ProvisioningTemplate",
        "ThingType",
    ),
    "KMS": ("Alias",),
    "Kinesis": ("Stream",),
    "Lambda": (
        "EventInvokeConfig",
        "Function",
        "Permission",
    ),
    "Logs": (
        "LogStream",
        "MetricFilter",
    ),
    "RDS": (
        "DBClusterParameterGroup",
        "DBInstance",
        "DBSubnetGroup",
    ),
    "RedshiftServerless": ("Workgroup",),
    "Route53": ("RecordSet",),
    "SecretsManager": ("Secret",),
    "S3": ("BucketPolicy",),
    "SNS": (
        "Topic",
        "TopicPolicy",
    ),
    "SQS": ("QueuePolicy",),
    "SSM": ("Parameter",),
    "Scheduler": ("ScheduleGroup",),
    "ServiceDiscovery": ("HttpNamespace",),
    "XRay": ("Group",),
}
STANDING = frozenset(f"AWS::{service}::{name}" for service, names in _STANDING.items() for name in names) | {
    "Custom::DatabaseUser",
    "Custom::RedshiftAdminSecret",
    "Custom::VpcRestrictDefaultSG",
}
