"""A local AWS with the options of arrival: Firehose writes Parquet by tenant, and S3's events start the raw crawler."""

from collections.abc import Iterator

import pytest

from infra.local.session.platform import Platform
from iot_pipeline_tests.conftest import started

OPTIONS = {
    "IOT_FIREHOSE_FORMAT": "parquet",
    "IOT_FIREHOSE_PARTITION": "tenant",
    "IOT_CRAWL_ON_EVENTS_MINUTES": "10",
}


@pytest.fixture(scope="package")
def parquet_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """It, once for the tests of this folder, with the environment pointing to it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in OPTIONS.items():
            patch.setenv(name, value)
        with started(tmp_path_factory.mktemp("arrival") / "platform") as platform:
            yield platform
