"""Which requests come from a web page, and which ports servers take."""

import socket
from contextlib import ExitStack

import pytest

from infra.local.servers.loopback import foreign, free_port


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:4566", "localhost", "localhost:4566", "bucket.localhost", "bucket.localhost:4566"]
)
def test_a_program_of_this_machine_is_served(host: str) -> None:
    assert foreign([], [host]) is None
    assert foreign(["https://evil.example"], [host]) is not None


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [""],
        ["evil.example"],
        ["evil.example:4566"],
        ["127.0.0.1.evil.example"],
        ["evillocalhost"],
        ["localhost.evil.example:80"],
        ["127.0.0.1", "evil.example"],
    ],
)
def test_another_host_is_refused(hosts: list[str]) -> None:
    assert foreign([], hosts) is not None


def test_a_port_is_free_and_none_that_a_connection_takes_by_itself() -> None:
    with ExitStack() as stack:
        for _ in range(50):
            listener = stack.enter_context(socket.socket())
            listener.bind(("127.0.0.1", port := free_port()))
            assert 15_000 <= port < 32_000
