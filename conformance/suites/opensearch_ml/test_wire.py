"""What every answer owes its client, whatever it says: RFC 9110, RFC 8259 and OpenSearch's envelope."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons, model_path
from mlconform.conformance.suites.opensearch_ml.local_models import CONFIG
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML

# Bodies that are mistakes of a client, whatever the operation.
BAD_BODIES = (b"", b"{", b"[]", b'"x"', b"nonsense", b"\xff\xfe", b"null", b"0", b"{}" * 2)


def _one_of_each(ml: MlCommons) -> Iterator[Exchange]:
    """Answers of many kinds: writes, reads, searches and refusals."""
    model = ml.deployed_model()
    yield ml.get(model)
    yield ml.predict(model)
    yield ml.undeploy(model)
    yield ml.update(model, {"description": "changed"})
    yield ml.session.request("POST", f"{ML}/models/_search", {"query": {"match_all": {}}, "size": 1})
    yield ml.delete(model)
    yield ml.get(UNKNOWN_ID)
    yield ml.deploy(UNKNOWN_ID)
    yield ml.session.request("GET", f"{ML}/nope")
    yield ml.session.request("PUT", model_path(UNKNOWN_ID, "/_deploy"))


@requirement("osml.wire.json")
def test_every_body_is_json_to_its_end(ml: MlCommons, expect: Expect) -> None:
    for answered in _one_of_each(ml):
        expect.that(
            "osml.wire.json",
            isinstance(answered.json, dict),
            expected="a body that is a JSON object",
            came=answered.summary,
            exchange=answered,
        )


@requirement("osml.wire.content-type")
def test_the_content_type_is_true(ml: MlCommons, expect: Expect) -> None:
    for answered in _one_of_each(ml):
        expect.that(
            "osml.wire.content-type",
            answered.content_type.partition(";")[0].strip().lower() == "application/json",
            expected="content-type application/json with a body of JSON",
            came=f"{answered.content_type!r}: {answered.summary}",
        )


def _see_no_fault(expect: Expect, answered: Exchange, expected: str) -> None:
    expect.see(
        "osml.wire.no-server-error",
        answered.status < 500,
        expected=expected,
        came=answered.summary,
        exchange=answered,
    )


@requirement("osml.wire.no-server-error")
def test_no_bad_body_is_a_server_error(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    # The deploy last: some of these it takes.
    for method, path in (
        ("POST", f"{ML}/connectors/_create"),
        ("POST", f"{ML}/models/_register"),
        ("POST", f"{ML}/models/_undeploy"),
        ("POST", model_path(model, "/_predict")),
        ("PUT", model_path(model)),
        ("POST", model_path(model, "/_deploy")),
    ):
        for raw in BAD_BODIES:
            answered = ml.session.request(method, path, raw=raw)
            _see_no_fault(expect, answered, f"no 5xx to {method} {path} with the body {raw!r}")


OUT_OF_RANGE = {**CONFIG, "embedding_dimension": 1 << 63}
NO_TEXTS: tuple[Any, ...] = ([], None)
# What is no list, and lists of what is no text.
BAD_GUARDRAILS = [
    {"type": "local_regex", "input_guardrail": lists}
    for lists in (
        {"regex": True},
        {"regex": [1]},
        {"stop_words": [None]},
        {"stop_words": [{"index_name": "mlconform-no-such-index", "source_fields": [1]}]},
    )
]


def _undeploys(ml: MlCommons) -> Iterator[Exchange]:
    for ids in ([""], ["", UNKNOWN_ID], *([no_text] for no_text in NO_TEXTS)):
        yield ml.undeploy_many({"model_ids": ids})


def _deploys(ml: MlCommons) -> Iterator[Exchange]:
    model = ml.model()
    for no_text in NO_TEXTS:
        yield ml.deploy(model, {"node_ids": [no_text]})


def _registrations(ml: MlCommons) -> Iterator[Exchange]:
    of_no_use: tuple[Mapping[str, Any], ...] = (
        *({"guardrails": guardrails} for guardrails in BAD_GUARDRAILS),
        {"interface": []},
        {"backend_roles": [[]]},
        {"model_config": OUT_OF_RANGE},
        {"model_group_id": UNKNOWN_ID},
    )
    for fields in of_no_use:
        yield ml.register(ml.remote_body(**{"model_group_id": ml.group_id, **fields}))


def _updates(ml: MlCommons) -> Iterator[Exchange]:
    model = ml.model()
    for body in (
        *({"guardrails": guardrails} for guardrails in BAD_GUARDRAILS),
        {"interface": []},
        {"model_config": OUT_OF_RANGE},
        {"connector": {"description": "x"}},
    ):
        yield ml.update(model, body)


def _controllers(ml: MlCommons) -> Iterator[Exchange]:
    path = f"{ML}/controllers/{ml.model()}"
    for method in ("POST", "PUT"):
        yield ml.session.request(method, path, {"user_rate_limiter": []})


def _creations(ml: MlCommons) -> Iterator[Exchange]:
    yield ml.create_connector(ml.connector_body(parameters=[]))
    yield ml.register_group({"description": "no name"})


def _predict_calls(ml: MlCommons) -> Iterator[Exchange]:
    for model in (ml.model(), ml.deployed_model()):
        yield ml.predict(model, {"parameters": ["no", "object"]})


@pytest.mark.parametrize(
    "ask", [_undeploys, _deploys, _registrations, _updates, _controllers, _creations, _predict_calls]
)
@requirement("osml.wire.no-server-error")
def test_no_value_that_fits_nothing_is_a_server_error(
    ml: MlCommons, expect: Expect, ask: Callable[[MlCommons], Iterator[Exchange]]
) -> None:
    """Of a value that its field can do nothing with; those of one operation together, so that what a finding
    shows is short."""
    for answered in ask(ml):
        _see_no_fault(expect, answered, "no 5xx")


@requirement("osml.wire.error-envelope")
def test_the_envelope_of_an_error(ml: MlCommons, expect: Expect) -> None:
    for answered in (ml.get(UNKNOWN_ID), ml.undeploy_many({}), ml.register({})):
        expect.members(
            "osml.wire.error-envelope", answered.json, {"error": dict, "status": int}, "the answer"
        )
        expect.equal("osml.wire.error-envelope", answered.member("status"), answered.status, "status")
        error = answered.member("error")
        kinds = {"root_cause": list, "type": str, "reason": str}
        expect.members("osml.wire.error-envelope", error, kinds, "error")


@requirement("osml.wire.unknown-route")
def test_an_unknown_route(ml: MlCommons, expect: Expect) -> None:
    answered = ml.session.request("GET", f"{ML}/nope")
    expect.status("osml.wire.unknown-route", answered, 400)
    text = str(answered.member("error"))
    expect.that(
        "osml.wire.unknown-route",
        text.startswith("no handler found for uri"),
        expected="error: no handler found for uri ...",
        came=answered.summary,
        exchange=answered,
    )


@requirement("osml.wire.wrong-method")
def test_a_wrong_method(ml: MlCommons, expect: Expect) -> None:
    answered = ml.session.request("GET", model_path(UNKNOWN_ID, "/_deploy"))
    expect.status("osml.wire.wrong-method", answered, 405)
    expect.that(
        "osml.wire.wrong-method",
        "allowed: [POST]" in str(answered.member("error")),
        expected="an error that tells the allowed methods: [POST]",
        came=answered.summary,
        exchange=answered,
    )


@requirement("osml.wire.unknown-parameter")
def test_an_unknown_query_parameter(ml: MlCommons, expect: Expect) -> None:
    answered = ml.session.request("GET", model_path(UNKNOWN_ID) + "?bogus=1")
    expect.error("osml.wire.unknown-parameter", answered, 400, "contains unrecognized parameter: [bogus]")


@requirement("osml.wire.bad-json")
def test_bad_json(ml: MlCommons, expect: Expect) -> None:
    answered = ml.session.request("POST", model_path(ml.model(), "/_deploy"), raw=b"{")
    expect.error("osml.wire.bad-json", answered, 400, "Unexpected end-of-input")


@requirement("osml.wire.media-type")
def test_an_unsupported_media_type(ml: MlCommons, expect: Expect) -> None:
    path = model_path(ml.model())
    answered = ml.session.request("PUT", path, raw=b'{"description": "x"}', content_type="text/plain")
    expect.status("osml.wire.media-type", answered, 406)
