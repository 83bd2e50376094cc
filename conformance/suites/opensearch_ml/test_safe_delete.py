"""Deleting a model that something still uses: page delete-model, its second part."""

from __future__ import annotations

from functools import partial

from mlconform.conformance.suites.expect import KEPT_APART, Expect
from mlconform.conformance.suites.explore import Explore
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets.exchange import Exchange

KINDS = ("ingest pipeline", "search pipeline", "agent")
HEALTH = "/_cluster/health"
# A recorded cluster noticed after 0.2 s that a node had left, and had it back 2.4 s later.
PARTED_SECONDS = 1.0


def _refused(ml: MlCommons, kind: str) -> tuple[Exchange, str, str]:
    """With safe delete on, the answer to deleting a model that this kind uses: (answer, model, user)."""
    ml.set(SAFE_DELETE=True)
    model = ml.model()
    user = ml.user_of(kind, model)
    return ml.delete(model), model, user


@exclusive
@requirement("osml.delete.safe.default")
def test_protection_is_off_by_default(ml: MlCommons, expect: Expect) -> None:
    ml.set(SAFE_DELETE=None)
    model = ml.model()
    ml.user_of("ingest pipeline", model)
    expect.accepted("osml.delete.safe.default", ml.delete(model))


@exclusive
@requirement("osml.delete.safe.ingest-pipeline")
def test_an_ingest_pipeline_keeps_its_model(ml: MlCommons, expect: Expect) -> None:
    answered, model, _ = _refused(ml, "ingest pipeline")
    expect.status("osml.delete.safe.ingest-pipeline", answered, 409)
    expect.status("osml.delete.safe.ingest-pipeline", ml.get(model), 200)


@exclusive
@requirement("osml.delete.safe.search-pipeline")
def test_a_search_pipeline_keeps_its_model(ml: MlCommons, expect: Expect) -> None:
    answered, model, _ = _refused(ml, "search pipeline")
    expect.status("osml.delete.safe.search-pipeline", answered, 409)
    expect.status("osml.delete.safe.search-pipeline", ml.get(model), 200)


@exclusive
@requirement("osml.delete.safe.agent")
def test_an_agent_keeps_its_model(ml: MlCommons, expect: Expect) -> None:
    answered, model, _ = _refused(ml, "agent")
    expect.status("osml.delete.safe.agent", answered, 409)
    expect.status("osml.delete.safe.agent", ml.get(model), 200)


@exclusive
@requirement("osml.delete.safe.conflict")
def test_the_envelope_of_the_conflict(ml: MlCommons, expect: Expect) -> None:
    answered, _, _ = _refused(ml, "ingest pipeline")
    expect.members("osml.delete.safe.conflict", answered.json, {"error": dict, "status": int}, "the answer")
    expect.equal("osml.delete.safe.conflict", answered.member("status"), 409, "status")
    error = answered.member("error")
    expect.members(
        "osml.delete.safe.conflict", error, {"root_cause": list, "type": str, "reason": str}, "error"
    )
    expect.equal("osml.delete.safe.conflict", error["type"], "status_exception", "error.type")
    causes = error["root_cause"]
    cause = causes[0] if causes else None
    expect.members("osml.delete.safe.conflict", cause, {"type": str, "reason": str}, "error.root_cause[0]")


@exclusive
@requirement("osml.delete.safe.reason")
def test_the_reason_counts_and_names_the_pipelines(ml: MlCommons, expect: Expect) -> None:
    answered, _, pipeline = _refused(ml, "ingest pipeline")
    reason = (
        "1 ingest pipelines are still using this model, "
        f"please delete or update the pipelines first: [{pipeline}]"
    )
    expect.equal("osml.delete.safe.reason", answered.member("error", "reason"), reason, "error.reason")


@exclusive
@requirement("osml.delete.safe.names-user")
def test_the_conflict_names_the_user(ml: MlCommons, expect: Expect) -> None:
    for kind in KINDS:
        answered, _, user = _refused(ml, kind)
        reason = str(answered.member("error", "reason"))
        expect.that(
            "osml.delete.safe.names-user",
            user in reason,
            expected=f"error.reason that names the {kind} {user}",
            came=answered.summary,
            exchange=answered,
        )


@exclusive
@requirement("osml.delete.two-pipelines")
def test_two_pipelines_are_counted_and_named(ml: MlCommons, expect: Expect) -> None:
    _, model, first = _refused(ml, "ingest pipeline")
    second = ml.user_of("ingest pipeline", model)
    answered = ml.delete(model)
    expect.error("osml.delete.two-pipelines", answered, 409, "2 ingest pipelines are still using this model")
    reason = str(answered.member("error", "reason"))
    expect.that(
        "osml.delete.two-pipelines",
        first in reason and second in reason,
        expected=f"error.reason that names {first} and {second}",
        came=reason,
    )


@exclusive
@requirement("osml.delete.safe.several-kinds", "osml.wire.json")
def test_users_of_several_kinds_give_one_whole_conflict(
    ml: MlCommons, expect: Expect, explore: Explore
) -> None:
    """What a second refusal does is chance: it is written into this answer, into the next, whoever asked, or
    into what one node tells another, which then parts from it. The first that shows ends the tries."""
    ml.set(SAFE_DELETE=True)
    model = ml.model()
    users = [ml.user_of(kind, model) for kind in KINDS]
    for _ in explore.by_chance(expect):
        answered, read = ml.delete(model), ml.get(model)
        names_one = answered.json_problem is None and any(user in answered.text for user in users)
        # Nodes that part fail to search for agents, or find no model.
        if _has_parted(ml, expect, answered, soon=not names_one):
            return
        expect.status("osml.delete.safe.several-kinds", answered, 409)
        spoilt = expect.see(
            "osml.wire.json",
            not read.has_text_of_a_refusal,
            expected=KEPT_APART,
            came=f"GET {read.request.path}: {read.summary}",
            by=answered,
        )
        expect.that(
            "osml.delete.safe.several-kinds",
            names_one,
            expected=f"one whole refusal that names at least one of {', '.join(users)}",
            came=answered.summary,
            exchange=answered,
        )
        if spoilt is not None:
            break
    _has_parted(ml, expect, answered, soon=True)


def _has_parted(ml: MlCommons, expect: Expect, refused: Exchange, *, soon: bool) -> bool:
    """Whether one of several nodes has left the cluster since this refusal, or leaves it `soon`; then waits
    until all are back, for what comes after."""
    nodes = len(ml.session.facts.nodes)
    if nodes < 2:
        return False
    ask = partial(ml.session.request, "GET", HEALTH)
    left = ml.session.settle(
        ask,
        lambda health: _nodes_of(health) not in (None, nodes),
        budget=PARTED_SECONDS if soon else 0.0,
    )
    parted = expect.see(
        "osml.delete.safe.several-kinds",
        not left,
        expected="a refusal after which the nodes stay together",
        came=f"GET {HEALTH}: {_nodes_of(left.value)} of {nodes} nodes",
        by=refused,
    )
    if parted is not None:
        ml.session.settle(ask, lambda health: _nodes_of(health) == nodes)
    return parted is not None


def _nodes_of(health: Exchange) -> int | None:
    """How many nodes the cluster has, or None where this does not tell: it may be the next answer."""
    told = health.member("number_of_nodes") if health.json_problem is None else None
    return told if isinstance(told, int) else None


@exclusive
@requirement("osml.delete.safe.after-removal")
def test_without_its_users_the_model_can_be_deleted(ml: MlCommons, expect: Expect) -> None:
    for kind in KINDS:
        answered, model, user = _refused(ml, kind)
        expect.status("osml.delete.safe.after-removal", answered, 409)
        ml.remove_user(kind, user)
        expect.accepted("osml.delete.safe.after-removal", ml.delete(model))
        expect.client_error("osml.delete.safe.after-removal", ml.get(model))
