"""A refusal changes nothing, tells nothing of what it hides, and does nothing to the requests after it."""

from __future__ import annotations

from typing import Any

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.api import PREDICT_INPUT, MlCommons, model_path
from mlconform.conformance.suites.opensearch_ml.users import Users
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.users import Part

pytestmark = exclusive


def _state(users: Users, model: str) -> dict[str, Any]:
    read = users.acting(Part.ADMIN).get(model)
    return (
        {name: read.member(name) for name in ("description", "model_state", "name")}
        if read.status == 200
        else {}
    )


def _tries(ml: MlCommons, model: str) -> list[Exchange]:
    """What would change a deployed model."""
    return [
        ml.update(model, {"description": "changed by somebody who may not"}),
        ml.undeploy(model),
        ml.undeploy_many({"model_ids": [model]}),
        ml.delete(model),
    ]


@requirement("osml.access.refusal-changes-nothing")
def test_a_refusal_changes_nothing(users: Users, expect: Expect) -> None:
    users.control_models()
    model = users.model("private")
    users.acting(Part.OWNER).bring_up(model)
    before = _state(users, model)
    callers = [users.acting(part) for part in users.who_plays((Part.STRANGER, Part.READER, Part.NOBODY))]
    for ml in (*callers, users.anonymous(), users.impostor()):
        for answered in _tries(ml, model):
            if answered.status < 400:
                # That somebody is let in is for others to say.
                raise Untestable(f"a request that should be refused was not: {answered.summary}")
            after = _state(users, model)
            expect.that(
                "osml.access.refusal-changes-nothing",
                after == before,
                expected=f"the refused request changes nothing: the model is {before}",
                came=f"it is {after or 'gone'}",
                exchange=answered,
            )


@requirement("osml.access.refusal-tells-nothing")
def test_a_refusal_tells_nothing(users: Users, expect: Expect) -> None:
    """Neither by its text nor by a count: what the caller did not send stays unknown."""
    users.control_models()
    owner, stranger = users.acting(Part.OWNER), users.acting(Part.STRANGER)
    model = users.model("private")
    owner.await_found("model", model)
    read = owner.get(model)
    secrets = [str(read.member(name)) for name in ("name", "description", "model_group_id")]
    refusals = [
        stranger.get(model),
        stranger.deploy(model),
        *_tries(stranger, model),
        stranger.predict(model),
        stranger.session.request("POST", f"{ML}/_predict/remote/{model}", PREDICT_INPUT),
        stranger.session.request("POST", model_path(model, "/_batch_predict"), PREDICT_INPUT),
        stranger.get_group(secrets[2]),
    ]
    for answered in refusals:
        unsent = [secret for secret in secrets if secret not in answered.request.path]
        told = [secret for secret in unsent if secret in answered.text]
        expect.see(
            "osml.access.refusal-tells-nothing",
            not told,
            expected="a refusal without name, description or group of the model",
            came=answered.summary,
            exchange=answered,
        )
    counted = stranger.session.request(
        "POST", f"{ML}/models/_search", {"query": {"ids": {"values": [model]}}, "size": 0}
    )
    expect.see(
        "osml.access.refusal-tells-nothing",
        counted.member("hits", "total", "value") == 0,
        expected="hits.total.value 0 for a model that is hidden",
        came=counted.summary,
        exchange=counted,
    )


@requirement("osml.access.connection")
def test_a_refusal_leaves_its_connection_alone(users: Users, expect: Expect) -> None:
    """Each request can be understood by itself (RFC 9110, section 3.3), whatever came before it."""
    if not users.ml.session.transport.has_connections:
        raise Untestable("requests to a mock in this process have no connection that one could share")
    anonymous, own = users.anonymous().session, users.ml.session
    for number, path in enumerate((f"{ML}/no_such_path", f"{ML}/models/_register", f"{ML}/models/x/_deploy")):
        refused = anonymous.request("GET", path, connection=f"shared-{number}")
        answered = own.request("GET", f"{ML}/models/_search", connection=f"shared-{number}")
        expect.see(
            "osml.access.connection",
            answered.status != 401,
            expected=f"right credentials are accepted after a {refused.status} to a request without any",
            came=answered.summary,
            exchange=answered,
        )
