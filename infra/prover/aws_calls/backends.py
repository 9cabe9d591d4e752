"""What is called under the roles that no resource takes on: those of backends outside of the platform."""

from collections.abc import Iterator

from infra.prover.deployed import Environment
from infra.prover.granted import Role
from infra.prover.needed import Need, need

_WHY = "a producer puts records to its own stream (iot_pipeline/producer/put.py)"


def backend_calls(environment: Environment, role: Role) -> Iterator[Need]:
    """What a producer calls under its role; nothing for any other role."""
    config = environment.config
    for producer in config.producers:
        name = config.producer(producer.name)
        if role.arn.endswith(f":role/{name}"):
            stream = f"arn:{config.partition}:kinesis:{config.region}:{config.account}:stream/{name}"
            yield need("kinesis:PutRecords", stream, _WHY)
