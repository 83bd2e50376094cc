"""What every answer owes its client, whatever it says: RFC 9110, RFC 8259 and OpenSearch's envelope."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
            expect.see(
                "osml.wire.no-server-error",
                answered.status < 500,
                expected=f"no 5xx to {method} {path} with the body {raw!r}",
                came=answered.summary,
                exchange=answered,
            )


OUT_OF_RANGE = {**CONFIG, "embedding_dimension": 1 << 63}
NO_TEXTS: tuple[Any, ...] = ([], None)
# What is no list, and lists of what is no text.
BAD_GUARDRAILS = (
    {"regex": True},
    {"regex": [1]},
    {"stop_words": [None]},
    {"stop_words": [{"index_name": "mlconform-no-such-index", "source_fields": [1]}]},
)


def _with_what_fits_nothing(ml: MlCommons) -> Iterator[Exchange]:
    """Answers to requests with a value that its field can do nothing with."""
    model = ml.model()
    yield ml.undeploy_many({"model_ids": [""]})
    yield ml.undeploy_many({"model_ids": ["", UNKNOWN_ID]})
    for no_text in NO_TEXTS:
        yield ml.undeploy_many({"model_ids": [no_text]})
        yield ml.deploy(model, {"node_ids": [no_text]})
    for lists in BAD_GUARDRAILS:
        guardrails = {"type": "local_regex", "input_guardrail": lists}
        yield ml.update(model, {"guardrails": guardrails})
        yield _registered(ml, guardrails=guardrails)
    yield _registered(ml, interface=[])
    yield _registered(ml, backend_roles=[[]])
    yield _registered(ml, model_config=OUT_OF_RANGE)
    yield _registered(ml, model_group_id=UNKNOWN_ID)
    yield ml.update(model, {"model_config": OUT_OF_RANGE})
    yield ml.update(model, {"interface": []})
    yield ml.update(model, {"connector": {"description": "x"}})
    for method in ("POST", "PUT"):
        yield ml.session.request(method, f"{ML}/controllers/{model}", {"user_rate_limiter": []})
    yield ml.create_connector(ml.connector_body(parameters=[]))
    yield ml.register_group({"description": "no name"})
    for used in (model, ml.deployed_model()):
        yield ml.predict(used, {"parameters": ["no", "object"]})


def _registered(ml: MlCommons, **fields: Any) -> Exchange:
    return ml.register(ml.remote_body(**{"model_group_id": ml.group_id, **fields}))


@requirement("osml.wire.no-server-error")
def test_no_value_that_fits_nothing_is_a_server_error(ml: MlCommons, expect: Expect) -> None:
    for answered in _with_what_fits_nothing(ml):
        expect.see(
            "osml.wire.no-server-error",
            answered.status < 500,
            expected="no 5xx",
            came=answered.summary,
            exchange=answered,
        )


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
