"""What is written through one node, read through each other one: pages get-model and, else, recordings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, needs, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML

SEVERAL = "several addresses"
# An index is refreshed once a second, each copy of it by itself.
REFRESH_BUDGET_SECONDS = 10.0


def through_others(ml: MlCommons) -> tuple[MlCommons, ...]:
    """The same operations through each other node."""
    return tuple(ml.on(session) for session in ml.session.at_other_nodes())


def read_the_same(ml: MlCommons, expect: Expect, name: str, read: Callable[[MlCommons], Exchange]) -> None:
    """Every other node answers a read as the first one does."""
    wanted = read(ml)
    for other in through_others(ml):
        came = read(other)
        expect.that(
            name,
            (came.status, came.json) == (wanted.status, wanted.json),
            expected="the answer of the node that it was written through",
            came=f"{came.summary} instead of {wanted.summary}",
            exchange=came,
        )


@needs(SEVERAL)
@requirement("osml.nodes.connector")
def test_a_connector(ml: MlCommons, expect: Expect) -> None:
    path = f"{ML}/connectors/{quote(ml.connector(), safe='')}"
    read_the_same(ml, expect, "osml.nodes.connector", lambda node: node.session.request("GET", path))


@needs(SEVERAL)
@requirement("osml.nodes.group")
def test_a_group(ml: MlCommons, expect: Expect) -> None:
    group = ml.group()
    read_the_same(ml, expect, "osml.nodes.group", lambda node: node.get_group(group))


@needs(SEVERAL)
@requirement("osml.nodes.model")
def test_a_model(ml: MlCommons, expect: Expect) -> None:
    name = "osml.nodes.model"
    model = ml.model()
    read_the_same(ml, expect, name, lambda node: node.get(model))
    ml.update(model, {"description": "told through one node"})
    read_the_same(ml, expect, name, lambda node: node.get(model))
    ml.delete(model)
    read_the_same(ml, expect, name, lambda node: node.get(model))


@needs(SEVERAL)
@requirement("osml.nodes.task")
def test_a_task(ml: MlCommons, expect: Expect) -> None:
    answered = ml.deploy(ml.model())
    ml.await_task(answered)
    read_the_same(ml, expect, "osml.nodes.task", lambda node: node.get_task(str(answered.member("task_id"))))


@needs(SEVERAL)
@requirement("osml.nodes.search")
def test_a_search(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    ml.await_found("model", model)
    wanted = _found(ml, model)
    for other in through_others(ml):
        settled = ml.session.settle(
            partial(_found, other, model), lambda found: found == wanted, budget=REFRESH_BUDGET_SECONDS
        )
        expect.settles("osml.nodes.search", settled, wanted, "what a search finds through another node")


@needs(SEVERAL)
@requirement("osml.nodes.profile")
def test_a_profile(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model()
    planned = sorted(ml.get(model).member("planning_worker_nodes") or [])
    wanted = dict.fromkeys(planned, planned)
    # A node hears of the others' models from the sync-up job.
    for node in (ml, *through_others(ml)):
        settled = ml.session.settle(partial(_workers, node, model), lambda told: told == wanted)
        expect.settles("osml.nodes.profile", settled, wanted, "worker nodes by the node that tells them")


@exclusive
@needs(SEVERAL)
@requirement("osml.nodes.predict")
def test_a_deployed_model_answers_everywhere(ml: MlCommons, expect: Expect) -> None:
    ml.set(AUTO_DEPLOY=False)
    model = ml.deployed_model()
    for node in (ml, *through_others(ml)):
        expect.accepted("osml.nodes.predict", node.predict(model))


@exclusive
@needs(SEVERAL)
@requirement("osml.nodes.undeploy")
def test_an_undeployed_model_answers_nowhere(ml: MlCommons, expect: Expect) -> None:
    ml.set(AUTO_DEPLOY=False)
    model = ml.deployed_model()
    ml.take_down(model)
    for node in (ml, *through_others(ml)):
        came = node.predict(model)
        expect.refused("osml.nodes.undeploy", came)


def _found(ml: MlCommons, model: str) -> list[Any]:
    """What a search for this model finds: each hit's id and source."""
    body = {"query": {"ids": {"values": [model]}}}
    hits = ml.session.request("POST", f"{ML}/models/_search", body).member("hits", "hits")
    return [(hit.get("_id"), hit.get("_source")) for hit in hits or () if isinstance(hit, dict)]


def _workers(ml: MlCommons, model: str) -> dict[str, list[str]]:
    """The nodes that have the model, by the node that tells so."""
    told = ml.session.request("GET", f"{ML}/profile/models/{quote(model, safe='')}").member("nodes") or {}
    return {
        node: sorted(part.get("models", {}).get(model, {}).get("worker_nodes", []))
        for node, part in told.items()
        if isinstance(part, dict)
    }
