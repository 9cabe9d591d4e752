"""Of botocore's models of the services, what stock ministack reads of them for its answers: their metadata.

Stock ministack keeps the whole model of each service that has ever answered, for its protocol alone: megabytes each
time that another service is called.
"""

from functools import cache
from typing import Any

from ministack.core import responses

_stock = responses._service_model


def install() -> None:
    """Replace the models that ministack keeps."""
    responses._service_model = service_model


class ServiceMetadata:
    """A model's metadata; all else of the model is read when it is asked for."""

    def __init__(self, service: str, metadata: dict[str, Any]) -> None:
        self._service = service
        self.metadata = metadata

    def __getattr__(self, name: str) -> Any:
        return getattr(_stock(self._service), name)


@cache
def service_model(service: str) -> ServiceMetadata | None:
    """The metadata of a service by ministack's name for it; None if botocore has no such service."""
    model = _stock.__wrapped__(service)  # without its cache
    return model and ServiceMetadata(service, dict(model.metadata))
