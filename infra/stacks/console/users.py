"""Who may sign in to the console: a pool of users whom administrators alone make, and what the console is in it."""

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept

# A tenant's users are in a group `tenant:<id>`, made when the tenant is.
ROLES = ("admin", "operator", "analyst")


def add_user_pool(stack: PlatformStack) -> cognito.UserPool:
    """The pool, with a group for each role of the platform's own people.

    Roles and tenants are groups, since no user can put himself into one; an attribute could be written by its user
    through any client that was made without a list of what it may write.
    """
    pool = closed_pool(stack, "Users", stack.config.console_users)
    for precedence, role in enumerate(ROLES, 1):
        cognito.CfnUserPoolGroup(
            stack,
            f"{role.capitalize()}s",
            user_pool_id=pool.user_pool_id,
            group_name=role,
            description=f"The console's role {role}",
            precedence=precedence,
        )
    return pool


def closed_pool(stack: PlatformStack, construct_id: str, name: str) -> cognito.UserPool:
    """A pool whose people administrators alone make, each with a second factor."""
    pool = cognito.UserPool(
        stack,
        construct_id,
        user_pool_name=name,
        self_sign_up_enabled=False,
        sign_in_aliases=cognito.SignInAliases(username=True),
        sign_in_case_sensitive=False,
        password_policy=cognito.PasswordPolicy(
            min_length=14,
            require_lowercase=True,
            require_uppercase=True,
            require_digits=True,
            require_symbols=True,
            temp_password_validity=cdk.Duration.days(3),
        ),
        mfa=cognito.Mfa.REQUIRED,
        mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
        account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
        auto_verify=cognito.AutoVerifiedAttrs(email=True),
        feature_plan=cognito.FeaturePlan.ESSENTIALS,
        deletion_protection=stack.config.deletion_protection,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    accept(pool, "AwsSolutions-COG8", "Few users, all made by administrators, with a second factor; Plus bills by user")
    return pool


def add_client(stack: PlatformStack, pool: cognito.UserPool) -> cognito.UserPoolClient:
    """The console: the code flow and nothing else. The console sends a PKCE challenge, so a code is of use to it alone.

    It keeps no token for longer than it takes to read it, so their lifetimes are the shortest there are.
    """
    url = stack.config.console_address
    client = cognito.UserPoolClient(
        stack,
        "Client",
        user_pool=pool,
        user_pool_client_name="console",
        generate_secret=False,
        o_auth=cognito.OAuthSettings(
            flows=cognito.OAuthFlows(authorization_code_grant=True),
            scopes=[cognito.OAuthScope.OPENID],
            callback_urls=[f"{url}/callback"],
            logout_urls=[f"{url}/signed-out"],
        ),
        supported_identity_providers=[cognito.UserPoolClientIdentityProvider.COGNITO],
        prevent_user_existence_errors=True,
        enable_token_revocation=True,
        read_attributes=cognito.ClientAttributes().with_standard_attributes(email=True, email_verified=True),
        write_attributes=cognito.ClientAttributes().with_standard_attributes(email=True),
        access_token_validity=cdk.Duration.minutes(5),
        id_token_validity=cdk.Duration.minutes(5),
        refresh_token_validity=cdk.Duration.hours(1),
    )
    no_passwords_by_api(client)
    return client


def no_passwords_by_api(client: cognito.UserPoolClient) -> None:
    """Unset, Cognito would let in who sends a password to its API; a list without any flow is not to be had."""
    resource = client.node.default_child
    assert isinstance(resource, cognito.CfnUserPoolClient)  # noqa: S101  # for the type checker: the construct's own
    resource.explicit_auth_flows = ["ALLOW_REFRESH_TOKEN_AUTH"]


def add_sign_in_pages(stack: PlatformStack, pool: cognito.UserPool) -> None:
    """The host at which Cognito serves its sign-in pages."""
    pool.add_domain(
        "SignIn",
        cognito_domain=cognito.CognitoDomainOptions(domain_prefix=stack.config.sign_in_domain),
        managed_login_version=cognito.ManagedLoginVersion.CLASSIC_HOSTED_UI,
    )
