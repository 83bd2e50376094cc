"""Pipelines are checked when they are put, in the order and the words of a 2.19.0 node."""

from __future__ import annotations

from typing import Any

import pytest

INGEST, SEARCH = "/_ingest/pipeline", "/_search/pipeline"


@pytest.mark.parametrize("path", [INGEST, SEARCH])
@pytest.mark.parametrize("name", ["", "/*", "/p", "/p*", "/p,q"])
def test_where_there_is_no_pipeline_reading_is_404(ml: Any, path: str, name: str) -> None:
    answer = ml.get(path + name)
    assert (answer.status, answer.body) == (404, {})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "[processors] required property is missing"),
        ({"processors": "x"}, "[processors] property isn't a list, but of type [java.lang.String]"),
        ({"processors": [{"nosuch": {}}]}, "No processor type exists with name [nosuch]"),
        ({"processors": [{"set": None}]}, "the config of processor [set] cannot be null"),
        ({"processors": [{"set": 1}]}, "property isn't a map, but of type [java.lang.Integer]"),
        ({"processors": [{"set": {"field": "a"}}]}, "[value] required property is missing"),
        ({"processors": [], "version": "x"}, "[version] property cannot be converted to an int [x]"),
        ({"processors": [], "on_failure": []}, "pipeline [p] cannot have an empty on_failure option defined"),
        (
            {"processors": [], "bogus": 1},
            "pipeline [p] doesn't support one or more provided configuration parameters [bogus]",
        ),
    ],
)
def test_a_bad_ingest_pipeline_is_refused(ml: Any, body: Any, reason: str) -> None:
    answer = ml.put(f"{INGEST}/p", body)
    assert (answer.status, answer.body["error"]["type"], ml.reason(answer)) == (
        400,
        "parse_exception",
        reason,
    )


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (
            {"request_processors": [{"nosuch": {}}]},
            "illegal_argument_exception",
            "Invalid processor type nosuch",
        ),
        (
            {"bogus": 1},
            "parse_exception",
            "pipeline [p] doesn't support one or more provided configuration parameters [bogus]",
        ),
    ],
)
def test_a_bad_search_pipeline_is_refused(ml: Any, body: Any, kind: str, reason: str) -> None:
    answer = ml.put(f"{SEARCH}/p", body)
    assert (answer.status, answer.body["error"]["type"], ml.reason(answer)) == (400, kind, reason)


def test_the_first_refusal_of_several_processors_tells_the_others(ml: Any) -> None:
    error = ml.put(f"{INGEST}/p", {"processors": [{"nosuch": {}}, {"other": {}}]}).body["error"]
    assert (error["processor_type"], error["suppressed"][0]["processor_type"]) == ("nosuch", "other")


def test_inference_has_as_many_outputs_as_inputs(ml: Any) -> None:
    config = {"model_id": "m", "input_map": [{}, {}], "output_map": [{}]}
    answer = ml.put(f"{INGEST}/p", {"processors": [{"ml_inference": config}]})
    assert ml.reason(answer) == "The length of output_map and the length of input_map do no match."


def test_a_local_model_needs_its_input_told(ml: Any) -> None:
    config = {"model_id": "m", "function_name": "text_embedding"}
    answer = ml.put(f"{INGEST}/p", {"processors": [{"ml_inference": config}]})
    assert (
        ml.reason(answer) == "Please provide model input when using a local model in ML Inference Processor"
    )
    assert (
        ml.put(f"{INGEST}/p", {"processors": [{"ml_inference": config | {"model_input": "{}"}}]}).status
        == 200
    )


def test_a_list_of_names_is_one_name_to_delete(ml: Any) -> None:
    ml.put(f"{INGEST}/p", {"processors": []})
    assert ml.delete(f"{INGEST}/p,q").status == 404
    assert ml.delete(f"{INGEST}/p*").status == 200


@pytest.mark.parametrize(
    ("path", "member"),
    [("/_ingest/pipeline/p", "processors"), ("/_search/pipeline/p", "request_processors")],
)
def test_an_inference_processor_names_its_model(ml: Any, path: str, member: str) -> None:
    refused = ml.put(path, {member: [{"ml_inference": {"input_map": []}}]})
    assert (refused.status, ml.reason(refused)) == (400, "[model_id] required property is missing")
    assert ml.put(path, {member: [{"ml_inference": {"model_id": "m"}}]}).status == 200


def test_what_is_done_on_failure_is_checked_too(ml: Any) -> None:
    answer = ml.put(f"{INGEST}/p", {"processors": [], "on_failure": [{"nosuch": {}}]})
    assert (answer.status, ml.reason(answer)) == (400, "No processor type exists with name [nosuch]")
