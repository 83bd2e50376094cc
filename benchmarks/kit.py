"""Clusters of real nodes: the kit that REAL_NODE names starts them, and what a cluster has can be told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

KIT = Path(os.environ.get("REAL_NODE", "../shared/real-node/real-node"))
SECURED = "-security"
ADMIN = "admin"
_ML = "/_plugins/_ml"
# Without it an administrator may not ask the Security API which users there are.
_USERS_TOLD = 'plugins.security.restapi.roles_enabled=["all_access"]'
_PRINTED = re.compile(r"password (?P<password>\S+), CA (?P<ca>\S+)")


class StartError(Exception):
    """The kit could not start a cluster; what it said is on stderr."""


@dataclass(frozen=True, slots=True)
class Node:
    """Where a cluster is reached; a secured one with its authority and the password of its users."""

    url: str
    ca_file: Path | None = None
    password: str | None = field(default=None, repr=False)

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The answer's object, asked as admin; an empty one where there is nothing (404).

        Raises `urllib3.exceptions.HTTPError` where the cluster is not reached, `ValueError` for another
        answer than that.
        """
        headers = {} if self.password is None else urllib3.make_headers(basic_auth=f"{ADMIN}:{self.password}")
        authority = {} if self.ca_file is None else {"ca_certs": str(self.ca_file)}
        with urllib3.PoolManager(retries=False, timeout=30, **authority) as pool:
            answer = pool.request(method, self.url + path, headers=headers, json=body)
        if answer.status == 404:
            return {}
        if answer.status >= 400:
            raise ValueError(f"expected {method} {path} to be answered, got {answer.status}: {answer.data!r}")
        found = json.loads(answer.data)
        return found if isinstance(found, dict) else {}


@contextmanager
def started(version: str, name: str, port: int, *, nodes: int = 1) -> Iterator[Node]:
    """A cluster on which nobody used ML Commons yet, taken down at the end. Raises `StartError`."""
    # With less heap a node's circuit breaker refuses requests while local models are uploaded.
    how = ["--port", str(port), "--nodes", str(nodes), "--heap", "1g", "--fresh"]
    if version.endswith(SECURED):
        how += ["--opt", _USERS_TOLD]
    try:
        command = [KIT, "up", version, "--name", name, *how]
        up = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
        sys.stderr.write(up.stdout)
        if up.returncode:
            raise StartError(
                f"expected {KIT} to start {version}, but it ended with {up.returncode}; see above"
            )
        yield _node(version, port, up.stdout)
    finally:
        subprocess.run([KIT, "down", name], check=False, stdout=sys.stderr)


def _node(version: str, port: int, printed: str) -> Node:
    if not version.endswith(SECURED):
        return Node(f"http://127.0.0.1:{port}")
    told = _PRINTED.search(printed)
    if told is None:
        raise StartError(f"expected {KIT} to print the users' password and the CA file, got {printed!r}")
    return Node(f"https://127.0.0.1:{port}", Path(told["ca"]), told["password"])


def state(node: Node) -> dict[str, Any]:
    """What a cluster has: models, groups, connectors and agents by id, pipelines, settings and users."""
    node.ask("POST", "/.plugins-ml-*/_refresh")
    found: dict[str, Any] = {"settings": node.ask("GET", "/_cluster/settings?flat_settings=true")}
    for kind in ("models", "model_groups", "connectors", "agents"):
        body = {"query": {"match_all": {}}, "size": 1000, "_source": False}
        answered = node.ask("POST", f"{_ML}/{kind}/_search", body)
        found[kind] = sorted(hit["_id"] for hit in answered.get("hits", {}).get("hits", ()))
    for kind in ("ingest", "search"):
        found[f"{kind} pipelines"] = sorted(node.ask("GET", f"/_{kind}/pipeline"))
    if node.password is not None:
        found["users"] = sorted(node.ask("GET", "/_plugins/_security/api/internalusers"))
    return found
