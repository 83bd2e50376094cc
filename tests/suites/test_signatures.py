"""What tells findings apart, and what must not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mlconform.conformance.contract.routes import Route, Routes
from mlconform.conformance.suites.signatures import of_exchange, of_text
from mlconform.conformance.targets.credentials import bearer
from mlconform.conformance.targets.exchange import Answer, Exchange, OutgoingRequest

ROUTES = Routes({"undeploy": Route("POST", "/_plugins/_ml/models/{model_id}/_undeploy")})


def exchange(path: str, status: int, answer: Any, sent: Any = None, method: str = "POST") -> Exchange:
    body = None if sent is None else json.dumps(sent).encode()
    request = OutgoingRequest(method, path, {}, body)
    answered = Answer(status, {}, json.dumps(answer).encode())
    return Exchange(request, answered, 0.0, "http://h", "osml.wire.json")


def fault(reason: str, kind: str = "null_pointer_exception") -> dict[str, Any]:
    return {"error": {"type": kind, "reason": reason}, "status": 500}


def test_an_error_is_told_by_operation_status_type_and_reason() -> None:
    met = exchange("/_plugins/_ml/models/abc/_undeploy", 500, fault("it is null"))
    told = "POST /_plugins/_ml/models/{model_id}/_undeploy: 500 null_pointer_exception: it is null"
    assert of_exchange(met, "no 5xx", ROUTES) == told


@pytest.mark.parametrize("rest", ["agents", "search pipelines"])
def test_json_that_breaks_off_is_one_finding_wherever_it_does(rest: str) -> None:
    met = exchange("/_plugins/_ml/models/abc/_undeploy", 409, None)
    answered = Answer(409, {}, f'{{"error":{{"reason":"1 {rest} are'.encode())
    told = "POST /_plugins/_ml/models/{model_id}/_undeploy: 409: a body that is not JSON to its end"
    assert of_exchange(replace(met, answer=answered), "JSON", ROUTES) == told


def test_a_path_that_no_operation_has_is_told_by_its_words() -> None:
    met = exchange("/_plugins/_ml/nope/Xy0?a=b", 500, fault("x"), method="GET")
    assert of_exchange(met, "no 5xx", ROUTES).startswith("GET /_plugins/_ml/nope/{id}: 500")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no model EWV7tZsBCKXXqNvdY2Fv", "no model FWV7tZsBCKXXqNvdY2Fw"),
        ("node uFUiZlIASYapUcOoT2nGGg left", "node 3TASWfXRTimvmmRzVkkuIg left"),
        ("took 30 ms at 3.5", "took 31 ms at 4"),
        ('because "<local5>" is null', 'because "<local26>" is null'),
        ("connect to 127.0.0.1:9200 failed", "connect to 127.0.0.1:41000 failed"),
        ("group mlconform-12ab34cd-gw0-group-7 is there", "group mlconform-99ab34cd-group-12 is there"),
    ],
)
def test_what_belongs_to_one_run_tells_nothing_apart(one: str, other: str) -> None:
    first, second = (exchange("/x", 500, fault(reason)) for reason in (one, other))
    assert of_exchange(first, "no 5xx", ROUTES) == of_exchange(second, "no 5xx", ROUTES)


def test_what_the_request_sent_tells_nothing_apart() -> None:
    found = {
        of_exchange(exchange("/x", 500, fault(f"no constant {kind}"), {"algorithm": kind}), "no 5xx", ROUTES)
        for kind in ("KMEANS", "ABACUS", "K", ":")
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    "other",
    [
        exchange("/x", 500, fault("it is null", "illegal_state_exception")),
        exchange("/x", 500, fault("it is no list")),
        exchange("/x", 503, fault("it is null")),
        exchange("/x/y", 500, fault("it is null")),
        exchange("/x", 500, fault("it is null"), method="PUT"),
    ],
)
def test_another_error_is_another_finding(other: Exchange) -> None:
    met = exchange("/x", 500, fault("it is null"))
    assert of_exchange(met, "no 5xx", ROUTES) != of_exchange(other, "no 5xx", ROUTES)


def test_a_success_that_should_have_been_another_is_told_by_what_was_expected() -> None:
    met = exchange("/x", 200, {"_version": 7})
    assert of_exchange(met, "a 4xx to POST /x", ROUTES) == "POST /x: a 4xx to POST /x"


def test_class_names_and_types_stay() -> None:
    told = of_text(
        "error.type with status_exception", "org.opensearch.ml.common.exception.MLValidationException"
    )
    assert told == (
        "error.type with status_exception; came org.opensearch.ml.common.exception.MLValidationException"
    )


def test_a_secret_that_a_server_repeats_is_no_part_of_it() -> None:
    bearer("planted-secret-1")
    told = of_text("an answer", "the token planted-secret-1 is wrong")
    assert "planted" not in told


def test_a_secret_within_what_the_request_sent_changes_nothing() -> None:
    sent = {"group": "planted-secret-2-group"}
    before = of_exchange(exchange("/x", 500, fault("empty for planted-secret-2-group"), sent), "", ROUTES)
    bearer("planted-secret-2")
    after = of_exchange(exchange("/x", 500, fault("empty for planted-secret-2-group"), sent), "", ROUTES)
    assert before == after


def test_a_long_text_is_cut() -> None:
    assert len(of_text("x" * 1000, "y")) == 240


@pytest.mark.parametrize("sent", ["E", ":", "ab", "𱸕"])
def test_what_was_sent_tells_nothing_apart_however_short(sent: str) -> None:
    met = exchange("/x", 500, fault(f"Model Group Response is empty for {sent}"), {"model_group_id": sent})
    assert of_exchange(met, "no 5xx", ROUTES).endswith(": Model Group Response is empty for *")
