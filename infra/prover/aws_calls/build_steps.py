"""What the commands of a build call: the AWS and Docker command lines, the CDK's, and our own modules.

Which action an operation of the AWS command line needs stands in the service authorization reference of its service. A
program that is not known here is refused: nobody has said whether it calls AWS.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from botocore import xform_name
from botocore.session import get_session

from infra.prover.actions import actions_of
from infra.prover.deployed import Environment, Resource
from infra.prover.keys import key_calls
from infra.prover.needed import VIA_SERVICE, Need, need
from infra.prover.product import module_calls
from infra.prover.source.code import PRODUCT
from infra.prover.source.entries import entry_of
from infra.prover.source.shell import UNKNOWN, build_commands

_PUSH = 'ECR guide, "IAM permissions for pushing an image"'
_LOGIN = 'ECR guide, "Private registry authentication"; AWS CLI reference, `ecr get-login-password`'
_CDK = 'CDK guide, "Customize CDK bootstrapping": the command line takes on the roles that the cloud assembly names'
_ADMINISTRATOR = 'RDS guide, "Password management with Amazon RDS and AWS Secrets Manager"; Redshift guide, the same'
_SECRETS = 'Secrets Manager guide, "Secret encryption and decryption in AWS Secrets Manager"'
_PUSHED = (
    *("BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload"),
    *("InitiateLayerUpload", "PutImage", "UploadLayerPart"),
)
# Programs that call nothing of AWS under the build's role.
_QUIET = (
    *("set", "test", "[", ":", "echo", "exit", "eval", "rm", "touch", "git", "npm", "uv"),
    # All its tests have the endpoints of the local AWS, or none.
    ".ci/run",
)
_QUIET_OF_DOCKER = ("build", "login", "tag")
_QUIET_MODULES = ("pip", "venv")
_PYTHON = ("python", ".venv/bin/python", UNKNOWN)
# What an operation of the command line is on: the option that says so, and the ARN with its value.
_ON: Mapping[tuple[str, str], tuple[str, str]] = {
    ("ecr", "describe-images"): ("--repository-name", "arn:aws:ecr:{region}:{account}:repository/{value}"),
    ("ssm", "get-parameters"): ("--names", "arn:aws:ssm:{region}:{account}:parameter{value}"),
    ("ssm", "put-parameter"): ("--name", "arn:aws:ssm:{region}:{account}:parameter{value}"),
}
_WITHOUT_LEAVE = (("sts", "get-caller-identity"),)
# By the variable that holds an administrator's secret: whose it is, what its names are like, which property is its key.
_ADMINISTRATORS: Mapping[str, tuple[str, str, str]] = {
    "IOT_REGISTRY_SECRET_ARN": ("AWS::RDS::DBCluster", "rds!cluster-*", "MasterUserSecret.KmsKeyId"),
    "IOT_WAREHOUSE_SECRET_ARN": (
        "AWS::RedshiftServerless::Namespace",
        "redshift!{config.name}-*",
        "AdminPasswordSecretKmsKeyId",
    ),
}
_DEPLOY = "infra.deploy_to_aws"


def step_calls(environment: Environment, project: Resource) -> Iterator[Need]:
    """The calls of a project's commands. Raises ValueError for a command of which nobody has said what it calls."""
    given = project.properties["Environment"].get("EnvironmentVariables", ())
    variables = {each["Name"]: each["Value"] for each in given} | {"AWS_REGION": environment.config.region}
    target = _target(environment, variables.get("IOT_ENVIRONMENT", environment.config.name))
    commands, known = build_commands(project.properties["Source"]["BuildSpec"], variables)
    for command in commands:
        words = [command.words[0].rpartition("/")[2] if command.words[0] in _PYTHON else command.words[0]]
        words += command.words[1:]
        try:
            made = list(_command(target, words, known))
        except ValueError as error:
            raise ValueError(f"{command.file}: {error}") from error
        yield from made
        for each in made:
            yield from key_calls(target, each)


def _target(environment: Environment, name: str) -> Environment:
    for each in filter(None, (environment, environment.before)):
        if each.config.name == name:
            return each
    raise ValueError(f"a build is for {name}, which is neither {environment.config.name} nor what comes before it")


def _command(target: Environment, words: Sequence[str], known: Mapping[str, Sequence[str]]) -> Iterator[Need]:
    program, *rest = words
    if program in ("python", UNKNOWN):
        yield from _python(target, rest, known)
    elif program == "aws":
        yield from _aws(target, rest)
    elif program == "docker":
        yield from _docker(target, rest)
    elif program not in _QUIET:
        raise ValueError(f"`{' '.join(words)}`: say in infra/prover/aws_calls/build_steps.py what {program} calls")


def _aws(target: Environment, words: Sequence[str]) -> Iterator[Need]:
    service, command, *options = words
    if (service, command) in _WITHOUT_LEAVE:
        return
    if (service, command) == ("ecr", "get-login-password"):
        yield need("ecr:GetAuthorizationToken", "*", _LOGIN)
        return
    if (service, command) not in _ON:
        raise ValueError(f"`aws {service} {command}`: say in infra/prover/aws_calls/build_steps.py on what it is")
    option, arn = _ON[service, command]
    value = options[options.index(option) + 1] if option in options else UNKNOWN
    if UNKNOWN in value:
        raise ValueError(f"`aws {service} {command}`: {option} is {value}, expected a value that can be read here")
    operation = _operations(service)[command.replace("-", "_")]
    on = arn.format(region=target.config.region, account=target.config.account, value=value)
    for action in actions_of(service, operation):
        yield need(action, on, f"`aws {service} {command}` of .ci/delivery")


def _docker(target: Environment, words: Sequence[str]) -> Iterator[Need]:
    if words[0] in _QUIET_OF_DOCKER:
        return
    if words[0] != "push":
        raise ValueError(f"`docker {words[0]}`: say in infra/prover/aws_calls/build_steps.py what it calls")
    repository = words[-1].partition("/")[2].rpartition(":")[0]
    arn = f"arn:aws:ecr:{target.config.region}:{target.config.account}:repository/{repository}"
    if not repository or UNKNOWN in repository:
        raise ValueError(f"`docker push {words[-1]}`: expected an image whose repository can be read here")
    for action in _PUSHED:
        yield need(f"ecr:{action}", arn, _PUSH)


def _python(target: Environment, words: Sequence[str], known: Mapping[str, Sequence[str]]) -> Iterator[Need]:
    if words[0] != "-m" or words[1] in _QUIET_MODULES:
        return
    name, *arguments = words[1:]
    start, function = entry_of(name, arguments)
    if name == _DEPLOY:
        if "--places" not in arguments:
            yield from (need("sts:AssumeRole", role, _CDK) for role in target.deployers)
            return
        function = "places"
    secrets = [made for variable in _ADMINISTRATORS if variable in known for made in _administrator(target, variable)]
    yield from module_calls(target, start, function, (PRODUCT, name), secrets)


def _administrator(target: Environment, variable: str) -> Iterator[Need]:
    """Reading a database's administrator's secret, which AWS makes, names and keeps under the key that it is told."""
    config = target.config
    kind, names, key = _ADMINISTRATORS[variable]
    secret = f"arn:aws:secretsmanager:{config.region}:{config.account}:secret:{names.format(config=config)}"
    yield need("secretsmanager:GetSecretValue", secret, _ADMINISTRATOR)
    via = f"secretsmanager.{config.region}.amazonaws.com"
    for database in target.of_type(kind):
        named = _at(database.properties, key)
        if named and database.stack == config.stack("Warehouse"):
            arn = named if named.startswith("arn:") else f"arn:aws:kms:{config.region}:{config.account}:key/{named}"
            yield Need("kms:Decrypt", arn, _SECRETS, ((VIA_SERVICE, via),))


def _at(properties: Mapping[str, Any], path: str) -> str:
    found: Any = properties
    for name in path.split("."):
        found = found.get(name, {})
    return str(found or "")


@cache
def _operations(service: str) -> Mapping[str, str]:
    return {xform_name(name): name for name in get_session().get_service_model(service).operation_names}
