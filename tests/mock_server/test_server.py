from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mlconform.mock_server import DEFAULT_DOCS_VERSION, DEFAULT_NODES, MockServer, Request


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"profiles": ("nope",)}, "profile 'nope'"),
        ({"behaviour": "nope"}, "behaviour 'nope'"),
        ({"mutant": "nope"}, "mutant 'nope'"),
        ({"docs_version": "new"}, "'new'"),
        ({"nodes": 0}, "at least one node"),
        ({"profiles": ("nugen",), "mutant": "ttl-ignored"}, "profile opensearch-ml"),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_are_known(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        MockServer(**options)


def test_without_options_it_follows_the_default_documentation_on_two_nodes() -> None:
    def get(path: str) -> Any:
        return json.loads(MockServer().handle(Request("GET", path)).body)

    assert get("/")["version"]["number"] == f"{DEFAULT_DOCS_VERSION}.0" == "3.4.0"
    assert len(get("/_nodes")["nodes"]) == DEFAULT_NODES == 2


def test_one_seed_gives_the_same_ids(make_client: Callable[..., Any]) -> None:
    first, second, other = (make_client(seed=seed).model() for seed in (1, 1, 2))
    assert first == second != other


def test_the_version_of_the_documentation_is_the_product_version(make_client: Callable[..., Any]) -> None:
    assert make_client(docs_version="3.4").get("/").body["version"]["number"] == "3.4.0"


def test_a_server_without_opensearch_answers_404_elsewhere(make_client: Callable[..., Any]) -> None:
    answer = make_client(profiles=("nugen",)).get("/")
    assert (answer.status, answer.body) == (404, {"detail": "Not Found"})


def test_a_server_without_nugen_lets_opensearch_answer_its_paths(make_client: Callable[..., Any]) -> None:
    assert make_client(profiles=("opensearch-ml",)).get("/api/v3/models/aligned").status == 400


def test_head_has_no_body(ml: Any) -> None:
    answer = ml.send("HEAD", "/")
    assert (answer.status, answer.body) == (200, "")


def test_a_fault_of_the_mock_is_logged_and_answered(
    ml: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ml.server.space(), "_control", None)
    answer = ml.get("/")
    assert (answer.status, answer.body["error"]["type"]) == (500, "mock_server_error")
    assert "the mock failed at GET /" in caplog.text


def test_threads_are_served_one_after_the_other() -> None:
    server = MockServer()
    body = json.dumps({"persistent": {"plugins.ml_commons.safe_delete_model": True}}).encode()
    statuses: list[int] = []

    def work() -> None:
        for _ in range(20):
            headers = {"content-type": "application/json"}
            statuses.append(server.handle(Request("PUT", "/_cluster/settings", "", headers, body)).status)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 80
