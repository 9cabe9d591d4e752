"""Asking a vendor over HTTP: signing in, waiting, asking again, and what is never waited for."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from iot_pipeline.pull import vendor_http
from iot_pipeline.pull.vendor_client import OutOfTimeError, VendorClient, VendorError
from iot_pipeline.pull.vendor_http import TransportError, request
from iot_pipeline.pull.vendor_pages import FIRST, page_url
from iot_pipeline_tests.support.pulled import (
    KEY_SECRET,
    OAUTH_SECRET,
    WATER,
    SetClock,
    vendor_of,
    water,
    weather,
)
from simulator import vendor_api
from simulator.vendor_api import VendorApi, serving
from simulator.vendor_file import WEATHER

START, START_MS = "2026-11-01T00:00:00Z", 1_793_491_200_000
NOW = START_MS / 1000 + 7200
DEADLINE = NOW + 800


@pytest.fixture
def api() -> Iterator[VendorApi]:
    """A vendor with an hour of data."""
    with serving(weather(START_MS, 1) + water(START_MS, 1)) as made:
        yield made


class Asking:
    """A client of one of the vendors, and the first page of its first resource."""

    def __init__(self, api: VendorApi, folder: Path, form: str = WEATHER, **secret: str) -> None:
        vendor = vendor_of(folder, form, api.url, START)
        self.clock = SetClock(NOW)
        given = secret or (OAUTH_SECRET if form == WEATHER else KEY_SECRET)
        self.client = VendorClient(vendor, given, request, self.clock.clock())
        self.url = page_url(vendor, vendor.resources[0], START_MS, FIRST)

    def get(self, deadline: float = DEADLINE) -> bytes:
        """The first page."""
        return self.client.get(self.url, deadline).body


def test_a_token_is_fetched_once_and_used_until_shortly_before_its_end(api: VendorApi, tmp_path: Path) -> None:
    asking = Asking(api, tmp_path)
    asking.get()
    asking.get()
    assert api.tokens == ["token-0"]
    asking.clock.at += 3600 - 20
    asking.get(asking.clock.at + 100)
    assert api.tokens == ["token-0", "token-1"]


def test_a_token_that_ends_before_its_time_is_fetched_again_once(api: VendorApi, tmp_path: Path) -> None:
    asking = Asking(api, tmp_path)
    api.faults.extend([None, vendor_api.expired])
    asking.get()
    assert asking.get()
    assert api.tokens == ["token-0", "token-1"]
    api.faults.extend([vendor_api.expired, vendor_api.expired])
    with pytest.raises(VendorError, match="status 401"):
        asking.get()


def test_a_refused_client_is_told_without_its_secret(api: VendorApi, tmp_path: Path) -> None:
    with pytest.raises(VendorError, match="refuses our client: status 401") as refused:
        Asking(api, tmp_path, client_id="pull-client", client_secret="hunter2").get()
    assert "hunter2" not in str(refused.value)
    with pytest.raises(VendorError, match="the secret of weather has no text 'client_secret'"):
        Asking(api, tmp_path, client_id="pull-client").get()


def test_retry_after_in_seconds_and_as_a_date_is_waited_for(api: VendorApi, tmp_path: Path) -> None:
    asking = Asking(api, tmp_path)
    asking.get()
    asking.clock.waited.clear()
    api.faults.append(vendor_api.status(429, Retry_After="7"))
    asking.get()
    assert 7 in asking.clock.waited
    until = datetime.fromtimestamp(int(asking.clock.at) + 11, UTC)
    api.faults.append(vendor_api.status(503, Retry_After=format_datetime(until, usegmt=True)))
    asking.get()
    assert asking.clock.at == pytest.approx(until.timestamp(), abs=1)


def test_a_long_retry_after_is_left_to_a_later_call(api: VendorApi, tmp_path: Path) -> None:
    asking = Asking(api, tmp_path)
    api.faults.append(vendor_api.status(429, Retry_After="3600"))
    with pytest.raises(VendorError, match="status 429") as told:
        asking.get()
    assert told.value.not_before_ms == pytest.approx((NOW + 3600) * 1000, abs=1000)
    assert len([each for each in api.asked if each.startswith("/v1")]) == 1


@pytest.mark.parametrize(
    "fault", [vendor_api.status(500), vendor_api.status(502), vendor_api.truncated, vendor_api.hung_up]
)
def test_what_may_pass_is_asked_again_and_given_up_by_name(
    api: VendorApi, tmp_path: Path, fault: vendor_api.Fault
) -> None:
    asking = Asking(api, tmp_path, WATER)
    whole = asking.get()
    api.faults.extend([fault] * 3)
    assert asking.get() == whole
    api.faults.extend([fault] * 4)
    with pytest.raises(VendorError, match="given up after 4 attempts"):
        asking.get()
    assert not api.faults


def test_what_does_not_pass_is_not_asked_again(api: VendorApi, tmp_path: Path) -> None:
    asking = Asking(api, tmp_path, WATER)
    for fault in (vendor_api.status(404), vendor_api.status(302, Location="http://169.254.169.254/latest")):
        before = len(api.asked)
        api.faults.append(fault)
        with pytest.raises(VendorError, match=r"status (404|302)"):
            asking.get()
        assert len(api.asked) == before + 1


def test_a_drip_ends_with_the_time_of_the_whole_request(api: VendorApi, tmp_path: Path) -> None:
    asking = Asking(api, tmp_path, WATER)
    headers = {"X-Api-Key": KEY_SECRET["key"]}
    api.faults.append(vendor_api.dripping(0.05))
    began = time.monotonic()
    with pytest.raises(TransportError, match="no whole answer within 1 s"):
        request("GET", asking.url, headers, None, 1)
    assert time.monotonic() - began < 10


def test_an_answer_is_bounded_and_must_not_be_compressed(
    api: VendorApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, headers = Asking(api, tmp_path, WATER).url, {"X-Api-Key": KEY_SECRET["key"]}
    api.faults.append(vendor_api.status(200, Content_Encoding="gzip"))
    with pytest.raises(TransportError, match="encoded as gzip"):
        request("GET", url, headers, None, 20)
    monkeypatch.setattr(vendor_http, "MAX_BYTES", 100)
    with pytest.raises(TransportError, match="more than 100 bytes"):
        request("GET", url, headers, None, 20)


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://127.0.0.1/", "https://a@example.com/", "http:///x"])
def test_nothing_but_https_is_asked(url: str) -> None:
    with pytest.raises(ValueError, match="https alone"):
        request("GET", url, {}, None, 1)


def test_when_the_time_is_up_nothing_is_asked_and_nothing_waited_for(api: VendorApi, tmp_path: Path) -> None:
    asking = Asking(api, tmp_path, WATER)
    with pytest.raises(OutOfTimeError):
        asking.get(NOW + 0.5)
    assert not api.asked
    api.faults.append(vendor_api.status(500))
    with pytest.raises(OutOfTimeError):
        asking.get(NOW + 1.5)
    assert asking.clock.waited == []


def test_requests_are_no_faster_than_they_may_be(api: VendorApi, tmp_path: Path) -> None:
    slow = WATER.replace("requests_per_minute = 6000", "requests_per_minute = 6")
    asking = Asking(api, tmp_path, slow, **KEY_SECRET)
    for _ in range(3):
        asking.get()
    assert asking.clock.waited == [10, 10]
