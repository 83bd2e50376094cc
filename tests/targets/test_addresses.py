"""Which address is this machine's, and how one is shown."""

from __future__ import annotations

import pytest

from mlconform.conformance.targets.addresses import is_loopback, without_credentials


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST", "localhost."])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "0.0.0.0", "::", "localhost.example.org", "", None])
def test_another_machine(host: str | None) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:s@c:ret@host:9200/base", "http://host:9200/base"),
        ("https://host", "https://host"),
        ("mock", "mock"),
    ],
)
def test_an_address_is_shown_without_credentials(url: str, shown: str) -> None:
    assert without_credentials(url) == shown
