"""What functions tell: log lines by stream of their environment, metrics in the embedded format, Lambda's own metrics.

AWS Lambda developer guide: "Sending Lambda function logs to CloudWatch Logs" (platform lines by format and level),
"Types of metrics for Lambda functions". CloudWatch user guide, "Specification: Embedded metric format". Stock ministack
makes a log stream for each invocation, extracts no metrics, and counts only the calls of its API.
"""

import json
import time
from typing import Any

from ministack.services import lambda_svc

from infra.local.emulator.authorisation.denials import AccessDeniedError
from infra.local.emulator.authorisation.service_roles import LAMBDA, ServiceRole
from infra.local.emulator.cloudwatch import record
from infra.local.emulator.log_lines import append_lines, stream_arn

_LEVELS = ("DEBUG", "INFO", "WARN")
_stock_logs = lambda_svc._emit_lambda_logs
_stock_dispatch = lambda_svc._execute_function_dispatch


def install() -> None:
    """Replace how ministack logs and counts invocations."""
    lambda_svc._emit_lambda_logs = _logs
    lambda_svc._emit_lambda_metrics = _throttle
    lambda_svc._execute_function_dispatch = _counted


def _counted(function: Any, config: Any, event: Any, request_id: str, started: float) -> Any:
    began = time.monotonic()
    result = _stock_dispatch(function, config, event, request_id, started)
    dimensions = {"FunctionName": str(config.get("FunctionName", ""))}
    record("AWS/Lambda", "Invocations", 1, "Count", dimensions)
    record("AWS/Lambda", "Errors", int(bool(result.get("error"))), "Count", dimensions)
    record("AWS/Lambda", "Duration", (time.monotonic() - began) * 1000, "Milliseconds", dimensions)
    return result


def _throttle(function_name: str, duration_ms: float, *, error: bool, throttle: bool) -> None:
    """Ministack tells of a throttle twice where its API was called: the second time as an error."""
    if throttle and not error and not duration_ms:
        record("AWS/Lambda", "Throttles", 1, "Count", {"FunctionName": function_name})


def _logs(
    function: Any, request_id: str, text: str, error: bool, duration_ms: int, *, log_source: str | None = None
) -> None:
    config = function.get("config") or function
    if not log_source or log_source == "rie":
        _stock_logs(function, request_id, text, error, duration_ms, log_source=log_source)
        return
    lines = text.splitlines()
    for line in lines:
        embedded_metrics(line)
    logging_config = config.get("LoggingConfig") or {}
    if logging_config.get("LogFormat") != "JSON":
        lines = _with_platform_lines(lines, config, request_id, duration_ms)
    elif _LEVELS.index(logging_config.get("SystemLogLevel", "INFO")) <= 1:
        lines.append(_report(request_id, duration_ms, error=error))
    if lines:
        _as_the_role(
            config, logging_config.get("LogGroup") or f"/aws/lambda/{config['FunctionName']}", log_source, lines
        )


def _as_the_role(config: Any, group: str, stream: str, lines: list[str]) -> None:
    """Lambda writes with the execution role; without the permission the lines are lost, and the function runs on."""
    role, arn = ServiceRole(config.get("Role", ""), LAMBDA, config["FunctionArn"]), stream_arn(group, stream)
    try:
        role.check("logs:CreateLogStream", arn)
        role.check("logs:PutLogEvents", arn)
    except AccessDeniedError:
        return
    append_lines(group, stream, lines)


def embedded_metrics(line: str) -> int:
    """Record the metrics that a line of the embedded metric format holds; how many they are."""
    if not line.startswith("{") or '"_aws"' not in line:
        return 0
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
        found = [
            (str(directive["Namespace"]), metric, [str(name) for name in names])
            for directive in directives
            for names in directive.get("Dimensions") or [[]]
            for metric in directive.get("Metrics", [])
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return 0
    count = 0
    for namespace, metric, names in found:
        values = document.get(metric["Name"])
        dimensions = {name: str(document[name]) for name in names if name in document}
        for value in values if isinstance(values, list) else [values]:
            # What is no number, or lacks a dimension that it names, is a line and no metric.
            if isinstance(value, int | float) and len(dimensions) == len(names):
                record(namespace, metric["Name"], value, metric.get("Unit", "None"), dimensions)
                count += 1
    return count


def _with_platform_lines(lines: list[str], config: Any, request_id: str, duration_ms: int) -> list[str]:
    memory = config.get("MemorySize", 128)
    report = f"REPORT RequestId: {request_id}\tDuration: {duration_ms} ms\tMemory Size: {memory} MB"
    start = f"START RequestId: {request_id} Version: {config.get('Version', '$LATEST')}"
    return [start, *lines, f"END RequestId: {request_id}", report]


def _report(request_id: str, duration_ms: int, *, error: bool) -> str:
    status = "error" if error else "success"
    record_ = {"requestId": request_id, "metrics": {"durationMs": duration_ms}, "status": status}
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    return json.dumps({"time": stamp, "type": "platform.report", "record": record_})
