"""An edge of its own for each test, and a receiver of webhooks for all of them."""

from collections.abc import Iterator

import pytest

from iot_pipeline.alerting.channels import posting
from iot_pipeline_tests.support.edge import Edge, make_edge
from iot_pipeline_tests.support.emulator import LocalAws
from iot_pipeline_tests.support.receiver import Receiver, receiving


@pytest.fixture
def edge(local_aws: LocalAws) -> Edge:
    """Tables, a bucket, a stream and topics under names of their own."""
    return make_edge(local_aws)


@pytest.fixture(scope="package")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """One server for all tests, whose authority this process trusts; each test uses paths of its own."""
    with receiving(tmp_path_factory.mktemp("receiver")) as started, pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", started.authorities)
        posting._tls.cache_clear()
        yield started
    posting._tls.cache_clear()
