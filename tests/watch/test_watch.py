"""The watch over every exchange: what it says of answers that are wrong, with the contract of 3.4."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.targets.exchange import Answer, Exchange, OutgoingRequest
from mlconform.conformance.targets.session import Facts
from mlconform.conformance.watch.watch import Watch

from .exchanges import ML, MODEL, NOW, differences

DELETED = {
    "_index": ".plugins-ml-model",
    "_id": MODEL,
    "_version": 2,
    "result": "deleted",
    "forced_refresh": True,
    "_shards": {"total": 1, "successful": 1, "failed": 0},
    "_seq_no": 7,
    "_primary_term": 1,
}


def see(
    watch: Watch, method: str, path: str, status: int, body: Any, sent: Any = None, **headers: str
) -> dict[str, str]:
    """What the watch says of this exchange: the expectation by the requirement that differs."""
    found = differences(watch, method, path, status, body, sent, **headers)
    return {each.requirement: each.expected for each in found}


def test_a_right_answer_is_no_difference(watch: Watch) -> None:
    assert see(watch, "DELETE", f"{ML}/models/{MODEL}", 200, DELETED) == {}


def test_it_says_what_it_decided(watch: Watch) -> None:
    request = OutgoingRequest("DELETE", f"{ML}/models/{MODEL}")
    answer = Answer(200, {"content-type": "application/json"}, json.dumps(DELETED).encode())
    watch.saw(Exchange(request, answer, 0.0, "http://h", "osml.wire.json"), racing=False)
    assert {"osml.delete.answer", "osml.relation.id"} <= watch.take().decided
    assert watch.take().decided == frozenset()


@pytest.mark.parametrize("member", DELETED)
def test_a_member_that_is_left_out_is_named(watch: Watch, member: str) -> None:
    body = {name: value for name, value in DELETED.items() if name != member}
    found = see(watch, "DELETE", f"{ML}/models/{MODEL}", 200, body)
    assert {"osml.delete.answer", "osml.wire.recorded-answer"} & found.keys()
    assert any(member in expected for expected in found.values())


@pytest.mark.parametrize("body", [[], "text", 7, None, [DELETED]])
def test_an_answer_of_another_form_is_a_difference(watch: Watch, body: Any) -> None:
    assert "osml.delete.answer" in see(watch, "DELETE", f"{ML}/models/{MODEL}", 200, body)


def test_another_id_is_a_difference(watch: Watch) -> None:
    assert "osml.relation.id" in see(watch, "DELETE", f"{ML}/models/another", 200, DELETED)


@pytest.mark.parametrize(("told", "differs"), [({}, True), ({"chunk_number": 0}, False)])
def test_only_a_chunk_is_found_with_the_id_of_its_model(
    watch: Watch, told: dict[str, Any], differs: bool
) -> None:
    hit = {"_index": "i", "_id": f"{MODEL}_0", "_source": {"model_id": MODEL, "name": "n", **told}}
    found = see(watch, "POST", f"{ML}/models/_search", 200, {"hits": {"hits": [hit]}})
    assert ("osml.relation.id" in found) == differs


@pytest.mark.parametrize(("found", "different"), [([], False), ([{}], True)], ids=["nothing", "something"])
def test_a_search_that_has_nowhere_to_look_finds_nothing(
    watch: Watch, found: list[Any], different: bool
) -> None:
    none = {"total": 0, "successful": 0, "skipped": 0, "failed": 0}
    hits = {"total": {"value": 0, "relation": "eq"}, "max_score": 0.0, "hits": found}
    body = {"took": 1, "timed_out": False, "_shards": none, "hits": hits}
    seen = see(watch, "POST", f"{ML}/models/_search", 200, body)
    assert ("osml.relation.shards" in seen) is different


def test_shards_that_do_not_add_up_are_a_difference(watch: Watch) -> None:
    body = DELETED | {"_shards": {"total": 1, "successful": 2, "failed": 0}}
    assert "osml.relation.shards" in see(watch, "DELETE", f"{ML}/models/{MODEL}", 200, body)


@pytest.mark.parametrize(("nodes", "total", "differs"), [(1, 2, True), (3, 3, False), (3, 4, True)])
def test_copies_come_and_go_with_several_nodes_alone(
    contract: Contract, nodes: int, total: int, differs: bool
) -> None:
    facts = Facts("opensearch-ml", "opensearch", "3.4.0", tuple(f"node-{number}" for number in range(nodes)))
    watch = Watch(contract, facts, lambda _: True, lambda: NOW)
    see(watch, "DELETE", f"{ML}/models/{MODEL}", 200, DELETED)
    after = DELETED | {
        "_seq_no": 8,
        "_id": "other",
        "_shards": {"total": total, "successful": 1, "failed": 0},
    }
    assert ("osml.relation.shards" in see(watch, "DELETE", f"{ML}/models/other", 200, after)) is differs


def test_a_sequence_number_that_does_not_grow_is_a_difference(watch: Watch) -> None:
    see(watch, "DELETE", f"{ML}/models/{MODEL}", 200, DELETED)
    found = see(watch, "DELETE", f"{ML}/models/b", 200, DELETED | {"_id": "b"})
    assert "osml.relation.write-counts" in found


def test_what_was_deleted_and_is_read_is_a_difference(watch: Watch) -> None:
    see(watch, "DELETE", f"{ML}/models/{MODEL}", 200, DELETED)
    read = {"name": "m", "algorithm": "REMOTE", "model_version": "1", "model_state": "REGISTERED"}
    assert "osml.relation.done" in see(watch, "GET", f"{ML}/models/{MODEL}", 200, read)


def test_what_was_made_reads_as_it_was_sent(watch: Watch) -> None:
    group = {"model_group_id": MODEL, "status": "CREATED"}
    see(watch, "POST", f"{ML}/model_groups/_register", 200, group, {"name": "g", "description": "d"})
    read = {"name": "g", "latest_version": 0, "description": "another", "access": "public"}
    times = {"created_time": int(NOW * 1000), "last_updated_time": int(NOW * 1000)}
    found = see(watch, "GET", f"{ML}/model_groups/{MODEL}", 200, read | times)
    assert "`description`" in found["osml.relation.as-sent"]


@pytest.mark.parametrize("ahead", [2, 40 * 24 * 3600])
def test_a_time_in_the_future_is_a_difference(watch: Watch, ahead: int) -> None:
    late = int((NOW + ahead) * 1000)
    read = {"name": "g", "latest_version": 0, "access": "public", "created_time": late}
    found = see(watch, "GET", f"{ML}/model_groups/g", 200, read | {"last_updated_time": late})
    assert ("osml.relation.times" in found) == (ahead > 3600)


ERROR = {"type": "status_exception", "reason": "Failed to find model"}


def test_the_status_of_an_error_is_told_twice(watch: Watch) -> None:
    body = {"error": {"root_cause": [ERROR], **ERROR}, "status": 400}
    assert "osml.wire.error-envelope" in see(watch, "GET", f"{ML}/models/m", 404, body)


def test_a_root_cause_of_its_own_is_a_difference(watch: Watch) -> None:
    body = {"error": {"root_cause": [ERROR | {"reason": "another"}], **ERROR}, "status": 404}
    assert "osml.relation.root-cause" in see(watch, "GET", f"{ML}/models/m", 404, body)


@pytest.mark.parametrize(
    "leak",
    [
        "at org.opensearch.ml.Action.run(Action.java:42)",
        "class org.opensearch.ml.common.FunctionName",
        "/usr/share/opensearch/config/opensearch.keystore",
    ],
)
def test_an_error_that_leaks_is_a_difference(watch: Watch, leak: str) -> None:
    error = {"type": "status_exception", "reason": leak}
    body = {"error": {"root_cause": [error], **error}, "status": 404}
    assert "osml.wire.no-leak" in see(watch, "GET", f"{ML}/models/m", 404, body)


def test_a_body_that_is_longer_than_declared_is_a_difference(watch: Watch) -> None:
    headers = {"content-length": "3"}
    assert "osml.wire.json" in see(watch, "DELETE", f"{ML}/models/{MODEL}", 200, DELETED, **headers)


def test_two_documents_are_a_difference(watch: Watch) -> None:
    assert "osml.wire.json" in see(watch, "GET", f"{ML}/models/m", 404, b"{}{}")


REFUSAL = {"error": {"root_cause": [{"type": "t", "reason": "in use"}], "type": "t", "reason": "in use"}}


def spoilt(watch: Watch, method: str = "DELETE") -> tuple[str, tuple[str, ...]]:
    """What the watch says of a read with the text of a refusal, after a request that was refused: signature,
    and the methods of what it shows."""
    refusal = json.dumps({**REFUSAL, "status": 409}, separators=(",", ":")).encode()
    told = {"content-type": "application/json"}
    for way, status, body in ((method, 409, refusal), ("GET", 200, refusal + b'status":0}')):
        sent = OutgoingRequest(way, f"{ML}/models/{MODEL}")
        watch.saw(Exchange(sent, Answer(status, told, body), 0.0, "http://h", "osml.wire.json"), racing=False)
    watched = watch.take()
    (found,) = (each for each in watched.differences if each.requirement == "osml.wire.json")
    return found.signature, tuple(each.request.method for each in watched.met)[-2:]


def test_the_text_of_a_refusal_in_another_answer_is_told_of_what_was_refused(watch: Watch) -> None:
    signature = "DELETE /_plugins/_ml/models/{model_id}: a refusal that is written into no other answer"
    assert spoilt(watch) == (signature, ("DELETE", "GET"))


def test_a_refused_read_writes_into_no_answer(watch: Watch) -> None:
    signature = "GET /_plugins/_ml/models/{model_id}: a body that is JSON to its end"
    assert spoilt(watch, "GET")[0] == signature


def test_more_hits_than_counted_are_a_difference(watch: Watch) -> None:
    hits = {"total": {"value": 3, "relation": "eq"}, "max_score": None, "hits": []}
    shards = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
    body = {"took": 1, "timed_out": False, "_shards": shards, "hits": hits}
    assert "osml.relation.hits" in see(watch, "POST", f"{ML}/models/_search", 200, body, {"size": 10})
    assert "osml.relation.hits" not in see(watch, "POST", f"{ML}/models/_search", 200, body, {"size": 0})


TASK = {
    "task_type": "REGISTER_MODEL",
    "function_name": "REMOTE",
    "worker_node": ["node"],
    "create_time": int(NOW * 1000),
    "last_update_time": int(NOW * 1000),
    "is_async": False,
}


@pytest.mark.parametrize(("state", "differs"), [("CREATED", False), ("COMPLETED", True)])
def test_a_task_names_its_model_once_it_completed(watch: Watch, state: str, differs: bool) -> None:
    made = {"task_id": "t", "status": "CREATED", "model_id": MODEL}
    see(watch, "POST", f"{ML}/models/_register", 200, made, {"name": "m", "function_name": "remote"})
    found = see(watch, "GET", f"{ML}/tasks/t", 200, {**TASK, "state": state})
    assert ("osml.relation.task" in found) == differs
    assert "osml.wire.recorded-answer" not in found


@pytest.mark.parametrize(("told", "differs"), [("a-long-credential", True), ("another", False)])
def test_an_error_that_tells_a_credential_is_a_difference(watch: Watch, told: str, differs: bool) -> None:
    made = {"name": "c", "credential": {"key": "a-long-credential"}}
    see(watch, "POST", f"{ML}/connectors/_create", 200, {"connector_id": MODEL}, made)
    error = {"type": "status_exception", "reason": f"refused with Bearer {told}"}
    body = {"error": {"root_cause": [error], **error}, "status": 404}
    assert ("osml.wire.no-leak" in see(watch, "GET", f"{ML}/models/m", 404, body)) == differs


@pytest.mark.parametrize(
    ("numbers", "shards", "differs"), [((4, 4), 1, True), ((4, 5), 1, False), ((4, 4), 2, False)]
)
def test_two_hits_of_one_shard_have_not_the_same_number(
    watch: Watch, numbers: tuple[int, int], shards: int, differs: bool
) -> None:
    listed = [
        {"_index": "i", "_id": str(place), "_score": 1.0, "_version": 1, "_seq_no": number, "_source": {}}
        for place, number in enumerate(numbers)
    ]
    counts = {"total": shards, "successful": shards, "skipped": 0, "failed": 0}
    hits = {"total": {"value": 2, "relation": "eq"}, "max_score": 1.0, "hits": listed}
    body = {"took": 1, "timed_out": False, "_shards": counts, "hits": hits}
    found = see(watch, "POST", f"{ML}/models/_search", 200, body)
    assert ("osml.relation.write-counts" in found) is differs


def hits_of(version: int, description: str, written: int) -> dict[str, Any]:
    group = {"name": "g", "latest_version": 0, "access": "public", "description": description}
    times = {"created_time": int(NOW * 1000), "last_updated_time": written}
    hit = {
        "_index": ".plugins-ml-model-group",
        "_id": MODEL,
        "_version": version,
        "_seq_no": version,
        "_primary_term": 1,
        "_score": 1.0,
        "_source": group | times,
    }
    shards = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
    hits = {"total": {"value": 1, "relation": "eq"}, "max_score": 1.0, "hits": [hit]}
    return {"took": 1, "timed_out": False, "_shards": shards, "hits": hits}


@pytest.mark.parametrize(
    ("version", "description", "found"),
    [
        (2, "new", set()),
        (2, "old", {"osml.relation.same-everywhere"}),
        (1, "old", set()),
        (3, "new", {"osml.relation.write-counts"}),
    ],
)
def test_a_search_may_show_what_was_before_the_last_write(
    watch: Watch, version: int, description: str, found: set[str]
) -> None:
    group = {"model_group_id": MODEL, "status": "CREATED"}
    see(watch, "POST", f"{ML}/model_groups/_register", 200, group, {"name": "g", "description": "old"})
    see(watch, "PUT", f"{ML}/model_groups/{MODEL}", 200, {"status": "Updated"}, {"description": "new"})
    # A node may keep the time of the group's making.
    written = int(NOW * 1000)
    read = hits_of(2, "new", written)["hits"]["hits"][0]["_source"]
    see(watch, "GET", f"{ML}/model_groups/{MODEL}", 200, read)
    body = hits_of(version, description, written)
    assert see(watch, "POST", f"{ML}/model_groups/_search", 200, body, {}).keys() == found


STATS = {"count": 2, "min": 1.0, "p50": 1.5, "p90": 1.9, "p99": 1.99, "max": 2.0, "average": 1.5}


@pytest.mark.parametrize(
    ("stats", "differs"),
    [
        (STATS, False),
        (dict.fromkeys(STATS, 3.0) | {"count": 1}, False),
        (dict.fromkeys(STATS, 3.0) | {"count": 1, "min": 0.0}, True),
        (STATS | {"min": 0.0}, True),
        (STATS | {"max": 0.0}, True),
        (STATS | {"count": 3}, False),
        (STATS | {"p90": "1.9"}, True),
        (STATS | {"count": 0}, True),
        ({name: value for name, value in STATS.items() if name != "p99"}, True),
    ],
)
def test_statistics_of_a_profile_agree(watch: Watch, stats: Any, differs: bool) -> None:
    profile = {"nodes": {"node": {"models": {MODEL: {"predict_request_stats": stats}}}}}
    found = see(watch, "GET", f"{ML}/profile/models/{MODEL}", 200, profile)
    assert ("osml.relation.profile" in found) == differs


@pytest.mark.parametrize(("weight", "differs"), [(0.5, False), (0, True), ("0.5", True)])
def test_a_sparse_model_weighs_words(watch: Watch, weight: Any, differs: bool) -> None:
    output = {"name": "output", "dataAsMap": {"response": [{"hello": weight}]}}
    body = {"inference_results": [{"output": [output]}]}
    path = f"{ML}/_predict/sparse_encoding/{MODEL}"
    found = see(watch, "POST", path, 200, body, {"text_docs": ["hello"]})
    assert ("osml.relation.predicted" in found) == differs


@pytest.mark.parametrize("scope", ["persistent", "transient"])
def test_a_scope_of_settings_that_is_left_out_is_a_difference(watch: Watch, scope: str) -> None:
    body = {"persistent": {}, "transient": {}, "defaults": {}}
    assert "osml.relation.settings" not in see(watch, "GET", "/_cluster/settings", 200, body)
    del body[scope]
    assert "osml.relation.settings" in see(watch, "GET", "/_cluster/settings", 200, body)


def test_a_time_that_is_a_text_is_a_difference(watch: Watch) -> None:
    body = hits_of(1, "d", int(NOW * 1000))
    body["hits"]["hits"][0]["_source"]["last_updated_time"] = str(int(NOW * 1000))
    found = see(watch, "GET", f"{ML}/model_groups/_search", 200, body)
    assert "osml.relation.times" in found


def test_a_flag_that_reads_as_a_text_is_a_difference(watch: Watch) -> None:
    made = {"task_id": "t", "status": "CREATED", "model_id": MODEL}
    sent = {"name": "m", "function_name": "remote", "is_enabled": True}
    see(watch, "POST", f"{ML}/models/_register", 200, made, sent)
    read = {"name": "m", "algorithm": "REMOTE", "model_version": "1", "model_state": "REGISTERED"}
    for told, differs in ((True, False), ("true", True)):
        found = see(watch, "GET", f"{ML}/models/{MODEL}", 200, read | {"is_enabled": told})
        assert ("osml.relation.as-sent" in found) == differs


def test_the_flag_of_a_controller_may_come_later_but_not_be_another(watch: Watch) -> None:
    made = {"task_id": "t", "status": "CREATED", "model_id": MODEL}
    see(watch, "POST", f"{ML}/models/_register", 200, made, {"name": "m", "function_name": "remote"})
    limits = {"user_rate_limiter": {"user": {"limit": 4, "unit": "MINUTES"}}}
    see(watch, "POST", f"{ML}/controllers/{MODEL}", 200, {"model_id": MODEL, "status": "CREATED"}, limits)
    read = {"name": "m", "algorithm": "REMOTE", "model_version": "1", "model_state": "REGISTERED"}
    for told, differs in (({}, False), ({"is_controller_enabled": False}, True)):
        found = see(watch, "GET", f"{ML}/models/{MODEL}", 200, read | told)
        assert ("osml.relation.as-sent" in found) == differs


def test_a_read_that_repeats_is_looked_at_once_until_something_is_written(watch: Watch) -> None:
    wrong = Answer(200, {"content-type": "application/json"}, b'{"name": 7}')
    read = Exchange(OutgoingRequest("GET", f"{ML}/models/{MODEL}"), wrong, 0.0, "http://h", "osml.wire.json")
    write = Exchange(OutgoingRequest("DELETE", "/i"), Answer(200, {}, b""), 0.0, "http://h", "osml.wire.json")
    told = []
    for exchange in (read, read, write, read):
        watch.saw(exchange, racing=False)
        told.append(len(watch.differences))
    first = told[0]
    assert told == [first, first, first, 2 * first]
    assert first > 0


def test_a_read_in_a_race_is_always_looked_at(watch: Watch) -> None:
    wrong = Answer(200, {"content-type": "application/json"}, b'{"name": 7}')
    read = Exchange(OutgoingRequest("GET", f"{ML}/models/{MODEL}"), wrong, 0.0, "http://h", "osml.wire.json")
    watch.saw(read, racing=True)
    first = len(watch.differences)
    watch.saw(read, racing=True)
    assert len(watch.differences) == 2 * first > 0
