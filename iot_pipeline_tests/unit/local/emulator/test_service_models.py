"""What is kept of botocore's models of the services."""

import gc
import tracemalloc

import pytest
from ministack.core import responses

from infra.local.emulator.service_models import service_model

SERVICES = ("glue", "iot", "s3", "sqs", "dynamodb", "cloudwatch", "logs", "lambda")


@pytest.mark.parametrize("service", SERVICES)
def test_metadata_and_operations_are_those_of_stock(service: str) -> None:
    ours, stock = service_model(service), responses._service_model.__wrapped__(service)
    assert ours is not None
    assert ours.metadata == dict(stock.metadata)
    assert ours.operation_names == stock.operation_names
    responses._service_model.cache_clear()


def test_there_is_none_of_a_service_that_botocore_does_not_know() -> None:
    assert service_model("no-such-service") is None


@pytest.mark.parametrize("text", ["text/xml", "application/json"])
@pytest.mark.parametrize("service", [*SERVICES, "no-such-service"])
def test_answers_are_of_the_type_that_stock_gives_them(
    service: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = responses._expected_envelope_content_type(service, text, {})
    monkeypatch.setattr(responses, "_service_model", service_model)
    assert responses._expected_envelope_content_type(service, text, {}) == expected


def test_a_model_of_megabytes_leaves_little() -> None:
    service_model("sqs")
    tracemalloc.start()
    service_model("ec2")
    gc.collect()
    taken, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 300_000
