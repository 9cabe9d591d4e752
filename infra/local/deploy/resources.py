"""A stack's resources with their properties resolved: no Ref, Fn::GetAtt or Fn::Join left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.deploy.stacks import DeployError


@dataclass(frozen=True)
class Resource:
    """A resource as the template wants it and as CloudFormation named it."""

    logical_id: str
    type: str
    physical_id: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Stack:
    """What intrinsic functions of one stack resolve against."""

    account: str
    region: str
    template: Mapping[str, Any]
    physical_ids: Mapping[str, str]
    parameters: Mapping[str, str]

    def resources(self) -> list[Resource]:
        """All resources of the template. Raises DeployError for an intrinsic function that is not known here."""
        return [
            Resource(
                logical_id, r["Type"], self.physical_ids.get(logical_id, ""), self._resolve(r.get("Properties", {}))
            )
            for logical_id, r in self.template["Resources"].items()
        ]

    def _resolve(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._resolve(item) for item in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            resolve = self._functions().get(function)
            if resolve:
                return resolve(argument)
            if function.startswith("Fn::"):
                raise DeployError(f"{function} in a template: infra/local/deploy/resources.py does not resolve it yet")
        return {key: self._resolve(value) for key, value in node.items()}

    def _functions(self) -> Mapping[str, Callable[[Any], Any]]:
        return {
            "Ref": self._ref,
            "Fn::GetAtt": lambda argument: self._attribute(*argument),
            "Fn::Join": lambda argument: argument[0].join(self._resolve(argument[1])),
        }

    def _ref(self, name: str) -> str:
        pseudo = {"AWS::AccountId": self.account, "AWS::Region": self.region, "AWS::Partition": "aws"}
        return pseudo.get(name) or self.parameters.get(name) or self.physical_ids[name]

    def _attribute(self, logical_id: str, attribute: str) -> str:
        resource_type = self.template["Resources"][logical_id]["Type"]
        # Of these two the physical id is the attribute itself.
        if (resource_type, attribute) in _PHYSICAL_IDS:
            return self.physical_ids[logical_id]
        name = self.physical_ids[logical_id]
        if resource_type == "AWS::SQS::Queue":
            name = name.rsplit("/", maxsplit=1)[-1]
        if (resource_type, attribute) == ("AWS::SQS::Queue", "QueueName"):
            return name
        if attribute != "Arn" or resource_type not in _ARNS:
            raise DeployError(f"Fn::GetAtt {attribute} of {resource_type}: add it to infra/local/deploy/resources.py")
        return _ARNS[resource_type].format(account=self.account, region=self.region, name=name)


_PHYSICAL_IDS = {("AWS::Lambda::EventSourceMapping", "Id"), ("AWS::Kinesis::StreamConsumer", "ConsumerARN")}
_ARNS = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{name}",
    "AWS::Events::Rule": "arn:aws:events:{region}:{account}:rule/{name}",
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{name}",
    "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/{name}",
    "AWS::Kinesis::Stream": "arn:aws:kinesis:{region}:{account}:stream/{name}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{name}:*",
}
