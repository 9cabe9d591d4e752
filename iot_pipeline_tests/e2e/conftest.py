"""What tests in a browser share."""

import pytest

from infra.local.demo.screenshot import BrowserMissingError, find_browser


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program; without one the test is skipped, with the reason."""
    try:
        return find_browser()
    except BrowserMissingError as error:
        pytest.skip(str(error))
