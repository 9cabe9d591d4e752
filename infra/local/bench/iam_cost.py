"""`python -m infra.local.bench.iam_cost`: what the evaluation of permissions costs, in the local AWS's process.

Decisions of a role with as many statements as the edge's handler has, 10,000 of each kind: the same call again and
again, which is remembered, and a new object each time, which is evaluated. CPU seconds, so that other work on the
machine does not count.
"""

import json
import time
from collections.abc import Callable

from ministack.core.responses import request_scope
from ministack.services import iam

from infra.local.emulator.authorisation.decisions import Call, decide, session_of
from infra.local.emulator.settings import ACCOUNT_ID

CALLS = 10_000
STATEMENTS = 14
REGION = "eu-west-1"
_ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/handler"


def main() -> None:
    """Measure and print."""
    statements = [
        {
            "Effect": "Allow",
            "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
            "Resource": f"arn:aws:dynamodb:*:*:table/{n}",
        }
        for n in range(STATEMENTS - 1)
    ]
    statements.append({"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::lake/raw/*"]})
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    record = {"Arn": _ROLE, "InlinePolicies": {"p": policy}, "AttachedPolicies": [], "Tags": []}
    with request_scope(ACCOUNT_ID, REGION):
        iam._roles["handler"] = record
        again = _microseconds(lambda _n: Call("s3:PutObject", "arn:aws:s3:::lake/raw/a"))
        new = _microseconds(lambda n: Call("s3:PutObject", f"arn:aws:s3:::lake/raw/{n}"))
    print(f"a decision of {STATEMENTS} statements: {again:.0f} µs if remembered, {new:.0f} µs if not")


def _microseconds(call: Callable[[int], Call]) -> float:
    """CPU microseconds of one decision."""
    started = time.process_time()
    for number in range(CALLS):
        if denial := decide(session_of(iam._roles["handler"], "bench"), call(number)):
            raise RuntimeError(denial)
    return (time.process_time() - started) / CALLS * 1e6


if __name__ == "__main__":
    main()
