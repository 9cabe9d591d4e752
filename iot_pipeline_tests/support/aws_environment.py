"""Pointing this process at one local AWS for a while."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import boto3
import pytest


@contextmanager
def pointing_to(values: Mapping[str, str]) -> Iterator[None]:
    """Inside, AWS SDKs of this process find what these variables name; afterwards what they found before.

    boto3's default session keeps the credentials that it found first, and each local AWS has its own.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        boto3.setup_default_session()
        try:
            yield
        finally:
            patch.undo()
            boto3.setup_default_session()
