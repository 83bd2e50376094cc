"""Operations at the same time on one thing: whatever wins, what was answered is what became true."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random

from mlconform.conformance.oracle.linearizability import Call, Linearity, linearity
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.explore import Explore
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets.exchange import Exchange

SETTLED = ("DEPLOYED", "UNDEPLOYED", "REGISTERED", "DEPLOY_FAILED", "PARTIALLY_DEPLOYED", "absent")
ONE = "osml.race.one-outcome"
GONE = "(gone)"


def _deleted(answer: Exchange) -> bool:
    """A delete that finds nothing to delete is a success of HTTP, but not of the delete."""
    return answer.status == 200 and answer.member("result") != "not_found"


def _honest(expect: Expect, answers: Sequence[Exchange]) -> None:
    """Every answer is one whole JSON document, and none tells a fault of the server."""
    for answered in answers:
        expect.see(
            ONE,
            isinstance(answered.json, dict) and answered.status < 500,
            expected="a whole JSON object and no 5xx",
            came=answered.summary,
            exchange=answered,
        )


@requirement("osml.race.one-outcome")
def test_concurrent_operations_leave_one_outcome(ml: MlCommons, expect: Expect, explore: Explore) -> None:
    operations = sorted(_operations(ml))

    def attempt(chance: Random) -> Callable[[], None]:
        names = sorted(chance.choices(operations, k=chance.randint(2, 4)))
        return _raced(ml, expect, ml.model(), _harmless(names), chance)

    explore.at_rest(expect, attempt)


def _harmless(names: Sequence[str]) -> Sequence[str]:
    """No undeploy beside a predict call, which deploys the model: recorded nodes then keep it in memory until
    they are restarted, which leaves less room for the models of others."""
    return ["update" if name == "undeploy" and "predict" in names else name for name in names]


@requirement("osml.race.one-outcome")
def test_of_several_deploys_an_accepted_one_is_enough(
    ml: MlCommons, expect: Expect, explore: Explore
) -> None:
    """On a recorded node a deploy that is accepted right after the registration, beside two predict calls a
    few milliseconds later, fails in the end in up to every second try; beside others in every tenth."""
    every_second = itertools.cycle([True, False])

    def attempt(chance: Random) -> Callable[[], None]:
        any_others = chance.choices(["deploy", "predict"], k=chance.randint(1, 2))
        others = ["predict", "predict"] if next(every_second) else any_others
        return _raced(ml, expect, ml.just_registered(), ["deploy", *others], chance, most_reads=4)

    explore.at_rest(expect, attempt)


def _operations(ml: MlCommons) -> Mapping[str, Callable[[str], Exchange]]:
    return {
        "deploy": ml.deploy,
        "undeploy": ml.undeploy,
        "update": lambda model: ml.update(model, {"description": "raced"}),
        "predict": ml.predict,
        "delete": ml.delete,
    }


def _raced(
    ml: MlCommons, expect: Expect, model: str, names: Sequence[str], chance: Random, *, most_reads: int = 0
) -> Callable[[], None]:
    """Carry these operations out on a model at once, all but the first after as many reads of it as chance
    wants; gives what looks at it afterwards."""
    operations = _operations(ml)

    def call(name: str, reads: int) -> Exchange:
        for _ in range(reads):
            ml.get(model)
        return operations[name](model)

    first, *others = names
    calls = [
        partial(call, first, 0),
        *(partial(call, name, chance.randint(0, most_reads)) for name in others),
    ]
    answers = ml.session.at_once(calls, seed=chance.getrandbits(32))
    _honest(expect, answers)
    return partial(_rests, ml, expect, model, tuple(zip(names, answers, strict=True)))


def _rests(ml: MlCommons, expect: Expect, model: str, told: Sequence[tuple[str, Exchange]]) -> None:
    """Whether a model is as the answers to concurrent operations say, now that all these have ended."""
    state, together = ml.state(model), ", ".join(name for name, _ in told)
    expect.see(
        ONE,
        state in SETTLED,
        expected="a settled model_state after concurrent operations",
        came=state,
    )
    deletes = [answer for name, answer in told if name == "delete"]
    expect.see(
        ONE,
        (state == "absent") == any(map(_deleted, deletes)),
        expected=f"after {together}: the model is gone where a delete was told so, and only there",
        came=f"{state}; deletes {[answer.status for answer in deletes]}",
    )
    accepted = [answer for name, answer in told if name == "deploy" and answer.status == 200]
    if accepted and not {"undeploy", "delete"} & {name for name, _ in told}:
        expect.see(
            ONE,
            state == "DEPLOYED",
            expected="a model that ends deployed where one of the deploys at the same moment was accepted",
            came=f"{state} after {together}",
            exchange=accepted[0],
        )


@exclusive
@requirement("osml.race.one-outcome")
def test_a_pipeline_that_comes_while_its_model_is_deleted(
    ml: MlCommons, expect: Expect, explore: Explore
) -> None:
    """With safe deletion on: a model whose delete was refused for its user has that user and is there."""
    ml.set(SAFE_DELETE=True)
    for chance in explore.by_chance(expect):
        model = ml.model()
        kind = chance.choice(("ingest pipeline", "search pipeline"))
        calls = [partial(ml.put_pipeline, kind, model), partial(ml.delete, model)]
        answers = made, deleted = ml.session.at_once(calls, seed=chance.getrandbits(32))
        _honest(expect, answers)
        expect.see(
            ONE,
            deleted.status == 200 or (deleted.status == 409 and made.status == 200),
            expected="a delete that is carried out, or refused for a pipeline that was made",
            came=f"{deleted.summary}; the pipeline {made.status}",
        )
        expect.see(
            ONE,
            (ml.state(model) == "absent") == _deleted(deleted),
            expected="a model that is gone where its delete was told so, and only there",
            came=deleted.summary,
            exchange=deleted,
        )


@requirement("osml.race.one-outcome")
def test_updates_and_reads_have_an_order(ml: MlCommons, expect: Expect, explore: Explore) -> None:
    """Two updates of one field, reads beside them and a delete: some order explains all that was told."""
    for chance in explore.by_chance(expect):
        model = ml.model(description="first")
        writes = [partial(ml.update, model, {"description": text}) for text in ("second", "third")]
        read, delete = partial(ml.get, model), partial(ml.delete, model)
        deletes = [delete] * chance.randint(0, 1)
        sends = [*writes, *deletes, read, read]
        told = ml.session.at_once([partial(_timed, ml, send) for send in sends], seed=chance.getrandbits(32))
        told.append(_timed(ml, read))
        history = [_call(sent, answered, after) for sent, answered, after in told]
        _honest(expect, [answered for _, answered, _ in told])
        found = linearity(history, "first")
        if found is Linearity.NOT_DECIDED:
            raise Untestable("the search for an order of the concurrent calls ran out")
        shown = "; ".join(f"{a.request.method} {a.status} {a.member('description')}" for _, a, _ in told)
        expect.see(
            ONE,
            found is Linearity.HOLDS,
            expected="an order of updates, deletes and reads that explains their answers",
            came=shown,
        )


def _timed(ml: MlCommons, send: Callable[[], Exchange]) -> tuple[float, Exchange, float]:
    """The answer between the moments when it was asked for and when it was there."""
    sent = ml.session.clock.now()
    answered = send()
    return sent, answered, ml.session.clock.now()


def _call(sent: float, answered: Exchange, returned: float) -> Call[str]:
    """What an answer says of the description of a model, or of a model that is gone."""
    method, status = answered.request.method, answered.status
    if method == "GET":
        shown = GONE if status == 404 else answered.member("description")
        return Call(sent, returned, lambda before: before if before == shown else None)
    if method == "DELETE":
        if _deleted(answered):
            return Call(sent, returned, lambda before: None if before == GONE else GONE)
        return Call(sent, returned, lambda before: before)
    if status != 200:
        # A refusal changes nothing, whatever the reason.
        return Call(sent, returned, lambda before: before)
    written = _written(answered)
    return Call(sent, returned, lambda before: None if before == GONE else written)


def _written(answered: Exchange) -> str:
    return "second" if b"second" in (answered.request.body or b"") else "third"


@requirement("osml.register.next-version", "osml.race.one-outcome")
def test_two_register_and_two_delete_at_the_same_moment(
    ml: MlCommons, expect: Expect, explore: Explore
) -> None:
    """In one check, for what it costs a node is to register a model."""
    group = ml.group_id
    for chance in explore.by_chance(expect):
        bodies = [ml.remote_body(model_group_id=group) for _ in range(2)]
        calls = [partial(ml.register, body) for body in bodies]
        answers = ml.session.at_once(calls, seed=chance.getrandbits(32))
        models = [str(answer.member("model_id")) for answer in answers if answer.status == 200]
        versions = [ml.get(model).member("model_version") for model in models]
        expect.see(
            "osml.register.next-version",
            len(set(versions)) == len(versions) > 0,
            expected="of two registrations at the same moment at least one adds a version, and none the same",
            came=f"{[answer.status for answer in answers]}, model_version {versions}",
        )
        for model in models:
            _is_deleted_once(ml, expect, model, chance)


def _is_deleted_once(ml: MlCommons, expect: Expect, model: str, chance: Random) -> None:
    delete = partial(ml.delete, model)
    answers = ml.session.at_once([delete, delete], seed=chance.getrandbits(32))
    _honest(expect, answers)
    told = sum(map(_deleted, answers))
    expect.see(
        ONE,
        told == 1,
        expected="of two deletes at the same moment, one that deleted",
        came=f"{told} that deleted",
    )
