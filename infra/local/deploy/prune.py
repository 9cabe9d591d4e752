"""What a template asks for that the local AWS cannot give, or must not pretend to."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

# ministack would take the first two and show a network and a database that do not exist.
_SERVED_ELSEWHERE = {
    "AWS::EC2::": "no local process runs in a VPC",
    "AWS::RDS::": "the registry is the PostgreSQL of infra/local/postgres",
    "AWS::RedshiftServerless::": "the warehouse is the proxy of infra/local/redshift",
}


def not_for_here(template: Mapping[str, Any]) -> dict[str, str]:
    """The resources that are never sent to the local AWS, by logical id, with the reason."""
    found = {}
    for logical_id, resource in template["Resources"].items():
        for prefix, reason in _SERVED_ELSEWHERE.items():
            if resource["Type"].startswith(prefix):
                found[logical_id] = reason
        if resource["Type"] == "AWS::CloudWatch::Alarm" and resource["Properties"].get("Metrics"):
            found[logical_id] = "no alarm on an expression of metrics"
    return found


def unsupported(template: Mapping[str, Any], types: set[str]) -> dict[str, str]:
    """The resources of the types that CloudFormation refused, by logical id, with the reason."""
    return {name: "type not supported" for name, r in template["Resources"].items() if r["Type"] in types}


def prune(template: dict[str, Any], gone: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The template without the resources of `gone` and all that refers to them, and lines that say what was left out.

    Parameters that nothing refers to any more go too: the stack that would publish their values has left them out.

    Resources left out for the same reason share a line, and those of the same type are counted.
    """
    resources = template["Resources"]
    reasons = left_out(template, gone)
    kept = {name: _without_dependencies(r, reasons) for name, r in resources.items() if name not in reasons}
    outputs = {}
    lost: dict[str, list[str]] = defaultdict(list)
    for key, output in template.get("Outputs", {}).items():
        if hit := reasons.keys() & set(references(output)):
            lost[f"refers to {', '.join(sorted(hit))}"].append(key)
        else:
            outputs[key] = output
    read = set(references([kept, outputs]))
    parameters = {name: p for name, p in template.get("Parameters", {}).items() if name in read}
    lines = [*_lines(resources, reasons), *(f"output {', '.join(keys)}: {reason}" for reason, keys in lost.items())]
    return {**template, "Parameters": parameters, "Resources": kept, "Outputs": outputs}, tuple(lines)


def left_out(template: Mapping[str, Any], gone: Mapping[str, str]) -> dict[str, str]:
    """The resources of `gone` and all that cannot be without them, by logical id, with the reasons."""
    resources, reasons = template["Resources"], dict(gone)
    while more := _referring(resources, reasons) | _idle(resources, reasons):
        reasons |= more
    return reasons


def references(node: Any) -> Iterator[str]:
    """The logical ids that a piece of a template refers to, by Ref, Fn::GetAtt or Fn::Sub."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value[0] if isinstance(value, list) else value.split(".")[0]
            elif key == "Fn::Sub":
                text = value if isinstance(value, str) else value[0]
                yield from (name.split(".")[0] for name in re.findall(r"\$\{([^!}$][^}$]*+)\}", text))
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def _lines(resources: Mapping[str, Any], reasons: Mapping[str, str]) -> Iterator[str]:
    by_reason: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for logical_id, reason in reasons.items():
        by_reason[reason][resources[logical_id]["Type"]].append(logical_id)
    for reason, types in by_reason.items():
        shown = [f"{kind} {ids[0]}" if len(ids) == 1 else f"{len(ids)} {kind}" for kind, ids in types.items()]
        yield f"{', '.join(shown)}: {reason}"


def _referring(resources: Mapping[str, Any], gone: Mapping[str, str]) -> dict[str, str]:
    return {
        logical_id: f"refers to {', '.join(sorted(hit))}"
        for logical_id, r in resources.items()
        if logical_id not in gone and (hit := gone.keys() & set(references(r.get("Properties", {}))))
    }


def _idle(resources: Mapping[str, Any], gone: Mapping[str, str]) -> dict[str, str]:
    """The functions that were made to serve custom resources, all of which are left out."""
    users: dict[str, set[str]] = defaultdict(set)
    for logical_id, resource in resources.items():
        if resource["Type"].startswith("Custom::"):
            for function in references(resource["Properties"]["ServiceToken"]):
                users[function].add(logical_id)
    return {
        function: f"serves {', '.join(sorted(served))} alone"
        for function, served in users.items()
        if function not in gone and served <= gone.keys()
    }


def _without_dependencies(resource: dict[str, Any], gone: Mapping[str, str]) -> dict[str, Any]:
    if "DependsOn" not in resource:
        return resource
    depends = resource["DependsOn"]
    names = [depends] if isinstance(depends, str) else depends
    return {**resource, "DependsOn": [name for name in names if name not in gone]}
