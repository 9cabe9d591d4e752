"""What runs in a function's own process. It is a script of its own and imports nothing of this project.

Its first line of input says what to load, each later one is an invocation; its answers are lines on the output that it
had at the start. What the function prints goes to the error output, and a line with a mark follows each invocation.

AWS Lambda developer guide, "Lambda runtimes" and "Building with Python": a function finds its package, its layers, the
standard library and boto3, and nothing else. So does this one, though it shares an interpreter with much more.
"""

import importlib
import json
import logging
import os
import sys
import time
import traceback
from importlib.machinery import ModuleSpec, PathFinder

END_OF_INVOCATION = "\x1e"
# What AWS's runtime of Python brings with it.
PROVIDED = {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}
# The time zones, which Amazon Linux has as files, and a machine without those as this package; and of the standard
# library a module whose name differs by platform. What Python 3.14 has in its own library (`compression.zstd`), an
# older one here has as its backport.
OF_THE_SYSTEM = ("tzdata", "_sysconfigdata_", "backports")
DURABLE = ("AWS_LAMBDA_DURABLE_EXECUTION_ARN", "AWS_LAMBDA_DURABLE_CHECKPOINT_TOKEN")
_request_id = ""


class PackagedModules:
    """Finds what is neither of the standard library nor provided in the function's package alone."""

    def __init__(self, folders: list[str]) -> None:
        self._folders = folders

    def find_spec(self, name: str, path: object = None, _target: object = None) -> ModuleSpec | None:
        """Raises ModuleNotFoundError for what AWS would not have either."""
        top = name.partition(".")[0]
        if top in PROVIDED or top in sys.stdlib_module_names or top.startswith(OF_THE_SYSTEM):
            return None
        found = PathFinder.find_spec(name, self._folders if path is None else path)  # type: ignore[arg-type]
        if found is None:
            raise ModuleNotFoundError(f"No module named {name!r}: it is not in the function's package", name=name)
        return found


class JsonLines(logging.Formatter):
    """A function's log lines under `LogFormat: JSON` ("Sending Lambda function logs to CloudWatch Logs")."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        document: dict[str, object] = {
            "timestamp": f"{stamp}Z",
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": _request_id,
        }
        standard = logging.LogRecord("", 0, "", 0, "", (), None).__dict__.keys() | {"message"}
        document |= {key: value for key, value in record.__dict__.items() if key not in standard}
        if record.exc_info and record.exc_info[0]:
            document["errorType"] = record.exc_info[0].__name__
            document["errorMessage"] = str(record.exc_info[1])
            document["stackTrace"] = traceback.format_exception(*record.exc_info)
        return json.dumps(document, default=str)


class Context:
    """What a handler gets as its second argument ("Using the Lambda context object")."""

    identity = None
    client_context = None

    def __init__(self, init: dict, call: dict) -> None:  # type: ignore[type-arg]
        self.function_name = init.get("function_name", "")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        self.memory_limit_in_mb = init.get("memory", 128)
        self.invoked_function_arn = call.get("invoked_function_arn", init.get("arn", ""))
        self.aws_request_id = call.get("request_id", "")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        self._deadline = time.monotonic() + call.get("timeout_ms", 3000) / 1000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation times out."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def _log_to_standard_error() -> None:
    handler = logging.StreamHandler(sys.stderr)
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        handler.setFormatter(JsonLines())
        logging.getLogger().setLevel(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO"))
    else:
        handler.setFormatter(logging.Formatter("[%(levelname)s]\t%(asctime)s\t%(message)s"))
    logging.getLogger().addHandler(handler)


def _set(name: str, value: object) -> None:
    """Of the environment, as long as an invocation lasts."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = str(value)


def _failure(error: BaseException) -> dict:  # type: ignore[type-arg]
    # The handler's own frames: those of this script are none of the function's.
    stack = [line for line in traceback.format_tb(error.__traceback__) if __file__ not in line]
    return {"status": "error", "error": str(error), "type": type(error).__name__, "stack": stack}


def main() -> None:
    """Load the function, then answer invocations until the input ends."""
    global _request_id  # noqa: PLW0603  the formatter reads it; there is one invocation at a time
    answers, sys.stdout = sys.stdout, sys.stderr

    def answer(document: dict) -> None:  # type: ignore[type-arg]
        answers.write(json.dumps(document) + "\n")
        answers.flush()

    init = json.loads(sys.stdin.readline())
    os.environ.update(init.get("env", {}))
    for name in [name for name in os.environ if name.startswith("_LOCAL_")]:
        os.environ[name.replace("_LOCAL_", "AWS_LAMBDA_")] = os.environ.pop(name)
    layers = [folder for folder in os.environ.get("_LAMBDA_LAYERS_DIRS", "").split(os.pathsep) if folder]
    folders = [init["code_dir"], *(os.path.join(layer, "python") for layer in layers)]  # noqa: PTH118  a script of AWS's
    sys.path[:0] = folders
    install_depth = globals().get("_ms_install_invoke_depth")
    if install_depth:
        install_depth()
    sys.meta_path.insert(0, PackagedModules(folders))
    _log_to_standard_error()
    started = time.monotonic()
    try:
        handle = getattr(importlib.import_module(init["module"]), init["handler"])
    except BaseException as error:  # noqa: BLE001  of a function of any kind
        traceback.print_exc()
        answer({"status": "error", "error": f"{type(error).__name__}: {error}"})
        return
    answer({"status": "ready", "cold": True, "init_ms": (time.monotonic() - started) * 1000})
    for line in sys.stdin:
        message = json.loads(line)
        call = message.get("ctx") or {}
        _request_id = call.get("request_id", "")
        _set("_X_AMZN_TRACE_ID", call.get("trace_id"))
        _set("_MINISTACK_INVOKE_DEPTH", call.get("depth"))
        try:
            result = json.dumps({"status": "ok", "result": handle(message["event"], Context(init, call))})
        except BaseException as error:  # noqa: BLE001  the next invocation is served all the same
            traceback.print_exc()
            result = json.dumps(_failure(error))
        sys.stderr.write(f"{END_OF_INVOCATION}\n")
        sys.stderr.flush()
        answers.write(result + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
