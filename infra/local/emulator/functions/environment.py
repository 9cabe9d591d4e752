"""An execution environment of a function in Python: a process that stays for the next invocation.

AWS Lambda developer guide, "Understanding the Lambda execution environment lifecycle": an exception that the handler
raises leaves the environment as it is; a timeout or the end of the process ends it, and the next invocation starts
another. Stock ministack ends it after each exception, waits up to 50 ms for log lines after each invocation, and ends
every environment of a function when one of them cannot start.
"""

import json
import logging
import queue
import threading
import time
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import new_uuid
from ministack.services import lambda_svc

from infra.local.emulator.functions import runtime

LOG_SECONDS = 2.0
log = logging.getLogger("local_aws.functions")
_stock_class_for = lambda_runtime._worker_class_for


class ExecutionEnvironment(lambda_runtime.Worker):  # type: ignore[misc]  # ministack is untyped
    """One process. `log_stream` is its log stream, as on AWS, and not one an invocation."""

    _proc: Any  # the process, None before the first invocation and after one that ended it

    def __init__(self, name: str, config: Any, code: bytes) -> None:
        logging_config = config.get("LoggingConfig") or {}
        # As function's variables, because the process's others are made inside of ministack; the script renames them.
        logs = {
            "_LOCAL_LOG_FORMAT": logging_config.get("LogFormat", "Text"),
            "_LOCAL_LOG_LEVEL": logging_config.get("ApplicationLogLevel", "INFO"),
            "_LOCAL_LOG_GROUP_NAME": logging_config.get("LogGroup") or f"/aws/lambda/{name}",
        }
        variables = (config.get("Environment") or {}).get("Variables") or {}
        super().__init__(name, {**config, "Environment": {"Variables": {**variables, **logs}}}, code)
        self.log_stream = ""

    def invoke(self, event: Any, request_id: str, **call: Any) -> dict[str, Any]:
        """Run the handler: `status` `ok` with its `result`, or `error` with what went wrong; and what it logged."""
        with self._lock:
            started = time.monotonic()
            cold = self._proc is None or self._proc.poll() is not None
            if cold:
                self.log_stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[$LATEST]{new_uuid().replace('-', '')}"
                try:
                    self._spawn()
                except RuntimeError as error:
                    self._proc = None
                    return {"status": "error", "error": str(error), "type": "Runtime.InitError", "log": self._logged()}
            init_ms = (time.monotonic() - started) * 1000 if cold else None
            if init_ms is not None:
                log.warning("%s: an environment started in %.0f ms", self.func_name, init_ms)
            answer = self._call(event, request_id, call)
            return answer | {"log": self._logged(), "cold_start": cold, "init_ms": init_ms}

    def _call(self, event: Any, request_id: str, call: dict[str, Any]) -> dict[str, Any]:
        timeout = float(self.config.get("Timeout", 3))
        context = call | {"request_id": request_id, "timeout_ms": int(timeout * 1000)}
        process, timed_out = self._proc, threading.Event()

        def end() -> None:
            timed_out.set()
            process.kill()

        timer = threading.Timer(timeout, end)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(json.dumps({"event": event, "ctx": context}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            timer.cancel()
        if line:
            return dict(json.loads(line))
        process.kill()
        process.wait()
        self._proc = None
        if timed_out.is_set():
            # AWS: "2026-11-28T12:00:00.000Z <request id> Task timed out after 3.00 seconds".
            return {
                "status": "error",
                "error": f"{request_id} Task timed out after {timeout:.2f} seconds",
                "type": "Sandbox.Timedout",
            }
        how = f"signal: {-process.returncode}" if process.returncode < 0 else f"exit status {process.returncode}"
        text = f"RequestId: {request_id} Error: Runtime exited with error: {how}"
        return {"status": "error", "error": text, "type": "Runtime.ExitError"}

    def _logged(self) -> str:
        """What the function has logged, up to the mark that ends an invocation, or to the process's end."""
        lines: list[str] = []
        deadline = time.monotonic() + LOG_SECONDS
        while time.monotonic() < deadline:
            reader = self._stderr_thread
            ended = reader is None or not reader.is_alive()
            try:
                line = self._stderr_queue.get(timeout=0.0 if ended else 0.1)
            except (queue.Empty, ValueError):
                if ended:
                    break
                continue
            if line == runtime.END_OF_INVOCATION:
                break
            lines.append(line)
        return "\n".join(lines)


def install() -> None:
    """Run Python functions in such environments."""
    script = Path(runtime.__file__).read_text()
    lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime.INVOKE_DEPTH_BOOTSTRAP + script
    lambda_runtime._worker_class_for = _class_for
    lambda_svc._execute_function_warm = _execute


def end_all() -> None:
    """End every environment, whatever it is at: one left alone ends when it next looks for an invocation."""
    lambda_runtime.reset()


def _class_for(config: Any) -> Any:
    is_python = str(config.get("Runtime", "")).startswith("python")
    return ExecutionEnvironment if is_python else _stock_class_for(config)


def _execute(function: Any, event: Any, request_id: str) -> dict[str, Any]:
    """An invocation as ministack reports it: `body`, `error`, `log`, and here the log stream as `log_source`."""
    config = function.get("config") or function
    code = function.get("code_zip")
    if not code:
        return {"body": {"statusCode": 200, "body": "Mock response - no code deployed"}}
    lambda_svc._ensure_reaper_thread()
    environment, _reason = lambda_runtime.acquire_worker(
        config.get("FunctionName", "unknown"), config, code, qualifier=config.get("Version", "$LATEST")
    )
    try:
        answer = environment.invoke(
            event,
            request_id,
            trace_id=lambda_svc._xray_trace_id_for_invocation(config),
            invoked_function_arn=config.get("FunctionArn", ""),
            depth=lambda_svc._invoke_depth.get(),
        )
    finally:
        lambda_runtime.release_worker(environment)
    logged = {"log": answer.get("log", ""), "log_source": getattr(environment, "log_stream", None)}
    if answer["status"] == "ok":
        return {"body": answer.get("result"), **logged}
    body = {"errorMessage": answer["error"], "errorType": answer.get("type", "Error"), "requestId": request_id}
    if "stack" in answer:
        body["stackTrace"] = answer["stack"]
    return {"body": body, "error": True, **logged}
