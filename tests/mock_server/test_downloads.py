"""Files that a registration names by URL: where they are fetched from, and what is told of a failure."""

from __future__ import annotations

import math
import socket

import pytest

from mlconform.mock_server.downloads import LocalDownloads, is_near
from mlconform.mock_server.fetching import fetch
from mlconform.mock_server.parity.served import FileServer, Served


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://127.0.0.1:9/model.zip", True),
        ("http://[::1]/model.zip", True),
        ("http://10.0.0.7/model.zip", True),
        ("https://localhost/model.zip", True),
        ("http://files/model.zip", True),
        ("http://host.docker.internal/model.zip", True),
        ("https://artifacts.opensearch.org/model.zip", False),
        ("http://8.8.8.8/model.zip", False),
        ("ftp://127.0.0.1/model.zip", False),
        ("file:///etc/passwd", False),
        ("http://[::1/model.zip", False),
        ("model.zip", False),
    ],
)
def test_what_is_near_is_fetched(url: str, near: bool) -> None:
    assert is_near(url) is near


def test_nothing_is_fetched_from_the_internet() -> None:
    assert LocalDownloads().begin("https://artifacts.opensearch.org/model.zip") is None


def test_a_file_that_is_late_is_waited_for_as_long_as_the_clock_was_moved() -> None:
    with FileServer({"late": Served(b"here", after=0.3)}) as server:
        download = LocalDownloads().begin(f"{server.url}/late")
        assert download is not None
        assert download.arrived(0.0) is None
        arrived = download.arrived(math.inf)
    assert arrived is not None
    assert arrived.content == b"here"


@pytest.mark.parametrize(
    ("status", "told"),
    [(404, "{url}"), (410, "{url}"), (500, "Server returned HTTP response code: 500 for URL: {url}")],
)
def test_a_server_that_refuses_is_told_as_a_node_tells_it(status: int, told: str) -> None:
    with FileServer({"model.zip": Served(b"", status)}) as server:
        url = f"{server.url}/model.zip"
        assert fetch(url).error == told.format(url=url)


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert fetch(f"http://127.0.0.1:{unused.getsockname()[1]}/x").error == "Connection refused"
