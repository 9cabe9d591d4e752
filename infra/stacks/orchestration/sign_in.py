"""How people come to Dagster's pages: by the load balancer, which has them sign in first."""

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2_actions as signing

from infra.stacks.base import PlatformStack
from infra.stacks.entrance.routes import DAGSTER_PRIORITY, route
from infra.stacks.parameters import read
from infra.stacks.services.ports import WEBSERVER_PORT


def show_to_operators(stack: PlatformStack, webserver: ecs.FargateService) -> None:
    """Dagster's pages at its host, for whoever is in the operators' pool. A session lasts a working day."""
    config = stack.config
    pool = cognito.UserPool.from_user_pool_id(stack, "Operators", read(stack, config, "operators-pool"))
    client_id = read(stack, config, "operators-client")
    targets = route(
        stack,
        "dagster",
        DAGSTER_PRIORITY,
        WEBSERVER_PORT,
        "/server_info",
        lambda group: signing.AuthenticateCognitoAction(
            user_pool=pool,
            user_pool_client=cognito.UserPoolClient.from_user_pool_client_id(stack, "BalancerClient", client_id),
            user_pool_domain=cognito.UserPoolDomain.from_domain_name(stack, "SignIn", config.dagster_sign_in_domain),
            scope="openid",
            session_timeout=cdk.Duration.hours(9),
            allow_https_outbound=False,
            next=group,
        ),
    )
    targets.add_target(webserver)
