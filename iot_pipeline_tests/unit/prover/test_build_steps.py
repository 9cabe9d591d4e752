"""What commands of a build call: refused where nobody has said so."""

from typing import Any

import pytest

from infra.prover.aws_calls import build_steps
from infra.prover.aws_calls.build_steps import step_calls
from infra.prover.deployed import Environment, Resource
from infra.prover.source.shell import Command
from infra.stacks.config import PlatformConfig

CONFIG = PlatformConfig(account="111122223333", name="try")
WHERE = "eu-west-1:111122223333"


def _calls(monkeypatch: pytest.MonkeyPatch, *words: str, target: str = "try") -> set[tuple[str, str]]:
    variables: list[Any] = [{"Name": "IOT_ENVIRONMENT", "Value": target}]
    properties = {"Environment": {"EnvironmentVariables": variables}, "Source": {"BuildSpec": "b.yml"}}
    monkeypatch.setattr(build_steps, "build_commands", lambda _spec, _given: ([Command(words, "b.yml")], {}))
    project = Resource("TryDelivery", "Build1", "AWS::CodeBuild::Project", properties)
    return {(made.action, made.resource) for made in step_calls(Environment(CONFIG, {}), project)}


def test_an_operation_of_the_command_line_is_on_what_its_option_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _calls(monkeypatch, "aws", "ssm", "get-parameters", "--names", "/try/released") == {
        ("ssm:GetParameters", f"arn:aws:ssm:{WHERE}:parameter/try/released")
    }
    assert _calls(monkeypatch, "aws", "sts", "get-caller-identity") == set()
    assert _calls(monkeypatch, "aws", "ecr", "get-login-password") == {("ecr:GetAuthorizationToken", "*")}


def test_a_push_is_to_the_images_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _calls(monkeypatch, "docker", "push", "1.dkr.ecr.eu-west-1.amazonaws.com/try/dagster:abc")
    assert {on for _, on in made} == {f"arn:aws:ecr:{WHERE}:repository/try/dagster"}
    assert ("ecr:PutImage", f"arn:aws:ecr:{WHERE}:repository/try/dagster") in made


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("terraform", "apply"), "say in infra/prover/aws_calls/build_steps.py what terraform calls"),
        (("aws", "s3", "rm", "s3://b/k"), "`aws s3 rm`: say in infra/prover/aws_calls/build_steps.py on what it is"),
        (("aws", "ssm", "put-parameter", "--value", "v"), "--name is .*, expected a value that can be read here"),
        (("docker", "run", "x"), "`docker run`: say in"),
        (("docker", "push", "alone"), "expected an image whose repository can be read here"),
        (("python", "-m", "iot_pipeline.nothing"), "there is no such module"),
        (
            ("python", "-m", "iot_pipeline.registry", "nothing"),
            "no function of iot_pipeline.registry is this command's",
        ),
    ],
)
def test_what_nobody_has_spoken_of_is_refused(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        _calls(monkeypatch, *words)


def test_an_environment_that_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="a build is for other, which is neither try"):
        _calls(monkeypatch, "echo", "x", target="other")
