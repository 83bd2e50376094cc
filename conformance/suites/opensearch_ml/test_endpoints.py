"""Every endpoint that a page lists is there: neither an unknown route nor a wrong method."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import deciding
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons
from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.session import ABSENT

# Bodies that are read and change nothing: what they name is not there, or what they need is missing.
ALL: dict[str, Any] = {"query": {"match_all": {}}, "size": 1}
NOTHING: dict[str, Any] = {}
NAMELESS: dict[str, Any] = {"description": "made by a conformance run"}
CHANGE: dict[str, Any] = {"description": "changed"}
LIMITS: dict[str, Any] = {"user_rate_limiter": {"nobody": {"limit": 1, "unit": "DAYS"}}}


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        deciding("osml.register.endpoint", "POST", "models/_register", NOTHING),
        deciding("osml.get.endpoint", "GET", "models/{id}", ABSENT),
        deciding("osml.search.endpoint", "GET", "models/_search", ALL),
        deciding("osml.search.endpoint.search_models", "POST", "models/_search", ALL),
        deciding("osml.batch-predict.endpoint", "POST", "models/{id}/_batch_predict", NOTHING),
        deciding("osml.predict.endpoint", "POST", "_predict/remote/{id}", NOTHING),
        deciding("osml.task.endpoint", "GET", "tasks/{id}", ABSENT),
        deciding("osml.task.delete.endpoint", "DELETE", "tasks/{id}", ABSENT),
        deciding("osml.task.search.endpoint", "GET", "tasks/_search", ALL),
        deciding("osml.group.register.endpoint", "POST", "model_groups/_register", NAMELESS),
        deciding("osml.group.get.endpoint", "GET", "model_groups/{id}", ABSENT),
        deciding("osml.group.update.endpoint", "PUT", "model_groups/{id}", CHANGE),
        deciding("osml.group.search.endpoint", "POST", "model_groups/_search", ALL),
        deciding("osml.group.search.endpoint.search_model_groups_get", "GET", "model_groups/_search", ALL),
        deciding("osml.connector.create.endpoint", "POST", "connectors/_create", NOTHING),
        deciding("osml.connector.get.endpoint", "GET", "connectors/{id}", ABSENT),
        deciding("osml.connector.update.endpoint", "PUT", "connectors/{id}", CHANGE),
        deciding("osml.connector.delete.endpoint", "DELETE", "connectors/{id}", ABSENT),
        deciding("osml.connector.search.endpoint", "POST", "connectors/_search", ALL),
        deciding("osml.connector.search.endpoint.search_connectors_get", "GET", "connectors/_search", ALL),
        deciding("osml.controller.set.endpoint", "POST", "controllers/{id}", LIMITS),
        deciding("osml.controller.set.endpoint.update_controller", "PUT", "controllers/{id}", LIMITS),
        deciding("osml.controller.get.endpoint", "GET", "controllers/{id}", ABSENT),
        deciding("osml.controller.delete.endpoint", "DELETE", "controllers/{id}", ABSENT),
        deciding("osml.agent.register.endpoint", "POST", "agents/_register", NOTHING),
        deciding("osml.agent.get.endpoint", "GET", "agents/{id}", ABSENT),
        deciding("osml.agent.search.endpoint", "GET", "agents/_search", ALL),
        deciding("osml.agent.search.endpoint.search_agents", "POST", "agents/_search", ALL),
        deciding("osml.agent.delete.endpoint", "DELETE", "agents/{id}", ABSENT),
        deciding("osml.profile.endpoint", "GET", "profile", ABSENT),
        deciding("osml.profile.endpoint.profile_models", "GET", "profile/models", ABSENT),
        deciding("osml.profile.endpoint.profile_model", "GET", "profile/models/{id}", ABSENT),
        deciding("osml.profile.endpoint.profile_tasks", "GET", "profile/tasks", ABSENT),
        deciding("osml.profile.endpoint.profile_task", "GET", "profile/tasks/{id}", ABSENT),
        deciding("osml.stats.endpoint", "GET", "stats", ABSENT),
        deciding("osml.stats.endpoint.stat", "GET", "stats/ml_executing_task_count", ABSENT),
        deciding("osml.stats.endpoint.node_stats", "GET", "{node}/stats", ABSENT),
        deciding("osml.stats.endpoint.node_stat", "GET", "{node}/stats/ml_executing_task_count", ABSENT),
    ],
)
def test_a_listed_endpoint_is_there(
    ml: MlCommons, expect: Expect, name: str, method: str, path: str, body: Any
) -> None:
    node = ml.session.facts.nodes[0]
    answered = ml.session.request(method, f"{ML}/{path.format(id=UNKNOWN_ID, node=node)}", body)
    unknown = "no handler found" in str(answered.json.get("error") if isinstance(answered.json, dict) else "")
    expect.that(
        name,
        answered.status != 405 and not unknown,
        expected=f"{method} {ML}/{path} is an operation",
        came=answered.summary,
        exchange=answered,
    )
