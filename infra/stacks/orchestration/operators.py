"""Who may work with Dagster: a user pool of its own, since a balancer cannot tell one group of a pool from another.

The console's pool has the tenants' people too, and everybody whom it lets through may start and stop runs.
"""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito

from infra.stacks.base import PlatformStack
from infra.stacks.console.users import closed_pool, no_passwords_by_api


@dataclass(frozen=True)
class Operators:
    """The pool's id, and that of the balancer's client."""

    pool: str
    client: str


def add_operators(stack: PlatformStack) -> Operators:
    """The pool, the balancer's client and the pages at which people sign in."""
    config = stack.config
    pool = closed_pool(stack, "Operators", config.dagster_name)
    client = cognito.UserPoolClient(
        stack,
        "BalancerClient",
        user_pool=pool,
        user_pool_client_name="balancer",
        # The balancer sends it; it wants a client with a secret (ALB guide, "Authenticate users using an Application
        # Load Balancer").
        generate_secret=True,
        o_auth=cognito.OAuthSettings(
            flows=cognito.OAuthFlows(authorization_code_grant=True),
            scopes=[cognito.OAuthScope.OPENID],
            callback_urls=[f"https://{config.host('dagster')}/oauth2/idpresponse"],
        ),
        supported_identity_providers=[cognito.UserPoolClientIdentityProvider.COGNITO],
        prevent_user_existence_errors=True,
        enable_token_revocation=True,
        access_token_validity=cdk.Duration.minutes(60),
        id_token_validity=cdk.Duration.minutes(60),
        refresh_token_validity=cdk.Duration.hours(12),
    )
    no_passwords_by_api(client)
    pool.add_domain(
        "SignIn",
        cognito_domain=cognito.CognitoDomainOptions(domain_prefix=config.dagster_sign_in_domain),
        managed_login_version=cognito.ManagedLoginVersion.CLASSIC_HOSTED_UI,
    )
    return Operators(pool.user_pool_id, client.user_pool_client_id)
