"""How to decide what models answer, and what the server answers: stubs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from mlconform.mock_server.fixture import RunningMock, running_mock

ML = "/_plugins/_ml"
LOCAL = {"name": "near", "version": "1", "model_format": "TORCH_SCRIPT", "function_name": "TEXT_EMBEDDING"}
ACTION = {"action_type": "predict", "method": "POST", "url": "http://127.0.0.1:9/x"}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningMock]:
    with running_mock(nodes=1, progress="immediate") as mock:
        yield mock


@pytest.fixture
def mock(running: RunningMock) -> RunningMock:
    urllib3.request("POST", f"{running.url}/_mock/reset")
    return running


def ask(mock: RunningMock, method: str, path: str, body: Any = None) -> urllib3.BaseHTTPResponse:
    headers = {"content-type": "application/json"} if body is not None else {}
    content = None if body is None else json.dumps(body)
    return urllib3.request(method, mock.url + path, body=content, headers=headers, retries=False)


def model(mock: RunningMock, name: str) -> str:
    """Register a remote model with a connector of the name `to NAME`; gives its id."""
    action = {**ACTION, "request_body": '{"q": "${parameters.q}"}'}
    made = {"name": f"to {name}", "version": 1, "protocol": "http", "credential": {"k": "v"}}
    connector = ask(mock, "POST", f"{ML}/connectors/_create", {**made, "actions": [action]}).json()
    body = {"name": name, "function_name": "remote", "connector_id": connector["connector_id"]}
    return str(ask(mock, "POST", f"{ML}/models/_register", body).json()["model_id"])


def predict(mock: RunningMock, model_id: str, q: str = "hello") -> urllib3.BaseHTTPResponse:
    return ask(mock, "POST", f"{ML}/models/{model_id}/_predict", {"parameters": {"q": q}})


def output(answer: urllib3.BaseHTTPResponse) -> Any:
    return answer.json()["inference_results"][0]["output"][0]["dataAsMap"]


@pytest.mark.parametrize("named", [{"model": "first"}, {"model": "fir*"}, {"connector": "to first"}])
def test_one_model_answers_as_told_and_the_others_as_before(mock: RunningMock, named: dict[str, str]) -> None:
    first, other = model(mock, "first"), model(mock, "second")
    mock.predict({"told": 1}, **named)
    assert output(predict(mock, first)) == {"told": 1}
    assert "told" not in output(predict(mock, other))


def test_a_model_is_named_by_its_id_too(mock: RunningMock) -> None:
    first, second = model(mock, "same"), model(mock, "same")
    mock.predict({"told": 1}, model=second)
    assert "told" not in output(predict(mock, first))
    assert output(predict(mock, second)) == {"told": 1}


@pytest.mark.parametrize(
    "condition",
    [
        {"at": "$.parameters.q", "equals": "yes"},
        {"at": "$.parameters.q", "regex": "^y"},
        {"at": "$.parameters", "schema": {"properties": {"q": {"maxLength": 3}}}},
    ],
)
def test_the_input_decides(mock: RunningMock, condition: dict[str, Any]) -> None:
    one = model(mock, "m")
    mock.predict({"told": 1}, input=condition)
    assert output(predict(mock, one, "yes")) == {"told": 1}
    assert "told" not in output(predict(mock, one, "nope"))


def test_answers_come_in_their_order_and_the_last_one_stays(mock: RunningMock) -> None:
    one = model(mock, "m")
    mock.predict({"n": 1}, {"n": 2})
    assert [output(predict(mock, one))["n"] for _ in range(3)] == [1, 2, 2]


def test_a_stub_that_may_answer_so_often_leaves_the_rest_to_older_ones(mock: RunningMock) -> None:
    one = model(mock, "m")
    mock.predict({"n": "older"})
    mock.predict({"n": "newer"}, times=1)
    assert [output(predict(mock, one))["n"] for _ in range(2)] == ["newer", "older"]


def test_chance_is_repeated_by_its_seed(mock: RunningMock) -> None:
    one = model(mock, "m")
    answers = [{"answer": {"n": number}} for number in range(5)]

    def drawn(seed: int) -> list[int]:
        stubs = {"stubs": [{"order": "random", "answers": answers}], "seed": seed}
        ask(mock, "PUT", "/_mock/stubs", stubs)
        return [output(predict(mock, one))["n"] for _ in range(20)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_the_endpoint_may_fail_and_be_late(mock: RunningMock) -> None:
    one = model(mock, "m")
    mock.predict({"error": "busy"}, status=503, delay=0.2)
    began = time.monotonic()
    answer = predict(mock, one)
    assert time.monotonic() - began >= 0.2
    assert answer.status == 503
    assert answer.json()["error"]["reason"] == 'Error from remote service: {"error":"busy"}'


def test_a_model_on_the_nodes_answers_with_the_whole_of_it(mock: RunningMock) -> None:
    body = {**LOCAL, "name": "huggingface/sentence-transformers/all-MiniLM-L6-v2"}
    task = ask(mock, "POST", f"{ML}/models/_register?deploy=true", body).json()["task_id"]
    one = ask(mock, "GET", f"{ML}/tasks/{task}").json()["model_id"]
    mock.predict({"inference_results": []}, model=one)
    mock.predict("worn out", model=one, status=500, times=1)
    failed, answered = (
        ask(mock, "POST", f"{ML}/models/{one}/_predict", {"text_docs": ["a"]}) for _ in range(2)
    )
    assert (failed.status, failed.json()["error"]["reason"]) == (500, "worn out")
    assert answered.json() == {"inference_results": []}


def test_a_stub_of_a_request_answers_for_the_server(mock: RunningMock) -> None:
    mock.stub(
        {
            "method": "POST",
            "path": f"{ML}/_execute/*",
            "body": {"parameters": {"deep": {"a": 1}}},
            "answers": [{"answer": {"results": []}, "status": 207}],
        }
    )
    wanted = ask(mock, "POST", f"{ML}/_execute/x", {"parameters": {"deep": {"a": 1, "b": 2}}})
    assert (wanted.status, wanted.json()) == (207, {"results": []})
    assert ask(mock, "POST", f"{ML}/_execute/x", {"parameters": {}}).status == 501


def test_a_stub_of_a_request_may_stream(mock: RunningMock) -> None:
    chunks = ["data: one\n\n", "data: two\n\n"]
    streamed = {"chunks": chunks, "every": 0.2, "content_type": "text/event-stream"}
    mock.stub({"path": f"{ML}/models/*/_predict/stream", "answers": [streamed]})
    answer = urllib3.request("POST", f"{mock.url}{ML}/models/a/_predict/stream", preload_content=False)
    assert (answer.headers["transfer-encoding"], answer.headers["content-type"]) == (
        "chunked",
        "text/event-stream",
    )
    began = time.monotonic()
    parts = answer.read_chunked()
    assert next(parts).decode() == chunks[0]
    assert next(parts).decode() == chunks[1]
    assert time.monotonic() - began >= 0.15


def test_a_stub_suffers_the_faults_that_are_armed(mock: RunningMock) -> None:
    mock.stub({"path": "/x", "answers": [{"answer": "y"}]})
    ask(mock, "PUT", "/_mock/faults", {"faults": [{"kind": "status", "status": 418}]})
    assert ask(mock, "GET", "/x").status == 418


def test_stubs_are_listed_with_how_often_they_were_used_and_removed(mock: RunningMock) -> None:
    one = model(mock, "m")
    mock.predict({"told": 1})
    predict(mock, one)
    (listed,) = ask(mock, "GET", "/_mock/stubs").json()["stubs"]
    assert listed["used"] == 1
    assert ask(mock, "DELETE", "/_mock/stubs").json() == {"stubs": []}
    assert "told" not in output(predict(mock, one))


def test_verify_passes_where_such_requests_came_and_else_tells_which_did(mock: RunningMock) -> None:
    one = model(mock, "m")
    predict(mock, one, "yes")
    path = f"{ML}/models/*/_predict"
    mock.verify("POST", path, {"parameters": {"q": "yes"}}, times=1)
    assert [found["status"] for found in mock.requests("POST", path)] == [200]
    with pytest.raises(AssertionError, match=r"expected 2 of POST .*_predict, got 1 among\n(.|\n)*_create"):
        mock.verify("POST", path, times=2)
    with pytest.raises(AssertionError, match="expected at least one of DELETE"):
        mock.verify("DELETE")


@pytest.mark.parametrize(
    ("stub", "told"),
    [
        ("x", "expected an object for a stub, got 'x'"),
        ({"answers": []}, r"expected answers as a list with at least one, got \[\]"),
        ({"modell": "x", "answers": [{"answer": 1}]}, "a stub has no modell: there are model, connector"),
        ({"model": "x", "path": "y", "answers": [{"answer": 1}]}, "names members of both"),
        ({"model": 1, "answers": [{"answer": 1}]}, "expected a text as model, got 1"),
        ({"answers": [{}]}, "expected an answer or chunks"),
        ({"answers": [{"answer": 1, "status": 99}]}, "expected a status from 200 to 599, got 99"),
        ({"answers": [{"answer": 1, "delay": "x"}]}, "expected delay as seconds"),
        ({"answers": [{"answer": 1}], "times": 0}, "expected a whole number above zero as times, got 0"),
        ({"answers": [{"answer": 1}], "order": "x"}, "expected sequence or random as order, got 'x'"),
        ({"answers": [{"answer": 1}], "input": {"regex": "("}}, "expected a regular expression"),
        ({"answers": [{"answer": 1}], "input": {"schema": {"type": 1}}}, "expected a JSON Schema"),
        ({"answers": [{"answer": 1}], "input": {"at": "$"}}, "expected one of equals, regex, schema"),
        ({"answers": [{"chunks": ["a"], "every": -1}]}, "expected seconds from 0 to 3600 as every, got -1"),
        ({"model": "x", "answers": [{"chunks": ["a"]}]}, "a model's endpoint sends no chunks"),
    ],
)
def test_what_is_no_stub_is_refused_with_what_would_be(mock: RunningMock, stub: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        mock.stub(stub)
    assert ask(mock, "GET", "/_mock/stubs").json() == {"stubs": []}
