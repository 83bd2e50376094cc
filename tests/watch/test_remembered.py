"""What later answers owe to what earlier ones told: of local models, tasks, predictions and settings."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.watch.watch import Watch

from .exchanges import ML, MODEL, NOW, differences

TIME = int(NOW * 1000)
CONFIG = {"model_type": "bert", "embedding_dimension": 384, "framework_type": "SENTENCE_TRANSFORMERS"}
REGISTRATION = {
    "name": "m",
    "model_format": "TORCH_SCRIPT",
    "model_config": CONFIG,
    "model_content_hash_value": "abc",
    "url": "http://h/m.zip",
}
READ = {
    "name": "m",
    "algorithm": "SPARSE_ENCODING",
    "model_version": "1",
    "model_format": "TORCH_SCRIPT",
    "model_state": "REGISTERED",
    "model_content_hash_value": "abc",
    "model_content_size_in_bytes": 7,
    "model_config": CONFIG,
    "total_chunks": 1,
    "is_hidden": False,
    "created_time": TIME,
    "last_updated_time": TIME,
    "last_registered_time": TIME,
}


def see(watch: Watch, method: str, path: str, body: Any, sent: Any = None, status: int = 200) -> set[str]:
    """Which relations differ in this exchange."""
    found = {each.requirement for each in differences(watch, method, path, status, body, sent)}
    return {each.removeprefix("osml.relation.") for each in found if each.startswith("osml.relation.")}


def found(*hits: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """The answer of a search that found these."""
    listed = [
        {
            "_index": ".plugins-ml-model",
            "_id": name,
            "_version": 3,
            "_seq_no": place + 2,
            "_primary_term": 1,
            "_score": 1.0,
            "_source": source,
        }
        for place, (name, source) in enumerate(hits)
    ]
    shards = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
    counted = {"total": {"value": len(listed), "relation": "eq"}, "max_score": 1.0, "hits": listed}
    return {"took": 1, "timed_out": False, "_shards": shards, "hits": counted}


def register_by_url(watch: Watch) -> None:
    made = {"task_id": "t", "status": "CREATED"}
    see(watch, "POST", f"{ML}/models/_register", made, REGISTRATION)
    task = {"task_type": "REGISTER_MODEL", "state": "COMPLETED", "model_id": MODEL}
    see(watch, "GET", f"{ML}/tasks/t", task)


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({}, set()),
        ({"model_format": "ONNX"}, {"as-sent"}),
        ({"model_content_hash_value": None}, {"as-sent"}),
        ({"model_config": CONFIG | {"embedding_dimension": "384"}}, {"as-sent"}),
        ({"last_registered_time": None}, {"times"}),
    ],
)
def test_a_model_by_url_reads_as_it_was_sent(
    watch: Watch, changes: dict[str, Any], differs: set[str]
) -> None:
    register_by_url(watch)
    read = {name: value for name, value in {**READ, **changes}.items() if value is not None}
    assert see(watch, "GET", f"{ML}/models/{MODEL}", read) == differs


@pytest.mark.parametrize("name", [name for name in READ if name != "last_updated_time"])
def test_a_model_by_url_is_found_as_it_reads(watch: Watch, name: str) -> None:
    register_by_url(watch)
    see(watch, "GET", f"{ML}/models/{MODEL}", READ)
    assert see(watch, "POST", f"{ML}/models/_search", found((MODEL, READ)), {}) == set()
    lacking = {each: value for each, value in READ.items() if each != name}
    assert "same-everywhere" in see(watch, "POST", f"{ML}/models/_search", found((MODEL, lacking)), {})
    assert see(watch, "POST", f"{ML}/models/_search", found((MODEL, lacking)), {"_source": ["name"]}) == set()


def test_an_update_meanwhile_leaves_open_how_it_reads(watch: Watch) -> None:
    see(watch, "POST", f"{ML}/models/_register", {"task_id": "t", "status": "CREATED"}, REGISTRATION)
    see(watch, "PUT", f"{ML}/models/{MODEL}", {"result": "updated"}, {"name": "another"})
    task = {"task_type": "REGISTER_MODEL", "state": "COMPLETED", "model_id": MODEL}
    see(watch, "GET", f"{ML}/tasks/t", task)
    assert see(watch, "GET", f"{ML}/models/{MODEL}", READ | {"name": "another"}) == set()


@pytest.mark.parametrize(
    ("changes", "differs"),
    [({}, set()), ({"total_chunks": 2}, {"as-sent"}), ({"description": None}, set())],
)
def test_a_model_of_chunks_reads_with_what_the_last_one_leaves(
    watch: Watch, changes: dict[str, Any], differs: set[str]
) -> None:
    sent = {"name": "m", "description": "d", "total_chunks": 1, "model_content_size_in_bytes": 7}
    made = {"model_id": MODEL, "status": "CREATED"}
    see(watch, "POST", f"{ML}/models/_register_meta", made, sent)
    read = {name: value for name, value in {**READ, **changes}.items() if value is not None}
    assert see(watch, "GET", f"{ML}/models/{MODEL}", read) == differs


@pytest.mark.parametrize(
    ("chunk", "differs"),
    [
        ({"model_id": MODEL, "chunk_number": 0}, set()),
        ({"model_id": MODEL, "chunk_number": 1}, {"id"}),
        ({"model_id": MODEL, "chunk_number": "0"}, {"id"}),
        ({"chunk_number": 0}, {"id"}),
    ],
)
def test_the_id_of_a_chunk_is_made_of_its_model_and_its_number(
    watch: Watch, chunk: dict[str, Any], differs: set[str]
) -> None:
    assert see(watch, "POST", f"{ML}/models/_search", found((f"{MODEL}_0", chunk)), {}) == differs


@pytest.mark.parametrize(("number", "differs"), [(2, set()), (1, {"write-counts"})])
def test_each_write_to_a_thing_has_a_number_of_its_own(watch: Watch, number: int, differs: set[str]) -> None:
    see(watch, "GET", f"{ML}/models/{MODEL}", READ)
    see(watch, "PUT", f"{ML}/models/{MODEL}", {"result": "updated"}, {"description": "d"})
    body = found((MODEL, READ))
    body["hits"]["hits"][0]["_seq_no"] = number
    assert see(watch, "POST", f"{ML}/models/_search", body, {}) == differs


STATS = dict.fromkeys(("count", "min", "p50", "p90", "p99", "max", "average"), 1)


@pytest.mark.parametrize(("refused", "differs"), [(False, {"profile"}), (True, set())])
def test_what_answered_each_prediction_was_measured(watch: Watch, refused: bool, differs: set[str]) -> None:
    predict = f"{ML}/models/{MODEL}/_predict"
    see(watch, "POST", predict, {"inference_results": []}, {"text_docs": ["hello"]})
    if refused:
        see(watch, "POST", predict, {"error": "refused"}, {"text_docs": []}, status=400)
    model = {"predict_request_stats": STATS}
    profile = {"nodes": {"node": {"models": {MODEL: model}}}}
    assert see(watch, "GET", f"{ML}/profile/models/{MODEL}", profile) == differs


def test_a_sparse_model_answers_with_words(watch: Watch) -> None:
    body = {"inference_results": [{"output": [{"name": "output", "dataAsMap": {}}]}]}
    path = f"{ML}/_predict/sparse_encoding/{MODEL}"
    assert "predicted" in see(watch, "POST", path, body, {"text_docs": ["hello"]})


def test_a_task_is_found_as_it_reads(watch: Watch) -> None:
    see(watch, "POST", f"{ML}/models/_register", {"task_id": "t", "status": "CREATED"}, REGISTRATION)
    task = {"state": "FAILED", "error": "no file", "create_time": TIME, "last_update_time": TIME}
    see(watch, "GET", f"{ML}/tasks/t", task)
    for source, differs in ((task, set()), (task | {"error": "another"}, {"same-everywhere"})):
        assert see(watch, "GET", f"{ML}/tasks/_search", found(("t", source)), {}) - {"task"} == differs


SETTING = "plugins.ml_commons.trusted_connector_endpoints_regex"
ALL = "/_cluster/settings?flat_settings=true&include_defaults=true"


@pytest.mark.parametrize(
    ("defaults", "differs"),
    [
        ({SETTING: [".*"]}, set()),
        ({}, {"settings"}),
        ({SETTING: {"0": ".*"}}, {"settings"}),
        ([], {"settings"}),
    ],
)
def test_what_was_set_once_reads_among_the_defaults(watch: Watch, defaults: Any, differs: set[str]) -> None:
    for value in ([".*"], None):
        told = {"acknowledged": True, "persistent": {SETTING: value} if value else {}, "transient": {}}
        see(watch, "PUT", "/_cluster/settings", told, {"persistent": {SETTING: value}})
    body = {"persistent": {}, "transient": {}, "defaults": defaults}
    assert see(watch, "GET", ALL, body) == differs
