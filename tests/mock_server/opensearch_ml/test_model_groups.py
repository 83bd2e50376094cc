"""Model groups: bodies that are refused, in the node's order, and those that are accepted though odd."""

from __future__ import annotations

from typing import Any

import pytest

BOTH = ("opensearch-2.19", "opensearch-3.4")
NO_ACCESS = "You cannot specify model access control parameters because the Security plugin"
NAME = "Model group name"


def _group(node: Any, **fields: Any) -> Any:
    return node.post("~/model_groups/_register", {"name": "g", **fields})


@pytest.mark.parametrize("behaviour", BOTH)
@pytest.mark.parametrize(
    ("fields", "status", "kind", "reason"),
    [
        ({"name": None}, 500, "illegal_state_exception", "Can't get text on a VALUE_NULL at 1:10"),
        ({"name": ["x"]}, 500, "illegal_state_exception", "Can't get text on a START_ARRAY at 1:10"),
        (
            {"name": "taken", "access_mode": "public"},
            400,
            "illegal_argument_exception",
            "The name you provided",
        ),
        ({"access_mode": "PUBLIC"}, 400, "illegal_argument_exception", NO_ACCESS),
        ({"add_all_backend_roles": False}, 400, "illegal_argument_exception", NO_ACCESS),
        (
            {"add_all_backend_roles": 1},
            400,
            "json_parse_exception",
            "Current token (VALUE_NUMBER_INT) not of",
        ),
        ({"backend_roles": "a"}, 400, "parsing_exception", "Failed to parse object: expecting token of type"),
    ],
)
def test_a_registration_is_refused(
    make_client: Any, behaviour: str, fields: Any, status: int, kind: str, reason: str
) -> None:
    node = make_client(behaviour=behaviour)
    _group(node, name="taken")
    answer = _group(node, **fields)
    assert (answer.status, node.kind(answer)) == (status, kind)
    assert node.reason(answer).startswith(reason)


@pytest.mark.parametrize("fields", [{"access_mode": "nope"}, {"backend_roles": []}, {"description": 5}])
def test_what_says_nothing_is_accepted(make_client: Any, fields: Any) -> None:
    assert _group(make_client(behaviour="opensearch-3.4"), **fields).status == 200


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": ""}, f"{NAME} is required and cannot be null or blank"),
        ({"name": "<"}, f"{NAME} can only contain letters, numbers, spaces, and basic punctuation"),
        ({"description": "<"}, "Model group description can only contain letters, numbers, spaces"),
    ],
)
def test_later_versions_look_at_the_characters_of_texts(make_client: Any, fields: Any, problem: str) -> None:
    assert _group(make_client(behaviour="opensearch-2.19"), **fields).status == 200
    later = make_client(behaviour="opensearch-3.4")
    answer = _group(later, **fields)
    assert later.kind(answer) == "action_request_validation_exception"
    assert later.reason(answer).startswith(f"Validation Failed: 1: {problem}")


def test_all_basic_punctuation_may_be_in_a_text(make_client: Any) -> None:
    later = make_client(behaviour="opensearch-3.4")
    assert _group(later, name="".join(("a_1 .,!?():@-/", "'", '"'))).status == 200


def test_another_groups_name_can_not_be_taken(make_client: Any) -> None:
    node = make_client(behaviour="opensearch-3.4")
    holder = _group(node, name="taken").body["model_group_id"]
    answer = node.put(f"~/model_groups/{_group(node).body['model_group_id']}", {"name": "taken"})
    assert (answer.status, node.reason(answer)) == (
        400,
        f"The name you provided is already being used by another model with ID: {holder}. "
        "Please provide a different name",
    )


def test_blank_texts_change_nothing(make_client: Any) -> None:
    node = make_client(behaviour="opensearch-2.19")
    path = f"~/model_groups/{_group(node, description='d').body['model_group_id']}"
    before = node.get(path).body
    assert node.put(path, {"name": " ", "description": ""}).body == {"status": "Updated"}
    assert node.get(path).body == before


def test_an_update_needs_a_body(make_client: Any) -> None:
    node = make_client(behaviour="opensearch-2.19")
    answer = node.put(f"~/model_groups/{_group(node).body['model_group_id']}")
    assert (answer.status, node.kind(answer)) == (500, "i_o_exception")


def test_a_group_may_keep_its_name(make_client: Any) -> None:
    node = make_client(behaviour="opensearch-3.4")
    path = f"~/model_groups/{_group(node).body['model_group_id']}"
    assert node.put(path, {"name": "g", "description": "new"}).body == {"status": "Updated"}
    assert node.get(path).body["description"] == "new"


def test_a_version_changes_its_group(ml: Any) -> None:
    group_id = _group(ml).body["model_group_id"]
    before = ml.get(f"~/model_groups/{group_id}").body
    ml.time.now += 5
    ml.model(model_group_id=group_id)
    after = ml.get(f"~/model_groups/{group_id}").body
    assert (before["latest_version"], after["latest_version"]) == (0, 1)
    assert after["created_time"] == before["created_time"]
    assert after["last_updated_time"] >= before["last_updated_time"] + 5000


def test_a_group_is_looked_for_before_access_is_refused(ml: Any) -> None:
    answer = ml.put("~/model_groups/nope", {"access_mode": "public"})
    expected = "Failed to find model group with the provided model group id: nope"
    assert (answer.status, ml.reason(answer)) == (404, expected)
