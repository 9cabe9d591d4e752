"""Thing policy variables of attributes and type, which stock ministack lacks, as they are at the moment of a decision.

AWS IoT Core developer guide, "Thing policy variables": `${iot:Connection.Thing.Attributes[NAME]}` is the value of the
attribute of the thing whose name is the client id, if the connection's certificate is attached to it. "Thing policy
examples": a variable that cannot be resolved denies access.
"""

import json
import re
from functools import lru_cache
from typing import Any

from ministack.core.iam_evaluator import parse_policy_document
from ministack.core.responses import request_scope
from ministack.services import iot

# An attribute's name: API reference, AttributePayload.
_VARIABLE = re.compile(r"\$\{(iot:[A-Za-z.]+(?:\[[a-zA-Z0-9_.,@/:#-]+\])?)\}")
# No client id or topic can hold it (MQTT 5.0, "UTF-8 Encoded String"), so a resource with it matches nothing.
_UNRESOLVED = "\\u0000"

_stock_context = iot._mqtt_policy_context


def install() -> None:
    """Replace how a session's variables are found and put into its policies."""
    iot._mqtt_policy_context = _policy_context
    iot._parsed_iot_policy = _parsed_policy


def refresh(session: Any) -> None:
    """Take the variables anew: the thing may have other attributes than when its session began."""
    if session.certificate_id is not None and session._policy_context:
        session._policy_context = _policy_context(
            session.account_id, session.region, session.certificate_id, session._client_id
        )


def _policy_context(account_id: str, region: str, certificate_id: str, client_id: str) -> dict[str, str]:
    context: dict[str, str] = _stock_context(account_id, region, certificate_id, client_id)
    if "iot:connection.thing.thingname" not in context:
        return context
    with request_scope(account_id, region):
        thing = iot._things[client_id]
    if thing.get("thingTypeName"):
        context["iot:connection.thing.thingtypename"] = thing["thingTypeName"]
    return context | {f"iot:connection.thing.attributes[{name}]": value for name, value in thing["attributes"].items()}


@lru_cache(maxsize=4096)
def _parsed_policy(document: str, context: tuple[tuple[str, str], ...]) -> list[Any]:
    values = dict(context)

    def value_of(match: re.Match[str]) -> str:
        name, bracket, attribute = match[1].partition("[")
        value = values.get(name.lower() + bracket + attribute)
        return _UNRESOLVED if value is None else json.dumps(value)[1:-1]

    statements: list[Any] = parse_policy_document(_VARIABLE.sub(value_of, document))
    return statements
