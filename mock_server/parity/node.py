"""A real node to record from: its addresses and users, and what is on it before and after a scenario."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import urllib3
import yaml
from msgspec import Struct

ML = "/_plugins/_ml"
NO_CREDENTIALS = "(none)"
_REMOVAL_SECONDS = 20.0
_TIMEOUT_SECONDS = 120.0
# In the order in which they are removed: first what uses, then what is used.
_KINDS = ("agents", "models", "model_groups", "connectors", "tasks")
_PIPELINES = ("/_ingest/pipeline", "/_search/pipeline")


class NodeError(Exception):
    """The node can't be recorded from; the message says what was expected and what to do."""


class Answer(Struct, frozen=True):
    """One answer of the node."""

    status: int
    content_type: str | None
    body: bytes

    @property
    def value(self) -> Any:
        """The decoded body where it is JSON, else its text, also where it says that it is."""
        text = self.body.decode("utf-8", "replace")
        try:
            return json.loads(text) if (self.content_type or "").startswith("application/json") else text
        except ValueError:
            return text


class Node:
    """One or several addresses of a cluster; every user has connections of their own.

    `users` are passwords by name; the first is who prepares and cleans up. Requests of no user have no
    credentials where `users` is empty, and else those of the first.
    """

    def __init__(
        self, addresses: Sequence[str], users: Mapping[str, str], ca_file: Path | None = None
    ) -> None:
        self.addresses = tuple(address.rstrip("/") for address in addresses)
        self._users = users
        self._context = None if ca_file is None else ssl.create_default_context(cafile=str(ca_file))
        self._pools: dict[str, urllib3.PoolManager] = {}

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        content_type: str = "application/json",
        user: str | None = None,
        number: int = 1,
    ) -> Answer:
        """Send one request to the address of this number. Raises NodeError where no answer comes."""
        name = user or next(iter(self._users), NO_CREDENTIALS)
        headers = self._credentials(name) | ({"content-type": content_type} if body else {})
        url = self.addresses[number - 1] + path
        try:
            answer = self._pool(name).request(method, url, body=body or None, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise NodeError(f"expected an answer to {method} {url}, got {error}; is the node up?") from None
        return Answer(answer.status, answer.headers.get("content-type"), answer.data)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer to a request of the first user; None where its status is no success."""
        content = b"" if body is None else json.dumps(body).encode()
        answer = self.send(method, path, content)
        return answer.value if answer.status < 300 else None

    def need(self, method: str, path: str, body: Any = None) -> Any:
        """The same, but raises NodeError where the status is no success."""
        answer = self.ask(method, path, body)
        if answer is None:
            raise NodeError(f"expected {method} {path} to succeed as the first user, and it was refused")
        return answer

    def ids(self) -> dict[str, str]:
        """The ids of the nodes at the addresses, as `node1`, `node2` and so on."""
        found = {}
        for number in range(1, len(self.addresses) + 1):
            local = self.send("GET", "/_nodes/_local", number=number).value
            found[f"node{number}"] = next(iter(local["nodes"]))
        return found

    def ml_nodes(self) -> int:
        """How many nodes of the cluster have the role for machine learning."""
        return sum("ml" in node["roles"] for node in self.need("GET", "/_nodes")["nodes"].values())

    def hang_up(self) -> None:
        """Close the connections; the next request opens another."""
        for pool in self._pools.values():
            pool.clear()

    def await_up(self, answering: int | None = None, seconds: float = _TIMEOUT_SECONDS) -> None:
        """Wait until every address answers again, or the first so many, and the indices can be read.

        Raises NodeError.
        """
        end = time.monotonic() + seconds
        for number in range(1, (len(self.addresses) if answering is None else answering) + 1):
            while True:
                try:
                    path = "/_cluster/health?wait_for_status=yellow&timeout=10s"
                    if self.send("GET", path, number=number).status == 200:
                        break
                except NodeError:
                    if time.monotonic() > end:
                        raise
                if time.monotonic() > end:
                    raise NodeError(
                        f"expected {self.addresses[number - 1]} to come up within {seconds:.0f} s"
                    )
                time.sleep(0.5)

    def _credentials(self, name: str) -> dict[str, str]:
        if name == NO_CREDENTIALS:
            return {}
        if name not in self._users:
            raise NodeError(f"expected a user of the users' file, got {name!r}: {', '.join(self._users)}")
        return dict(urllib3.make_headers(basic_auth=f"{name}:{self._users[name]}"))

    def _pool(self, name: str) -> urllib3.PoolManager:
        if name not in self._pools:
            self._pools[name] = urllib3.PoolManager(
                retries=False, timeout=_TIMEOUT_SECONDS, ssl_context=self._context
            )
        return self._pools[name]


def read_users(path: Path) -> dict[str, str]:
    """Passwords by user name from a YAML or JSON file. Raises NodeError."""
    try:
        users = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise NodeError(f"the users' file {path} can't be read: {error}") from None
    if not isinstance(users, dict) or not users:
        raise NodeError(f"expected {path} to map user names to passwords")
    return {str(name): str(password) for name, password in users.items()}


class Inventory(Struct, frozen=True):
    """What is on a node: ids by kind, names of pipelines by path, persistent settings."""

    ids: Mapping[str, frozenset[str]]
    pipelines: Mapping[str, frozenset[str]]
    settings: Mapping[str, Any]


def inventory(node: Node) -> Inventory:
    """What is on the node now."""
    node.ask("POST", "/_refresh")  # A search sees what was written only after that.
    every = {"query": {"match_all": {}}, "size": 1000, "_source": ["name"]}
    ids = {}
    for kind in _KINDS:
        found = node.ask("POST", f"{ML}/{kind}/_search", every) or {"hits": {"hits": []}}
        ids[kind] = frozenset(hit["_id"] for hit in found["hits"]["hits"])
    pipelines = {path: frozenset(node.ask("GET", path) or {}) for path in _PIPELINES}
    settings = node.need("GET", "/_cluster/settings?flat_settings=true")["persistent"]
    return Inventory(ids, pipelines, settings)


def put_back(node: Node, before: Inventory, tries: int = 1) -> list[str]:
    """Remove what so many tries made and set the settings back; gives what would not go."""
    end = time.monotonic() + _REMOVAL_SECONDS * tries
    while left := _remove(node, before, inventory(node)):
        if time.monotonic() > end:
            break
        time.sleep(1)
    now = node.need("GET", "/_cluster/settings?flat_settings=true")["persistent"]
    put_settings(node, dict.fromkeys(now) | dict(before.settings))
    return left


def put_settings(node: Node, settings: Mapping[str, Any]) -> None:
    """Set persistent settings; None takes one away. Raises NodeError where the node refuses."""
    if settings:
        node.need("PUT", "/_cluster/settings", {"persistent": settings})


def _remove(node: Node, before: Inventory, now: Inventory) -> list[str]:
    left = []
    for path in _PIPELINES:
        for name in now.pipelines[path] - before.pipelines[path]:
            node.ask("DELETE", f"{path}/{quote(name)}")
            left.append(f"{path}/{name}")
    for kind in _KINDS:
        for found in sorted(now.ids[kind] - before.ids[kind]):
            if kind == "models":
                node.ask("POST", f"{ML}/models/{quote(found)}/_undeploy")
            node.ask("DELETE", f"{ML}/{kind}/{quote(found)}")
            left.append(f"{kind}/{found}")
    return left
