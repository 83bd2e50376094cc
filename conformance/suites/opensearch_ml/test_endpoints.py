"""Every endpoint that a page lists is there: neither an unknown route nor a wrong method."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.suites.expect import Expect
from conformance.suites.marks import requirement
from conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons
from conformance.target.opensearch_ml import ML
from conformance.target.session import ABSENT

# Bodies that are read and change nothing: what they name is not there, or what they need is missing.
ALL: dict[str, Any] = {"query": {"match_all": {}}, "size": 1}
NOTHING: dict[str, Any] = {}
NAMELESS: dict[str, Any] = {"description": "made by a conformance run"}
CHANGE: dict[str, Any] = {"description": "changed"}
LIMITS: dict[str, Any] = {"user_rate_limiter": {"nobody": {"limit": 1, "unit": "DAYS"}}}


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        pytest.param(
            "osml.register.endpoint",
            "POST",
            "models/_register",
            NOTHING,
            marks=requirement("osml.register.endpoint"),
        ),
        pytest.param(
            "osml.get.endpoint",
            "GET",
            "models/{id}",
            ABSENT,
            marks=requirement("osml.get.endpoint"),
        ),
        pytest.param(
            "osml.search.endpoint",
            "GET",
            "models/_search",
            ALL,
            marks=requirement("osml.search.endpoint"),
        ),
        pytest.param(
            "osml.search.endpoint.search_models",
            "POST",
            "models/_search",
            ALL,
            marks=requirement("osml.search.endpoint.search_models"),
        ),
        pytest.param(
            "osml.batch-predict.endpoint",
            "POST",
            "models/{id}/_batch_predict",
            NOTHING,
            marks=requirement("osml.batch-predict.endpoint"),
        ),
        pytest.param(
            "osml.predict.endpoint",
            "POST",
            "_predict/remote/{id}",
            NOTHING,
            marks=requirement("osml.predict.endpoint"),
        ),
        pytest.param(
            "osml.task.endpoint",
            "GET",
            "tasks/{id}",
            ABSENT,
            marks=requirement("osml.task.endpoint"),
        ),
        pytest.param(
            "osml.task.delete.endpoint",
            "DELETE",
            "tasks/{id}",
            ABSENT,
            marks=requirement("osml.task.delete.endpoint"),
        ),
        pytest.param(
            "osml.task.search.endpoint",
            "GET",
            "tasks/_search",
            ALL,
            marks=requirement("osml.task.search.endpoint"),
        ),
        pytest.param(
            "osml.group.register.endpoint",
            "POST",
            "model_groups/_register",
            NAMELESS,
            marks=requirement("osml.group.register.endpoint"),
        ),
        pytest.param(
            "osml.group.get.endpoint",
            "GET",
            "model_groups/{id}",
            ABSENT,
            marks=requirement("osml.group.get.endpoint"),
        ),
        pytest.param(
            "osml.group.update.endpoint",
            "PUT",
            "model_groups/{id}",
            CHANGE,
            marks=requirement("osml.group.update.endpoint"),
        ),
        pytest.param(
            "osml.group.search.endpoint",
            "POST",
            "model_groups/_search",
            ALL,
            marks=requirement("osml.group.search.endpoint"),
        ),
        pytest.param(
            "osml.group.search.endpoint.search_model_groups_get",
            "GET",
            "model_groups/_search",
            ALL,
            marks=requirement("osml.group.search.endpoint.search_model_groups_get"),
        ),
        pytest.param(
            "osml.connector.create.endpoint",
            "POST",
            "connectors/_create",
            NOTHING,
            marks=requirement("osml.connector.create.endpoint"),
        ),
        pytest.param(
            "osml.connector.get.endpoint",
            "GET",
            "connectors/{id}",
            ABSENT,
            marks=requirement("osml.connector.get.endpoint"),
        ),
        pytest.param(
            "osml.connector.update.endpoint",
            "PUT",
            "connectors/{id}",
            CHANGE,
            marks=requirement("osml.connector.update.endpoint"),
        ),
        pytest.param(
            "osml.connector.delete.endpoint",
            "DELETE",
            "connectors/{id}",
            ABSENT,
            marks=requirement("osml.connector.delete.endpoint"),
        ),
        pytest.param(
            "osml.connector.search.endpoint",
            "POST",
            "connectors/_search",
            ALL,
            marks=requirement("osml.connector.search.endpoint"),
        ),
        pytest.param(
            "osml.connector.search.endpoint.search_connectors_get",
            "GET",
            "connectors/_search",
            ALL,
            marks=requirement("osml.connector.search.endpoint.search_connectors_get"),
        ),
        pytest.param(
            "osml.controller.set.endpoint",
            "POST",
            "controllers/{id}",
            LIMITS,
            marks=requirement("osml.controller.set.endpoint"),
        ),
        pytest.param(
            "osml.controller.set.endpoint.update_controller",
            "PUT",
            "controllers/{id}",
            LIMITS,
            marks=requirement("osml.controller.set.endpoint.update_controller"),
        ),
        pytest.param(
            "osml.controller.get.endpoint",
            "GET",
            "controllers/{id}",
            ABSENT,
            marks=requirement("osml.controller.get.endpoint"),
        ),
        pytest.param(
            "osml.controller.delete.endpoint",
            "DELETE",
            "controllers/{id}",
            ABSENT,
            marks=requirement("osml.controller.delete.endpoint"),
        ),
        pytest.param(
            "osml.agent.register.endpoint",
            "POST",
            "agents/_register",
            NOTHING,
            marks=requirement("osml.agent.register.endpoint"),
        ),
        pytest.param(
            "osml.agent.get.endpoint",
            "GET",
            "agents/{id}",
            ABSENT,
            marks=requirement("osml.agent.get.endpoint"),
        ),
        pytest.param(
            "osml.agent.search.endpoint",
            "GET",
            "agents/_search",
            ALL,
            marks=requirement("osml.agent.search.endpoint"),
        ),
        pytest.param(
            "osml.agent.search.endpoint.search_agents",
            "POST",
            "agents/_search",
            ALL,
            marks=requirement("osml.agent.search.endpoint.search_agents"),
        ),
        pytest.param(
            "osml.agent.delete.endpoint",
            "DELETE",
            "agents/{id}",
            ABSENT,
            marks=requirement("osml.agent.delete.endpoint"),
        ),
        pytest.param(
            "osml.profile.endpoint",
            "GET",
            "profile",
            ABSENT,
            marks=requirement("osml.profile.endpoint"),
        ),
        pytest.param(
            "osml.profile.endpoint.profile_models",
            "GET",
            "profile/models",
            ABSENT,
            marks=requirement("osml.profile.endpoint.profile_models"),
        ),
        pytest.param(
            "osml.profile.endpoint.profile_model",
            "GET",
            "profile/models/{id}",
            ABSENT,
            marks=requirement("osml.profile.endpoint.profile_model"),
        ),
        pytest.param(
            "osml.profile.endpoint.profile_tasks",
            "GET",
            "profile/tasks",
            ABSENT,
            marks=requirement("osml.profile.endpoint.profile_tasks"),
        ),
        pytest.param(
            "osml.profile.endpoint.profile_task",
            "GET",
            "profile/tasks/{id}",
            ABSENT,
            marks=requirement("osml.profile.endpoint.profile_task"),
        ),
        pytest.param(
            "osml.stats.endpoint",
            "GET",
            "stats",
            ABSENT,
            marks=requirement("osml.stats.endpoint"),
        ),
        pytest.param(
            "osml.stats.endpoint.stat",
            "GET",
            "stats/ml_executing_task_count",
            ABSENT,
            marks=requirement("osml.stats.endpoint.stat"),
        ),
        pytest.param(
            "osml.stats.endpoint.node_stats",
            "GET",
            "{node}/stats",
            ABSENT,
            marks=requirement("osml.stats.endpoint.node_stats"),
        ),
        pytest.param(
            "osml.stats.endpoint.node_stat",
            "GET",
            "{node}/stats/ml_executing_task_count",
            ABSENT,
            marks=requirement("osml.stats.endpoint.node_stat"),
        ),
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
    )
