"""Pointing this process at one local AWS, and at one database, for a while."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import boto3
import pytest

from iot_pipeline import settings


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


@contextmanager
def configured(
    model: type[settings.Login], values: Mapping[str, str], aws: Mapping[str, str]
) -> Iterator[pytest.MonkeyPatch]:
    """Inside, the settings of a database are these and no others, and AWS is the one that `aws` names."""
    with pytest.MonkeyPatch.context() as patch:
        for name in model.model_fields:
            patch.delenv(settings.variable(model, name), raising=False)
        for name, value in values.items():
            patch.setenv(name, value)
        settings.forget()
        with pointing_to(aws):
            yield patch
    settings.forget()
