"""Notes which AWS calls the product makes, and on what: Python imports this by itself where this folder is in its path.

For `make prove-record` alone. Every process of a demo or a test then adds lines to a file of its own in the folder that
RECORDED_CALLS names, functions of the local AWS included: so this is of the standard library and botocore alone.
"""

import json
import os
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

FOLDER = "RECORDED_CALLS"
PRODUCT = "iot_pipeline"
# What names a resource among a call's parameters; a value that is a list or a map is told by `_named`.
NAMING = (
    "Bucket",
    "Key",
    "Prefix",
    "TableName",
    "IndexName",
    "QueueUrl",
    "TopicArn",
    "StreamName",
    "StreamARN",
    "FunctionName",
    "SecretId",
    "DatabaseName",
    "Name",
    "WorkGroup",
    "UserPoolId",
    "logGroupName",
    "thingName",
    "policyName",
)
_seen: set[str] = set()
_lock = threading.Lock()


def note(params: dict[str, Any], model: Any, **_event: Any) -> None:
    """The event `provide-client-params` of botocore: a client's method is called."""
    # A function's variable; without it, the outermost of the product's code on the stack says who calls.
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    inner, outer = _sites(sys._getframe())
    if not (function or inner):
        return
    row = {
        "who": function or outer,
        "site": inner,
        "call": f"{model.service_model.service_name}:{model.name}",
        "on": {name: params[name] for name in NAMING if isinstance(params.get(name), str)} | _named(params),
    }
    line = json.dumps(row, sort_keys=True)
    with _lock:
        if line in _seen:
            return
        _seen.add(line)
        with (Path(os.environ[FOLDER]) / f"{os.getpid()}.jsonl").open("a") as out:
            out.write(line + "\n")


def _sites(frame: FrameType | None) -> tuple[str, str]:
    """The innermost function of the product on the stack, and the outermost's module."""
    inner = outer = ""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module == "__main__" and (spec := frame.f_globals.get("__spec__")):
            module = str(spec.name)
        if module.partition(".")[0] == PRODUCT:
            inner = inner or f"{module}:{frame.f_code.co_qualname}"
            outer = module
        frame = frame.f_back
    return inner, outer


def _named(params: dict[str, Any]) -> dict[str, list[str]]:
    """The tables of DynamoDB's calls on several items."""
    tables: set[str] = set()
    if isinstance(params.get("RequestItems"), dict):
        tables |= set(params["RequestItems"])
    for item in params.get("TransactItems") or params.get("TransactGetItems") or []:
        tables |= {f"{part['TableName']}:{kind}" for kind, part in item.items()}
    return {"Tables": sorted(tables)} if tables else {}


def install() -> None:
    """Have each client that is made from here on tell of its calls."""
    from botocore import handlers

    handlers.BUILTIN_HANDLERS.append(("provide-client-params", note))


if os.environ.get(FOLDER):
    install()
