"""Model groups as far as the lifecycle of a model touches them (recordings)."""

from __future__ import annotations

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets.opensearch_ml import ML


@requirement("osml.group.lifecycle")
def test_a_group_is_made_read_and_deleted(ml: MlCommons, expect: Expect) -> None:
    name = ml.session.new_name("group")
    registered = ml.register_group({"name": name, "description": "made by a conformance run"})
    expect.status("osml.group.lifecycle", registered, 200)
    group = str(registered.member("model_group_id"))
    expect.equal("osml.group.lifecycle", ml.get_group(group).member("name"), name, "name")
    deleted = ml.session.request("DELETE", f"{ML}/model_groups/{group}")
    expect.status("osml.group.lifecycle", deleted, 200)
    expect.status("osml.group.lifecycle", ml.get_group(group), 404)


@requirement("osml.group.in-use")
def test_a_group_with_versions_is_not_deleted(ml: MlCommons, expect: Expect) -> None:
    group = ml.group()
    ml.await_found("model", ml.model(model_group_id=group))
    answered = ml.session.request("DELETE", f"{ML}/model_groups/{group}")
    expect.error("osml.group.in-use", answered, 409, "associated model versions")


@requirement("osml.group.same-name")
def test_a_name_is_used_once(ml: MlCommons, expect: Expect) -> None:
    body = {"name": ml.session.new_name("group"), "description": "made by a conformance run"}
    registered = ml.register_group(body)
    expect.status("osml.group.same-name", registered, 200)
    ml.await_found("model group", str(registered.member("model_group_id")))
    answered = ml.register_group(body)
    expect.error("osml.group.same-name", answered, 400, "already being used by a model group")


@requirement("osml.group.implicit")
def test_a_model_without_a_group_gets_one_of_its_name(ml: MlCommons, expect: Expect) -> None:
    name = ml.session.new_name("model")
    model = ml.model(name=name, model_group_id=None)
    group = ml.get_group(str(ml.get(model).member("model_group_id")))
    expect.status("osml.group.implicit", group, 200)
    expect.equal("osml.group.implicit", group.member("name"), name, "name of the group")
