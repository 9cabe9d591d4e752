"""IAM's decisions: the examples and the rules of the IAM user guide, by the title of their page."""

from typing import Any

import pytest

from infra.iam.policy import Decision, Outcome, Policy, Principal, Request, authorise, evaluate, parse

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
USER = f"arn:aws:iam::{ACCOUNT}:user/carlos"
OBJECT = "arn:aws:s3:::logs/2026/a.json"


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> Policy:
    """A policy of statements that allow unless they say otherwise."""
    return parse({"Version": version, "Statement": [{"Effect": "Allow", **made} for made in statements]})


def allows(action: str = "s3:GetObject", resource: Any = "*", **more: Any) -> Policy:
    return policy({"Action": action, "Resource": resource, **more})


def denies(action: str = "s3:GetObject", resource: Any = "*", **more: Any) -> Policy:
    return policy({"Effect": "Deny", "Action": action, "Resource": resource, **more})


def grants(principal: Any, action: str = "s3:GetObject", **more: Any) -> Policy:
    return policy({"Principal": principal, "Action": action, "Resource": "*", **more})


def request(
    principal: Principal | None = None, action: str = "s3:GetObject", resource: str = OBJECT, **context: Any
) -> Request:
    keys = {name.replace("__", ":"): value for name, value in context.items()}
    return Request(principal or Principal.of_role(ROLE), action, resource, keys)


def decided(asked: Request, *identity: Policy, **more: Any) -> Outcome:
    made: Decision = authorise(asked, identity=identity, **more)
    return made.outcome


class TestWithinOneAccount:
    """ "Policy evaluation for requests within a single account"."""

    def test_nothing_is_allowed_that_no_policy_allows(self) -> None:
        assert decided(request()) is Outcome.NO_IDENTITY_POLICY

    def test_an_explicit_deny_wins_over_any_allow(self) -> None:
        assert decided(request(), allows(), denies()) is Outcome.EXPLICIT_DENY
        assert (
            decided(
                request(),
                allows(),
                resource=[policy({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"})],
            )
            is Outcome.EXPLICIT_DENY
        )

    def test_an_identity_policy_or_a_resource_policy_is_enough(self) -> None:
        assert decided(request(), allows()) is Outcome.ALLOWED
        assert decided(request(), resource=[grants({"AWS": ROLE})]) is Outcome.ALLOWED

    def test_a_resource_policy_for_somebody_else_is_nothing(self) -> None:
        assert decided(request(), resource=[grants({"AWS": ROLE + "s"})]) is Outcome.NO_IDENTITY_POLICY

    def test_a_resource_policy_that_names_the_account_leaves_it_to_identity_policies(self) -> None:
        for account in (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"):
            assert decided(request(), resource=[grants({"AWS": account})]) is Outcome.NO_IDENTITY_POLICY

    def test_denying_the_account_denies_everybody_in_it(self) -> None:
        refusal = policy({"Effect": "Deny", "Principal": {"AWS": ACCOUNT}, "Action": "*", "Resource": "*"})
        assert decided(request(), allows(), resource=[refusal]) is Outcome.EXPLICIT_DENY

    def test_a_boundary_limits_an_identity_policy(self) -> None:
        assert decided(request(), allows(), boundary=[allows("s3:PutObject")]) is Outcome.NO_BOUNDARY
        assert decided(request(), allows(), boundary=[allows("s3:*")]) is Outcome.ALLOWED
        assert decided(request(), boundary=[allows("s3:*")]) is Outcome.NO_IDENTITY_POLICY
        assert decided(request(), allows(), boundary=[allows(), denies()]) is Outcome.EXPLICIT_DENY

    def test_a_boundary_limits_what_is_granted_to_a_role_but_not_to_a_user_or_a_session(self) -> None:
        nothing = [allows("ec2:RunInstances")]
        session = Principal.of_role(ROLE, "nightly")
        assert decided(request(session), resource=[grants({"AWS": ROLE})], boundary=nothing) is Outcome.NO_BOUNDARY
        assert decided(request(session), resource=[grants({"AWS": session.arn})], boundary=nothing) is Outcome.ALLOWED
        assert (
            decided(request(Principal.of_user(USER)), resource=[grants({"AWS": USER})], boundary=nothing)
            is Outcome.ALLOWED
        )


class TestOtherAccounts:
    """ "Cross-account policy evaluation logic": both sides have to allow it."""

    @pytest.mark.parametrize(
        ("identity", "resource", "outcome"),
        [
            ([allows()], [grants({"AWS": ROLE})], Outcome.ALLOWED),
            ([allows()], [grants({"AWS": ACCOUNT})], Outcome.ALLOWED),
            ([allows()], [], Outcome.NO_RESOURCE_POLICY),
            ([], [grants({"AWS": ROLE})], Outcome.NO_IDENTITY_POLICY),
        ],
    )
    def test_both_sides_have_to_allow(self, identity: list[Policy], resource: list[Policy], outcome: Outcome) -> None:
        assert decided(request(), *identity, resource=resource, resource_account="444455556666") is outcome


class TestKeysAndTrusts:
    """KMS guide, "Key policies in AWS KMS"; IAM user guide, "How to use trust policies with IAM roles"."""

    def test_an_identity_policy_alone_does_not_open_a_key(self) -> None:
        asked = request(action="kms:Decrypt", resource=f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1")
        assert decided(asked, allows("kms:Decrypt"), resource_decides=True) is Outcome.NO_RESOURCE_POLICY
        root = grants({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "kms:*")
        assert decided(asked, allows("kms:Decrypt"), resource=[root], resource_decides=True) is Outcome.ALLOWED
        assert decided(asked, resource=[root], resource_decides=True) is Outcome.NO_IDENTITY_POLICY

    def test_a_service_is_let_in_by_a_policy_that_names_it_and_by_no_other(self) -> None:
        trust = policy({"Principal": {"Service": "firehose.amazonaws.com"}, "Action": "sts:AssumeRole"})
        asked = request(Principal.of_service("firehose.amazonaws.com"), "sts:AssumeRole", ROLE)
        assert decided(asked, resource=[trust], resource_decides=True) is Outcome.ALLOWED
        other = request(Principal.of_service("glue.amazonaws.com"), "sts:AssumeRole", ROLE)
        assert decided(other, resource=[trust], resource_decides=True) is Outcome.NO_RESOURCE_POLICY
        # An account's name is no service's.
        assert decided(asked, resource=[grants({"AWS": ACCOUNT}, "sts:AssumeRole")]) is Outcome.NO_RESOURCE_POLICY

    def test_the_confused_deputy_is_refused(self) -> None:
        """IAM user guide, "The confused deputy problem", cross-service."""
        trust = grants(
            {"Service": "sns.amazonaws.com"},
            "sqs:SendMessage",
            Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        )
        sns = Principal.of_service("sns.amazonaws.com")
        queue = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"
        for account, outcome in ((ACCOUNT, Outcome.ALLOWED), ("444455556666", Outcome.NO_RESOURCE_POLICY)):
            assert (
                decided(request(sns, "sqs:SendMessage", queue, aws__SourceAccount=account), resource=[trust]) is outcome
            )

    def test_everybody_is_the_anonymous_too(self) -> None:
        assert decided(request(Principal()), resource=[grants("*")]) is Outcome.ALLOWED
        assert decided(request(Principal()), resource=[grants({"AWS": ROLE})]) is Outcome.NO_RESOURCE_POLICY

    def test_not_principal_denies_all_others(self) -> None:
        """ "AWS JSON policy elements: NotPrincipal"."""
        others = policy({"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "*", "Resource": "*"})
        assert decided(request(), allows(), resource=[others]) is Outcome.ALLOWED
        assert decided(request(Principal.of_user(USER)), allows(), resource=[others]) is Outcome.EXPLICIT_DENY


class TestActionsAndResources:
    """ "IAM JSON policy elements: Action", "... NotAction", "... Resource", "... NotResource"."""

    @pytest.mark.parametrize(
        ("pattern", "action", "fits"),
        [
            ("s3:GetObject", "s3:getobject", True),
            ("iam:*AccessKey*", "iam:ListAccessKeys", True),
            ("s3:Get?bject", "s3:GetObject", True),
            ("s3:GetObject", "s3:GetObjectVersion", False),
            ("*", "kms:Decrypt", True),
            ("s3:*", "s3express:CreateSession", False),
        ],
    )
    def test_actions(self, pattern: str, action: str, fits: bool) -> None:
        assert (decided(request(action=action), allows(pattern)) is Outcome.ALLOWED) == fits

    @pytest.mark.parametrize(
        ("pattern", "resource", "fits"),
        [
            ("arn:aws:s3:::logs/*", "arn:aws:s3:::logs/2026/11/a:b", True),
            ("arn:aws:s3:::logs/*", "arn:aws:s3:::logs", False),
            ("arn:aws:s3:::Logs/*", "arn:aws:s3:::logs/a", False),
            ("arn:aws:s3:::logs/?.gz", "arn:aws:s3:::logs/ab.gz", False),
            # A wildcard stays in its part of the ARN.
            ("arn:aws:sqs:*:queue", "arn:aws:sqs:eu-west-1:111122223333:queue", False),
            ("arn:aws:sqs:*:111122223333:q", "arn:aws:sqs:eu-west-1:111122223333:q", True),
            # "If you specify an incomplete ARN, AWS completes it".
            ("arn:aws:sqs", "arn:aws:sqs:eu-west-1:111122223333:q", True),
            ("arn:aws:logs:*:*:log-group:a*", "arn:aws:logs:eu-west-1:1:log-group:a:log-stream:b", True),
        ],
    )
    def test_resources(self, pattern: str, resource: str, fits: bool) -> None:
        assert (decided(request(resource=resource), allows(resource=pattern)) is Outcome.ALLOWED) == fits

    def test_an_action_without_a_resource_needs_the_asterisk(self) -> None:
        asked = request(action="xray:PutTraceSegments", resource="*")
        assert decided(asked, allows("xray:*", "arn:aws:xray:*:*:*")) is Outcome.NO_IDENTITY_POLICY
        assert decided(asked, allows("xray:*")) is Outcome.ALLOWED

    def test_not_action_and_not_resource_are_all_others(self) -> None:
        most = policy({"NotAction": "iam:*", "Resource": "*"})
        assert decided(request(), most) is Outcome.ALLOWED
        assert decided(request(action="iam:ListUsers", resource="*"), most) is Outcome.NO_IDENTITY_POLICY
        own = policy({"Effect": "Deny", "Action": "s3:*", "NotResource": ["arn:aws:s3:::mine", "arn:aws:s3:::mine/*"]})
        assert decided(request(), allows(), own) is Outcome.EXPLICIT_DENY
        assert decided(request(resource="arn:aws:s3:::mine/a"), allows(), own) is Outcome.ALLOWED


class TestVariables:
    """ "IAM policy elements: Variables and tags"."""

    HOME = "arn:aws:s3:::home/${aws:username}/*"

    def test_a_variable_is_put_in(self) -> None:
        for name, outcome in (("carlos", Outcome.ALLOWED), ("marta", Outcome.NO_IDENTITY_POLICY)):
            assert (
                decided(request(resource="arn:aws:s3:::home/carlos/a", aws__UserName=name), allows(resource=self.HOME))
                is outcome
            )

    def test_a_value_with_an_asterisk_is_no_wildcard(self) -> None:
        asked = request(resource="arn:aws:s3:::home/carlos/a", aws__username="*")
        assert decided(asked, allows(resource=self.HOME)) is Outcome.NO_IDENTITY_POLICY

    def test_without_a_value_nothing_matches_unless_there_is_a_default(self) -> None:
        assert (
            decided(request(resource="arn:aws:s3:::home//a"), allows(resource=self.HOME)) is Outcome.NO_IDENTITY_POLICY
        )
        team = "arn:aws:s3:::home/${aws:PrincipalTag/team, 'company-wide'}/*"
        assert decided(request(resource="arn:aws:s3:::home/company-wide/a"), allows(resource=team)) is Outcome.ALLOWED

    def test_special_characters_are_themselves(self) -> None:
        asterisk = allows(resource="arn:aws:s3:::logs/${*}")
        assert decided(request(resource="arn:aws:s3:::logs/*"), asterisk) is Outcome.ALLOWED
        assert decided(request(resource="arn:aws:s3:::logs/a"), asterisk) is Outcome.NO_IDENTITY_POLICY

    def test_an_old_version_has_none(self) -> None:
        old = policy({"Action": "s3:GetObject", "Resource": self.HOME}, version="2008-10-17")
        assert (
            decided(request(resource="arn:aws:s3:::home/carlos/a", aws__username="carlos"), old)
            is Outcome.NO_IDENTITY_POLICY
        )
        assert decided(request(resource="arn:aws:s3:::home/${aws:username}/a"), old) is Outcome.ALLOWED


class TestConditions:
    """ "IAM JSON policy elements: Condition operators", "Set operators for multivalued context keys"."""

    @pytest.mark.parametrize(
        ("operator", "wanted", "found", "holds"),
        [
            ("StringEquals", ["a", "b"], "b", True),
            ("StringEquals", "a*", "ab", False),
            ("StringEquals", "a", None, False),
            ("StringEqualsIfExists", "a", None, True),
            ("StringEqualsIfExists", "a", "b", False),
            ("StringNotEquals", ["a", "b"], "b", False),
            ("StringNotEquals", ["a", "b"], "c", True),
            ("StringNotEquals", "a", None, True),
            ("StringEqualsIgnoreCase", "A", "a", True),
            ("StringNotEqualsIgnoreCase", "A", "a", False),
            ("StringLike", ["raw/*", ""], "raw/x", True),
            ("StringLike", "raw/*", "row/x", False),
            ("StringNotLike", "raw/*", "raw/x", False),
            ("ArnLike", "arn:aws:s3:::lake-*", "arn:aws:s3:::lake-1", True),
            ("ArnEquals", "arn:aws:*:1:lake", "arn:aws:s3:eu:1:lake", False),
            ("ArnNotLike", "arn:aws:s3:::lake", "arn:aws:s3:::lake", False),
            ("Bool", True, "TRUE", True),
            ("Bool", "false", None, False),
            ("BoolIfExists", "false", None, True),
            ("Null", "true", None, True),
            ("Null", True, "a", False),
            ("Null", "false", "a", True),
            ("NumericLessThanEquals", 10, "10", True),
            ("NumericGreaterThan", 10, "10", False),
            ("NumericEquals", "10", "ten", False),
            ("NumericNotEquals", "10", "11", True),
            ("DateLessThan", "2026-12-01T00:00:00Z", "2026-11-30T23:59:59Z", True),
            ("DateGreaterThan", "2026-12-01T00:00:00Z", "1700000000", False),
            ("IpAddress", "203.0.113.0/24", "203.0.113.9", True),
            ("IpAddress", "203.0.113.0/24", "2001:db8::1", False),
            ("NotIpAddress", "203.0.113.0/24", "203.0.114.9", True),
            ("BinaryEquals", "QUJD", "QUJD", True),
            ("ForAllValues:StringEquals", ["a", "b"], ["a"], True),
            ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
            ("ForAllValues:StringEquals", ["a"], None, True),
            ("ForAnyValue:StringEquals", ["a", "b"], ["c", "a"], True),
            ("ForAnyValue:StringEquals", ["a"], ["c"], False),
            ("ForAnyValue:StringEquals", ["a"], None, False),
            ("ForAnyValue:StringNotEquals", ["a"], None, False),
            ("ForAllValues:StringNotEquals", ["a"], ["b", "c"], True),
            ("ForAllValues:StringNotEquals", ["a"], ["b", "a"], False),
        ],
    )
    def test_operators(self, operator: str, wanted: Any, found: Any, holds: bool) -> None:
        asked = request(**({} if found is None else {"KEY": found}))
        conditional = allows(Condition={operator: {"key": wanted}})
        assert (decided(asked, conditional) is Outcome.ALLOWED) == holds

    def test_all_keys_and_operators_have_to_hold(self) -> None:
        both = allows(Condition={"StringEquals": {"a": "1", "b": "2"}, "Bool": {"c": "true"}})
        assert decided(request(a="1", b="2", c="true"), both) is Outcome.ALLOWED
        for missing in ("a", "b", "c"):
            values = {"a": "1", "b": "2", "c": "true"}
            del values[missing]
            assert decided(request(**values), both) is Outcome.NO_IDENTITY_POLICY

    def test_several_values_want_a_set_operator(self) -> None:
        with pytest.raises(ValueError, match="set operator"):
            decided(request(a=["1", "2"]), allows(Condition={"StringEquals": {"a": "1"}}))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"Effect": "allow", "Action": "s3:*", "Resource": "*"}, "Effect is 'allow'"),
        ({"Effect": "Allow", "Resource": "*"}, "either Action or NotAction"),
        ({"Effect": "Allow", "Action": "GetObject", "Resource": "*"}, "service:Operation"),
        ({"Effect": "Allow", "Action": "s3:*", "Resource": "lake/*"}, "an ARN"),
        ({"Effect": "Allow", "Action": "s3:*", "Resource": {"Ref": "Bucket"}}, "resolved"),
        (
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringIs": {"a": "b"}}},
            "no such operator",
        ),
        ({"Effect": "Allow", "Action": "s3:*", "Principal": {"Amazon": "a"}}, "Amazon"),
        ({"Effect": "Allow", "Action": "s3:*", "NotPrincipal": {"AWS": "1"}}, "NotPrincipal with Allow"),
    ],
)
def test_what_is_no_policy_is_refused_by_name(made: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse({"Version": "2012-10-17", "Statement": made})


def test_the_statements_that_decide_are_named() -> None:
    two = policy(
        {"Sid": "A", "Action": "s3:GetObject", "Resource": "*"}, {"Sid": "B", "Action": "s3:*", "Resource": "*"}
    )
    assert [statement.sid for statement in evaluate([two], request()).statements] == ["A", "B"]
