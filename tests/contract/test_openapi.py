from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from mlconform.conformance.contract import openapi, store

from .conftest import OVERLAY, PAGE, Project

SHIPPED = [(name, version) for name in store.profiles() for version in store.versions(name)]
OPERATION = OVERLAY["operations"][0]


def operation(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = openapi.document(project.facts())["paths"]["/things/{thing_id}/_start"]["post"]
    return found


def body(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = operation(project)["requestBody"]["content"]["application/json"]["schema"]
    return found


def test_a_documented_operation_stands_on_its_endpoint(project: Project) -> None:
    found = operation(project)
    assert (found["operationId"], found["x-level"], found["x-source"]) == (
        "start_thing",
        "documented",
        ["start:13-15 (2.3)"],
    )
    assert [parameter["name"] for parameter in found["parameters"]] == ["thing_id"]


def test_a_request_has_the_constraints_of_its_table(project: Project) -> None:
    properties = body(project)["properties"]
    assert properties["speed"] == {
        "type": "integer",
        "default": 3,
        "x-source": ["start:22 (2.3)"],
        "x-level": "documented",
    }
    assert properties["mode"]["properties"]["unit"]["enum"] == ["A", "B"]


def test_a_request_stays_open_to_unknown_members(project: Project) -> None:
    jsonschema.validate({"speed": 1, "unheard": "of"}, body(project), cls=jsonschema.Draft202012Validator)


def test_a_member_that_only_an_example_shows_says_so(project: Project) -> None:
    project.write_page(PAGE.replace('"speed": 4', '"speed": 4, "pace": 1'))
    assert body(project)["properties"]["pace"]["x-level"] == "example"


def test_the_overlay_settles_a_member(project: Project) -> None:
    member = {"schema": {"type": ["integer", "string"]}, "units": ["start/field/speed"], "contradiction": "c"}
    project.write_overlay(operations=[OPERATION | {"members": {"speed": member}}])
    speed = body(project)["properties"]["speed"]
    assert (speed["type"], speed["x-settled"], speed["default"]) == (["integer", "string"], "c", 3)


def test_an_answer_has_the_shape_of_its_example(project: Project) -> None:
    answer = operation(project)["responses"]["200"]
    assert answer["x-level"] == "example"
    assert answer["content"]["application/json"]["schema"]["required"] == ["status", "at"]


def test_an_answer_of_the_overlay_replaces_the_example(project: Project) -> None:
    project.write_overlay(operations=[OPERATION | {"answers": {200: {"schema": {"type": "string"}}}}])
    answer = operation(project)["responses"]["200"]
    assert (answer["x-level"], answer["content"]["application/json"]["schema"]) == (
        "documented",
        {"type": "string"},
    )


def test_a_schema_file_holds_what_it_refers_to(project: Project) -> None:
    components = {"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": {"type": "string"}, "C": {}}}
    answers = {200: {"schema": {"$ref": "#/components/schemas/A"}}}
    project.write_overlay(operations=[OPERATION | {"answers": answers}], components=components)
    made = dict(openapi.schemas(openapi.document(project.facts())))["start_thing.200.schema.json"]
    assert set(made["$defs"]) == {"A", "B"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(1, made, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(("profile", "version"), SHIPPED)
def test_a_shipped_document_is_openapi(profile: str, version: str) -> None:
    validate(dict(store.load(profile, version).openapi))


@pytest.mark.parametrize(
    "path", sorted(store.schemas_root().glob("*/*/*.schema.json")), ids=lambda path: path.name
)
def test_a_shipped_schema_is_a_schema(path: Any) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == path.name


@pytest.mark.parametrize(("profile", "version"), SHIPPED)
def test_every_shipped_operation_says_where_it_comes_from(profile: str, version: str) -> None:
    operations = [
        operation
        for methods in store.load(profile, version).openapi["paths"].values()
        for operation in methods.values()
    ]
    assert operations
    assert all(operation["x-source"] and operation["x-level"] for operation in operations)


@pytest.mark.parametrize("version", store.versions("opensearch-ml"))
def test_the_answer_to_a_registration_leads_to_the_task_and_the_model(version: str) -> None:
    paths = store.load("opensearch-ml", version).openapi["paths"]
    links = paths["/_plugins/_ml/models/_register"]["post"]["responses"]["200"]["links"]
    assert links["get_task"] == {
        "operationId": "get_task",
        "parameters": {"task_id": "$response.body#/task_id"},
    }
    assert links["deploy_model"]["parameters"] == {"model_id": "$response.body#/model_id"}


def test_the_value_of_a_status_is_kept_as_an_example() -> None:
    shown = {}
    for version in ("2.19", "3.4"):
        deploy = store.load("opensearch-ml", version).openapi["paths"][
            "/_plugins/_ml/models/{model_id}/_deploy"
        ]
        schema = deploy["post"]["responses"]["200"]["content"]["application/json"]["schema"]
        shown[version] = schema["properties"]["status"]["examples"]
    assert "DEPLOYING" in shown["2.19"]
    assert shown["3.4"] == ["CREATED"]
