"""The one way in for people: a load balancer with a certificate, and the names that lead to it."""

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.lake.buckets import BALANCER_LOGS
from infra.stacks.network.found import nameless_vpc
from infra.stacks.network.service_groups import HTTPS
from infra.stacks.parameters import publish, read
from infra.stacks.services.tasks import subnets

SERVICES = ("console", "dagster")


class EntranceStack(PlatformStack):
    """HTTPS alone; a host that is no service's is answered 404."""

    def __init__(self, scope: Construct, config: PlatformConfig) -> None:
        super().__init__(scope, "Entrance", config, holds_data=False)
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=config.hosted_zone, zone_name=config.domain
        )
        hosts = [config.host(service) for service in SERVICES]
        certificate = acm.Certificate(
            self,
            "Certificate",
            domain_name=hosts[0],
            subject_alternative_names=hosts[1:],
            validation=acm.CertificateValidation.from_dns(zone),
        )
        balancer = _balancer(self)
        listener = balancer.add_listener(
            "Https",
            port=HTTPS,
            protocol=elb.ApplicationProtocol.HTTPS,
            certificates=[certificate],
            ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
            open=False,
            default_action=elb.ListenerAction.fixed_response(404),
        )
        for service, host in zip(SERVICES, hosts, strict=True):
            route53.ARecord(
                self,
                f"{service.capitalize()}Name",
                zone=zone,
                record_name=host,
                target=route53.RecordTarget.from_alias(targets.LoadBalancerTarget(balancer)),
            )
        publish(self, config, {"entrance-listener": listener.listener_arn})
        self.outputs(ConsoleAddress=f"https://{hosts[0]}", DagsterAddress=f"https://{hosts[1]}")


def _balancer(stack: PlatformStack) -> elb.ApplicationLoadBalancer:
    config = stack.config
    ids = [read(stack, config, f"public-{zone}") for zone in config.zones]
    balancer = elb.ApplicationLoadBalancer(
        stack,
        "Balancer",
        vpc=nameless_vpc(stack),
        internet_facing=True,
        vpc_subnets=subnets(stack, ids, "Public"),
        security_group=ec2.SecurityGroup.from_security_group_id(
            stack, "Access", read(stack, config, "entrance-access"), mutable=False
        ),
        # The console's streams send something every 15 seconds, and its server keeps a connection for 75 seconds.
        idle_timeout=cdk.Duration.seconds(60),
        drop_invalid_header_fields=True,
        desync_mitigation_mode=elb.DesyncMitigationMode.STRICTEST,
        deletion_protection=config.deletion_protection,
    )
    # Not by `log_access_logs`, which lets in an account of AWS's (Elastic Load Balancing guide, "Enable access logs for
    # your Application Load Balancer", legacy policy). The bucket's policy is the lake's (infra/stacks/lake/buckets.py).
    logging = {"enabled": "true", "bucket": read(stack, config, "access-logs"), "prefix": BALANCER_LOGS}
    for key, value in logging.items():
        balancer.set_attribute(f"access_logs.s3.{key}", value)
    return balancer
