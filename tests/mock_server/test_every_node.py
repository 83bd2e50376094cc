"""Each node of the mock may have a port of its own."""

from __future__ import annotations

from typing import Any

import pytest
import urllib3


def get(url: str) -> Any:
    return urllib3.request("GET", url).json()


def test_each_node_says_who_it_is(serve_mock: Any) -> None:
    mock = serve_mock(nodes=3, every_node=True)
    assert [get(f"{url}/")["name"] for url in mock.urls] == ["node-1", "node-2", "node-3"]
    assert len({get(f"{url}/")["cluster_uuid"] for url in mock.urls}) == 1


@pytest.mark.parametrize("number", [0, 1])
def test_each_node_is_local_where_it_listens(serve_mock: Any, number: int) -> None:
    url = serve_mock(nodes=2, every_node=True).urls[number]
    (node,) = get(f"{url}/_nodes/_local/http")["nodes"].values()
    assert f"http://{node['http']['publish_address']}" == url


def test_with_one_port_no_address_is_told(serve_mock: Any) -> None:
    assert all("http" not in node for node in get(f"{serve_mock(nodes=2).url}/_nodes/http")["nodes"].values())


def test_from_the_command(command: Any) -> None:
    with command.start("mock", "--nodes", "2", "--every-node", "--port", "0") as process:
        try:
            urls = [process.stdout.readline().strip() for _ in range(2)]
            assert get(f"{urls[1]}/")["name"] == "node-2"
        finally:
            process.terminate()
