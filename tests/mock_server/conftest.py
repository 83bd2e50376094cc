"""A mock in this process whose time the test decides, and a client for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from mlconform.mock_server import Clock, MockServer, Request, Response

ML = "/_plugins/_ml"
CONNECTOR = {
    "name": "conn",
    "description": "d",
    "version": 1,
    "protocol": "http",
    "parameters": {"endpoint": "127.0.0.1:9", "model": "m"},
    "credential": {"k": "v"},
    "actions": [
        {
            "action_type": "predict",
            "method": "POST",
            "url": "http://127.0.0.1:9/v1/chat",
            "headers": {"Authorization": "Bearer ${credential.k}"},
            "request_body": '{ "q": "${parameters.q}" }',
        }
    ],
}


@dataclass
class Time:
    """Epoch seconds that only the test moves."""

    now: float = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Answer:
    """Status, headers and decoded body of one answer."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Client:
    """Sends requests to a mock and decodes its answers; paths that begin with `~` are below the ML prefix."""

    server: MockServer
    time: Time
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        path, _, query = target.replace("~", ML, 1).partition("?")
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        declared = {"content-type": "application/json"} if content else {}
        sent = {
            **declared,
            **self.headers,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return decode(self.server.handle(Request(method, path, query, sent, content)))

    def get(self, target: str, body: Any = None) -> Answer:
        return self.send("GET", target, body)

    def post(self, target: str, body: Any = None) -> Answer:
        return self.send("POST", target, body)

    def put(self, target: str, body: Any = None) -> Answer:
        return self.send("PUT", target, body)

    def delete(self, target: str) -> Answer:
        return self.send("DELETE", target)

    def connector(self, **fields: Any) -> str:
        """Create a connector; gives its id."""
        return str(self.post("~/connectors/_create", {**CONNECTOR, **fields}).body["connector_id"])

    def model(self, **fields: Any) -> str:
        """Register a remote model with a connector of its own kind; gives its id."""
        body = {"name": "m", "function_name": "remote", "connector_id": self.connector(), **fields}
        return str(self.post("~/models/_register", body).body["model_id"])

    def deployed(self, **fields: Any) -> str:
        """Register a remote model and wait until it is deployed; gives its id."""
        model_id = self.model(**fields)
        self.post(f"~/models/{model_id}/_deploy")
        self.time.now += 1
        return model_id

    def deployed_with_action(self, **action: Any) -> str:
        """A deployed model whose connector has the usual action with these members; None leaves one out."""
        usual = {"action_type": "predict", "method": "POST", "url": "http://127.0.0.1:9/x"}
        usual |= {"request_body": '{ "q": "${parameters.q}" }'}
        members = {name: value for name, value in {**usual, **action}.items() if value is not None}
        return self.deployed(connector_id=self.connector(actions=[members]))

    def state(self, model_id: str) -> str:
        return str(self.get(f"~/models/{model_id}").body["model_state"])

    def setting(self, name: str, value: Any) -> Answer:
        return self.put("/_cluster/settings", {"persistent": {f"plugins.ml_commons.{name}": value}})

    def predict(self, model_id: str, **parameters: Any) -> Answer:
        return self.post(f"~/models/{model_id}/_predict", {"parameters": parameters or {"q": "hello"}})

    def reason(self, answer: Answer) -> str:
        """The reason of an error, which its root cause tells too."""
        error = answer.body["error"]
        assert error["root_cause"][0]["reason"] == error["reason"]
        assert answer.body["status"] == answer.status
        return str(error["reason"])

    def kind(self, answer: Answer) -> str:
        """The type of an error."""
        return str(answer.body["error"]["type"])


def decode(response: Response) -> Answer:
    headers = dict(response.headers)
    text = response.body.decode()
    body = json.loads(text) if "json" in headers.get("content-type", "") and text else text
    return Answer(response.status, headers, body)


@pytest.fixture
def make_client() -> Callable[..., Client]:
    """A client of a new mock with these options; without, of one node, and `documented` by 2.19."""

    def make(**options: Any) -> Client:
        time = Time()
        if options.get("behaviour", "documented") == "documented":
            options.setdefault("docs_version", "2.19")
        options.setdefault("nodes", 1)
        return Client(MockServer(clock=Clock(time), **options), time)

    return make


@pytest.fixture
def ml(make_client: Callable[..., Client]) -> Client:
    """A client of a cluster of one node."""
    return make_client()


SERVE = """
from mlconform.mock_server import MockServer
from mlconform.mock_server.asgi import serve
serve(MockServer(), "127.0.0.1", 0, lambda url: print(url, flush=True))
"""


@pytest.fixture(scope="session")
def uvicorn_url() -> Iterator[str]:
    """A mock behind uvicorn, in a process of its own."""
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()
