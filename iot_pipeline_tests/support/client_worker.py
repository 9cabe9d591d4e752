"""Runs in the clients' environment: reads {"code", "names"} a line, runs the code, writes {"value"} or {"error"}.

Data frames are written as lists of rows, missing values as null, everything that JSON lacks as `repr`.
"""

import json
import math
import sys
import warnings
from typing import Any


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return [[plain(cell) for cell in row] for row in value.itertuples(index=False, name=None)]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist") and not hasattr(value, "to_dict"):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return None
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return value if isinstance(value, bool | int | str) else repr(value)


def main() -> None:
    """Answer until the input ends."""
    warnings.simplefilter("ignore")
    shared: dict[str, Any] = {}
    for line in sys.stdin:
        request = json.loads(line)
        shared.update(request["names"])
        try:
            try:
                compiled = compile(request["code"], "<test>", "eval")
            except SyntaxError:
                exec(compile(request["code"], "<test>", "exec"), shared)
                answer: dict[str, Any] = {"value": None}
            else:
                answer = {"value": plain(eval(compiled, shared))}
        except Exception as error:  # noqa: BLE001  whatever the client raises is the answer
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
