"""IAM conditions on TLS: what reaches the local AWS over loopback counts as sent over TLS.

Its API is plain HTTP on 127.0.0.1, and its services call each other in memory. Policies that deny insecure transport
(`aws:SecureTransport` false), which every bucket, queue and topic of ours carries, would refuse all of them.
"""

from typing import Any

from ministack.core import iam_evaluator


def install() -> None:
    """Give every evaluation a secure transport."""
    stock_init = iam_evaluator.EvalContext.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        stock_init(self, *args, **kwargs)
        self.secure_transport = True

    iam_evaluator.EvalContext.__init__ = init
