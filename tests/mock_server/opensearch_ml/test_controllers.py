"""Controllers: what their bodies may hold, and what they leave in the documents of their models."""

from __future__ import annotations

from typing import Any

import pytest

NONE_YET = "Model controller haven't been created for the model. Consider calling create model controller api"


@pytest.fixture
def node(make_client: Any) -> Any:
    return make_client(behaviour="opensearch-3.4")


@pytest.mark.parametrize(
    ("users", "status", "kind", "reason"),
    [
        ([], 500, "null_pointer_exception", 'Cannot invoke "String.hashCode()" because "<local4>" is null'),
        (
            {"j": 5},
            400,
            "parsing_exception",
            "Failed to parse object: expecting token of type [START_OBJECT]",
        ),
        ({"j": None}, 400, "parsing_exception", "Failed to parse object: expecting token of type"),
        ({"j": "x"}, 500, "runtime_exception", "com.fasterxml.jackson.core.JsonParseException: Unrecognized"),
        ({"j": {"limit": -1}}, 400, "parse_exception", "Limit field must be a positive number."),
        ({"j": {"limit": {}}}, 500, "illegal_state_exception", "Can't get text on a START_OBJECT at 1:10"),
        ({"j": {"unit": "x"}}, 400, "illegal_argument_exception", "No enum constant java.util.concurrent."),
    ],
)
def test_bad_limits_are_refused(node: Any, users: Any, status: int, kind: str, reason: str) -> None:
    answer = node.post(f"~/controllers/{node.model()}", {"user_rate_limiter": users})
    assert (answer.status, node.kind(answer)) == (status, kind)
    assert node.reason(answer).startswith(reason)


@pytest.mark.parametrize(
    ("users", "kept"),
    [
        (5, {}),
        (None, {}),
        ({"j": {}}, {}),
        ({"j": {"limit": None, "unit": "DAYS"}}, {"j": {"unit": "DAYS"}}),
        ({"j": '{"limit":1}'}, {"j": {"limit": "1"}}),
    ],
)
def test_odd_limits_are_accepted(node: Any, users: Any, kept: Any) -> None:
    path = f"~/controllers/{node.model()}"
    assert node.post(path, {"user_rate_limiter": users}).status == 200
    assert node.get(path).body["user_rate_limiter"] == kept


def test_an_update_keeps_what_is_not_sent_of_a_user(node: Any) -> None:
    path = f"~/controllers/{node.model()}"
    node.post(path, {"user_rate_limiter": {"j": {"limit": 2, "unit": "DAYS"}}})
    node.put(path, {"user_rate_limiter": {"j": {"limit": 3}}})
    assert node.get(path).body["user_rate_limiter"] == {"j": {"limit": "3", "unit": "DAYS"}}


def test_only_what_was_created_can_be_updated(node: Any) -> None:
    model_id = node.model()
    answer = node.put(f"~/controllers/{model_id}", {})
    assert (answer.status, node.reason(answer)) == (409, f"{NONE_YET} instead. Model ID: {model_id}")


def test_a_model_shows_whether_it_has_a_controller(node: Any) -> None:
    model_id = node.model()
    node.post(f"~/controllers/{model_id}", {})
    assert node.get(f"~/models/{model_id}").body["is_controller_enabled"] is True
    node.delete(f"~/controllers/{model_id}")
    assert node.get(f"~/models/{model_id}").body["is_controller_enabled"] is False


def test_a_model_that_deploys_gets_no_controller(node: Any) -> None:
    model_id = node.model()
    node.post(f"~/models/{model_id}/_deploy")
    answer = node.post(f"~/controllers/{model_id}", {})
    assert (answer.status, node.reason(answer)[:30]) == (409, "Creating a model controller du")


@pytest.mark.parametrize(("method", "operation"), [("POST", "Create"), ("PUT", "Update")])
def test_a_body_is_needed(node: Any, method: str, operation: str) -> None:
    answer = node.send(method, f"~/controllers/{node.model()}")
    assert (answer.status, node.kind(answer)) == (400, "parse_exception")
    assert node.reason(answer) == f"{operation} model controller request has empty body"


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_is_read_before_its_model_is_looked_for(node: Any, method: str) -> None:
    limits = {"user_rate_limiter": {"j": {"limit": -1}}}
    answers = [node.send(method, "~/controllers/nope", body) for body in (limits, {})]
    assert [answer.status for answer in answers] == [400, 404]
