"""How to: see which requests your code sent, and that it sent the right ones."""

from __future__ import annotations

from typing import Any

import pytest

DEPLOYS = "/_plugins/_ml/models/*/_deploy"


def test_deploy_was_called_once_with_node_ids(ml: Any) -> None:
    ml.setting("allow_custom_deployment_plan", True)
    (node,) = ml.get("/_nodes").body["nodes"]
    ml.post(f"~/models/{ml.model()}/_deploy", {"node_ids": [node]})
    wanted = {"method": "POST", "path": DEPLOYS, "body": {"node_ids": [node]}, "times": 1}
    assert ml.post("/_mock/verify", wanted).body["verified"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"method": "PUT", "path": DEPLOYS},
        {"path": "/_plugins/_ml/models/nope/_deploy"},
        {"path": DEPLOYS, "body": {"node_ids": ["other"]}},
        {"path": DEPLOYS, "times": 2},
    ],
)
def test_what_was_not_sent_is_not_verified(ml: Any, wanted: Any) -> None:
    ml.post(f"~/models/{ml.model()}/_deploy")
    assert not ml.post("/_mock/verify", wanted).body["verified"]


def test_the_journal_tells_every_request_with_its_status(ml: Any) -> None:
    ml.put("~/models/nope?pretty", {"name": "x"})
    ml.post("~/models/_undeploy", b"{")
    first, second = ml.get("/_mock/requests").body["requests"]
    assert (first["method"], first["path"], first["query"]) == ("PUT", "/_plugins/_ml/models/nope", "pretty")
    assert (first["body"], first["status"], first["at"]) == ({"name": "x"}, 404, 1_000_000_000.0)
    assert (second["body"], second["status"]) == ("{", 400)


def test_the_journal_can_be_emptied(ml: Any) -> None:
    ml.get("/")
    ml.delete("/_mock/requests")
    assert ml.get("/_mock/requests").body == {"requests": []}


def test_in_the_same_process_the_journal_is_at_hand(ml: Any) -> None:
    ml.put("~/models/nope", {"name": "x", "description": "d"})
    (entry,) = ml.server.space().journal.find(method="PUT", body={"name": "x"})
    assert (entry.status, entry.body["description"]) == (404, "d")
