"""Model access control, on: who may do what with a model in a group of each access mode.

The rule is the same for every operation on models (page model-apis, "Model access control considerations").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from typing import Any, Final

import pytest

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import deciding, exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.api import PREDICT_INPUT, MlCommons, model_path
from mlconform.conformance.suites.opensearch_ml.users import (
    MAY_USE,
    MODES,
    USERS_OF_MODELS,
    Users,
    see_access,
    see_found,
)
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.users import Part

pytestmark = exclusive

Call = Callable[[MlCommons, str], Exchange]


def _deploy(ml: MlCommons, model: str) -> Exchange:
    answered = ml.deploy(model)
    ml.await_task(answered)
    return answered


def _undeploy_several(ml: MlCommons, model: str) -> Exchange:
    return ml.undeploy_many({"model_ids": [model]})


def _predict_algorithm(ml: MlCommons, model: str) -> Exchange:
    return ml.session.request("POST", f"{ML}/_predict/remote/{model}", PREDICT_INPUT)


def _register_version(ml: MlCommons, model: str) -> Exchange:
    return ml.register(ml.remote_body(model_group_id=_group_of(ml, model)))


def _group_of(ml: MlCommons, model: str) -> str:
    keeper = ml.on(ml.session.keeper or ml.session)
    return str(keeper.get(model).member("model_group_id"))


def _see(expect: Expect, name: str, users: Users, mode: str, call: Call, models: Iterator[str]) -> None:
    """Each user tries it, with the next of the models; a user who may not comes before those who may."""
    for who in users.who_plays(USERS_OF_MODELS):
        answered = call(users.acting(who), next(models))
        see_access(expect, name, answered, who, f"a model in a {mode} group", may=who in MAY_USE[mode])


@pytest.mark.parametrize(
    ("name", "call"),
    [
        deciding("osml.access.model.get", lambda ml, model: ml.get(model)),
        deciding("osml.access.model.update", lambda ml, model: ml.update(model, {"description": "changed"})),
        deciding("osml.access.model.deploy", _deploy),
        deciding("osml.access.model.undeploy", lambda ml, model: ml.undeploy(model)),
        deciding("osml.access.model.undeploy-several", _undeploy_several),
    ],
    ids=["get", "update", "deploy", "undeploy", "undeploy-several"],
)
def test_an_operation_on_a_model(users: Users, expect: Expect, name: str, call: Call) -> None:
    users.control_models()
    for mode in MODES:
        _see(expect, name, users, mode, call, repeat(users.model(mode)))


@pytest.mark.parametrize(
    ("name", "call"),
    [
        deciding("osml.access.model.predict", lambda ml, model: ml.predict(model)),
        deciding("osml.access.model.predict-algorithm", _predict_algorithm),
    ],
    ids=["predict", "predict-algorithm"],
)
def test_a_predict(users: Users, expect: Expect, name: str, call: Call) -> None:
    users.control_models()
    for mode in MODES:
        model = users.model(mode)
        users.acting(Part.OWNER).bring_up(model)
        _see(expect, name, users, mode, call, repeat(model))


@requirement("osml.access.model.batch-predict")
def test_a_batch_predict(users: Users, expect: Expect) -> None:
    """The run's connector has no action for batches, so that who is let in is told that instead."""
    users.control_models()
    for mode in MODES:
        model = users.model(mode)
        users.acting(Part.OWNER).bring_up(model)
        for who in users.who_plays(USERS_OF_MODELS):
            ml = users.acting(who)
            answered = ml.session.request("POST", model_path(model, "/_batch_predict"), PREDICT_INPUT)
            may = who in MAY_USE[mode]
            name, thing = "osml.access.model.batch-predict", f"a model in a {mode} group"
            see_access(expect, name, answered, who, thing, may=may, done=False)


@requirement("osml.access.model.delete")
def test_a_delete(users: Users, expect: Expect) -> None:
    users.control_models()
    for mode in MODES:
        # The last version would take the group with it.
        models = _versions(users, users.group(mode))
        next(models)
        _see(expect, "osml.access.model.delete", users, mode, lambda ml, model: ml.delete(model), models)


def _versions(users: Users, group: str) -> Iterator[str]:
    while True:
        yield users.acting(Part.OWNER).model(model_group_id=group)


@requirement("osml.access.model.register-version")
def test_a_registration_in_a_group(users: Users, expect: Expect) -> None:
    users.control_models()
    for mode in MODES:
        group = users.group(mode)
        for who in users.who_plays(USERS_OF_MODELS):
            ml = users.acting(who)
            answered = ml.register(ml.remote_body(model_group_id=group))
            may = who in MAY_USE[mode]
            see_access(
                expect, "osml.access.model.register-version", answered, who, f"a {mode} group", may=may
            )


@requirement("osml.access.model.other-group")
def test_a_move_to_a_group(users: Users, expect: Expect) -> None:
    """A model of one's own goes only into groups that are open to oneself."""
    users.control_models()
    for mode in MODES:
        group = users.group(mode)
        for who in users.who_plays((Part.STRANGER, Part.PEER)):
            ml = users.acting(who)
            own = ml.model(model_group_id=ml.group(access_mode="private"))
            answered = ml.update(own, {"model_group_id": group})
            may = who in MAY_USE[mode]
            see_access(expect, "osml.access.model.other-group", answered, who, f"a {mode} group", may=may)


@requirement("osml.access.hidden-name")
def test_the_name_of_a_hidden_group(users: Users, expect: Expect) -> None:
    """Registered under the name of a group that is closed to the caller, a model does not get into it."""
    users.control_models()
    owner, stranger = users.acting(Part.OWNER), users.acting(Part.STRANGER)
    name = owner.session.new_name("group")
    group = str(
        owner.register_group({"name": name, "description": "x", "access_mode": "private"}).member(
            "model_group_id"
        )
    )
    owner.await_found("model group", group)
    registered = stranger.register(stranger.remote_body(name=name))
    model = registered.member("model_id") if registered.status == 200 else None
    # Who made it may not be let in to what it became.
    found = users.acting(Part.ADMIN).get(str(model)).member("model_group_id") if model else None
    expect.see_access(
        "osml.access.hidden-name",
        found != group,
        str(Part.STRANGER),
        "a model with the name of a private group",
        expected="the registration is refused, or makes a version of another group",
        exchange=registered,
    )


_CONTROLLER: Final[Mapping[str, Any]] = {
    "user_rate_limiter": {"mlconform": {"limit": "100", "unit": "MINUTES"}}
}


@pytest.mark.parametrize(
    ("name", "method", "body"),
    [
        deciding("osml.access.controller.create", "POST", _CONTROLLER),
        deciding("osml.access.controller.get", "GET", None),
        deciding("osml.access.controller.update", "PUT", _CONTROLLER),
        deciding("osml.access.controller.delete", "DELETE", None),
    ],
    ids=["create", "get", "update", "delete"],
)
def test_the_controller_of_a_model(
    users: Users, expect: Expect, name: str, method: str, body: Mapping[str, Any] | None
) -> None:
    users.control_models()
    for mode in MODES:
        model = users.model(mode)
        path = f"{ML}/controllers/{model}"
        for who in users.who_plays(USERS_OF_MODELS):
            if method != "POST":
                users.acting(Part.OWNER).session.request("POST", path, _CONTROLLER)
            session = users.acting(who).session
            answered = session.request(method, path) if body is None else session.request(method, path, body)
            see_access(expect, name, answered, who, f"a model in a {mode} group", may=who in MAY_USE[mode])


@requirement("osml.access.owner-stays")
def test_the_owner_of_a_group_stays_its_owner(users: Users, expect: Expect) -> None:
    users.control_models()
    owner, other = users.acting(Part.OWNER), users.acting(Part.STRANGER)
    group = users.group("public")
    made = other.register(other.remote_body(model_group_id=group))
    expect.accepted("osml.access.owner-stays", made)
    read = owner.get_group(group)
    name = users.user(Part.OWNER).name
    expect.equal("osml.access.owner-stays", read.member("owner", "name"), name, "owner.name of the group")
    closed = owner.session.request("PUT", f"{ML}/model_groups/{group}", {"access_mode": "private"})
    expect.accepted("osml.access.owner-stays", closed)
    own_version = other.get(str(made.member("model_id")))
    may = "a version that another registered in the group, which is private now"
    see_access(expect, "osml.access.owner-stays", own_version, Part.STRANGER, may, may=False)


@requirement("osml.search.accessible")
def test_a_search_shows_what_is_open(users: Users, expect: Expect) -> None:
    users.control_models()
    models = {mode: users.model(mode) for mode in MODES}
    see_found(expect, "osml.search.accessible", users, "model", models)


@requirement("osml.models.no-access-control")
def test_every_model_is_open_without_control(users: Users, expect: Expect) -> None:
    model = users.acting(Part.OWNER).model()
    for call in (
        lambda ml: ml.get(model),
        lambda ml: ml.update(model, {"description": "changed"}),
        lambda ml: _deploy(ml, model),
        lambda ml: ml.predict(model),
        lambda ml: ml.undeploy(model),
        lambda ml: ml.delete(model),
    ):
        answered = call(users.acting(Part.STRANGER))
        thing = "a model of another, without access control"
        see_access(expect, "osml.models.no-access-control", answered, Part.STRANGER, thing, may=True)
