"""A delete that pipelines and agents are in the way of, on a recorded node: it is refused twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlconform.mock_server.core import Request
from mlconform.mock_server.server import MockServer

ML = "/_plugins/_ml"
TRIES = 100
KINDS = ("search", "agent")


class Used:
    """A model on a mock of recorded behaviour that these kinds use; answers are bytes: not all are JSON."""

    def __init__(self, *kinds: str, behaviour: str = "opensearch-2.19", nodes: int = 2) -> None:
        self._server = MockServer(behaviour=behaviour, nodes=nodes)
        settings = {
            "plugins.ml_commons.safe_delete_model": True,
            "plugins.ml_commons.trusted_connector_endpoints_regex": [".*"],
        }
        self.ask("PUT", "/_cluster/settings", {"persistent": settings})
        action = {"action_type": "predict", "method": "POST", "url": "https://h/x", "request_body": "{}"}
        connector = self._made(
            "connectors/_create",
            {"name": "c", "version": 1, "protocol": "http", "credential": {"k": "v"}, "actions": [action]},
        )["connector_id"]
        model = {"name": "m", "function_name": "remote", "connector_id": connector}
        self.path = f"{ML}/models/{self._made('models/_register', model)['model_id']}"
        uses = {"model_id": self.path.rpartition("/")[2]}
        if "search" in kinds:
            self.ask("PUT", "/_search/pipeline/p", {"request_processors": [{"ml_inference": uses}]})
        if "ingest" in kinds:
            inference = {**uses, "input_map": [{"q": "text"}]}
            self.ask("PUT", "/_ingest/pipeline/p", {"processors": [{"ml_inference": inference}]})
        if "agent" in kinds:
            tools = [{"type": "MLModelTool", "name": "t", "parameters": uses}]
            self._made("agents/_register", {"name": "a", "type": "flow", "tools": tools})
        self.whole = self.ask("GET", self.path)

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        content = b"" if body is None else json.dumps(body).encode()
        sent = Request(method, path, "", {"content-type": "application/json"}, content)
        return self._server.handle(sent).body

    def nodes(self) -> int:
        return int(json.loads(self.ask("GET", "/_cluster/health"))["number_of_nodes"])

    def wait(self, seconds: float) -> None:
        self._server.clock.advance(seconds)

    def _made(self, what: str, body: Any) -> Any:
        return json.loads(self.ask("POST", f"{ML}/{what}", body))


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def test_the_second_refusal_is_written_into_answers_that_come_next() -> None:
    used, spoilt = Used(*KINDS), []
    for _ in range(TRIES):
        used.ask("DELETE", used.path)
        read = used.ask("GET", used.path)
        if read != used.whole:
            spoilt.append(read)
    assert 0 < len(spoilt) < TRIES / 2
    assert {len(read) for read in spoilt} == {len(used.whole)}
    assert all(b'"reason":"1 agents are still using this model' in read for read in spoilt)


def test_a_refusal_may_have_the_text_of_both() -> None:
    used = Used(*KINDS)
    mixed = [body for body in (used.ask("DELETE", used.path) for _ in range(TRIES)) if not _is_json(body)]
    assert 0 < len(mixed) < TRIES / 4
    assert len({len(body) for body in mixed}) == 2


def test_of_a_later_answer_nothing_is_written_over() -> None:
    used = Used(*KINDS)
    for _ in range(TRIES):
        used.ask("DELETE", used.path)
        used.wait(0.1)
        assert used.ask("GET", used.path) == used.whole


@pytest.mark.parametrize("kinds", [("search", "ingest"), ("agent",)], ids=" and ".join)
def test_users_that_a_node_finds_at_once_are_told_by_one_whole_refusal(kinds: tuple[str, ...]) -> None:
    used = Used(*kinds)
    refusals = set()
    for _ in range(TRIES):
        refusals.add(json.loads(used.ask("DELETE", used.path))["error"]["reason"].split()[1])
        assert used.ask("GET", used.path) == used.whole
    assert refusals == {"agents"} if kinds == ("agent",) else {"search", "ingest"}


def test_as_documented_every_answer_is_whole() -> None:
    used = Used(*KINDS, behaviour="documented")
    for _ in range(TRIES):
        assert _is_json(used.ask("DELETE", used.path))
        assert used.ask("GET", used.path) == used.whole


def _parts(used: Used) -> bool:
    """Whether a node leaves after one of many refusals."""
    before = used.nodes()
    for _ in range(TRIES):
        used.ask("DELETE", used.path)
        used.wait(0.1)
        if used.nodes() < before:
            return True
    return False


def test_a_node_that_hears_it_leaves_and_is_back_in_seconds() -> None:
    used = Used(*KINDS, behaviour="opensearch-3.4", nodes=3)
    assert _parts(used)
    assert used.nodes() == 2
    used.wait(3)
    assert used.nodes() == 3


def test_a_node_that_is_alone_tells_nobody() -> None:
    assert not _parts(Used(*KINDS, behaviour="opensearch-3.4", nodes=1))
