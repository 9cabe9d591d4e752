"""`aws SERVICE OPERATION --name value ...` by boto3, for the commands of the runbooks: AWS's own command line is no
requirement of the project.

It knows what those commands use: parameters by botocore's model of the service, `--query` (JMESPath), `--output text`.
A service, operation or parameter that there is none of ends it with an error, as AWS's own does.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]  # it ships no type information
from botocore import xform_name


def _read(shape: Any, values: Sequence[str]) -> Any:
    """The value of a parameter, as the service's model has it."""
    if shape.type_name == "list" and not (len(values) == 1 and values[0].startswith("[")):
        return [_read(shape.member, [value]) for value in values]
    (value,) = values
    if shape.type_name in {"structure", "map", "list"}:
        return json.loads(value)
    if shape.type_name in {"integer", "long"}:
        return int(value)
    if shape.type_name == "blob":
        return value.encode()
    return value


def _parameters(shape: Any, arguments: Sequence[str]) -> dict[str, Any]:
    members = {xform_name(name).replace("_", "-"): name for name in shape.members}
    given: dict[str, list[str]] = {}
    for argument in arguments:
        if argument.startswith("--"):
            given[argument[2:]] = []
        elif given:
            given[list(given)[-1]].append(argument)
        else:
            raise SystemExit(f"unknown argument {argument}")
    found: dict[str, Any] = {}
    for name, values in given.items():
        negated = name.removeprefix("no-")
        if negated in members and not values:
            found[members[negated]] = negated == name
        elif name in members:
            texts = [Path(v[7:]).read_text() if v.startswith("file://") else v for v in values]
            found[members[name]] = _read(shape.members[members[name]], texts)
        else:
            raise SystemExit(f"unknown option --{name}; there are {', '.join(sorted(members))}")
    return found


def _take(arguments: list[str], option: str) -> str | None:
    if option not in arguments:
        return None
    place = arguments.index(option)
    value = arguments[place + 1]
    del arguments[place : place + 2]
    return value


def main(arguments: list[str]) -> None:
    """Call what the arguments say, and print the answer."""
    query, output = _take(arguments, "--query"), _take(arguments, "--output")
    service, operation, *rest = arguments
    client = boto3.client(service)  # type: ignore[call-overload]  # the service is a variable
    names = {xform_name(name).replace("_", "-"): name for name in client.meta.service_model.operation_names}
    if operation not in names:
        raise SystemExit(f"unknown operation {operation} of {service}")
    shape = client.meta.service_model.operation_model(names[operation]).input_shape
    answer = getattr(client, operation.replace("-", "_"))(**(_parameters(shape, rest) if shape else {}))
    answer.pop("ResponseMetadata", None)
    found = jmespath.search(query, answer) if query else answer
    if output == "text":
        print(*found if isinstance(found, list) else [found], sep="\t")
    elif found not in ({}, None):
        print(json.dumps(found, indent=4, default=str))


if __name__ == "__main__":
    main(sys.argv[1:])
