"""The settings that guard local models: page cluster-settings."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import deciding, exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.local_models import (
    HEAP_MEMORY,
    LOCAL_MODELS,
    MOST_DEPLOYS,
    MOST_MODELS,
    MOST_REGISTRATIONS,
    NATIVE_MEMORY,
    TRUSTED_URLS,
    VIA_URL,
    LocalModels,
    fails_while,
    nothing_runs_while,
    refused_while,
)
from mlconform.conformance.targets.endpoint import LATE_SECONDS, FileName
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.registrations import ENDED

pytestmark = exclusive

# Thresholds for memory in percent: a node that serves uses more than the one and less than the other.
LITTLE, MUCH = 1, 99
NOWHERE = "^https://mlconform\\.invalid/.*"


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        deciding("osml.settings.allow-url", VIA_URL, False),
        deciding("osml.settings.trusted-url", TRUSTED_URLS, NOWHERE),
        deciding("osml.settings.max-register-tasks.zero", MOST_REGISTRATIONS, 0),
    ],
)
def test_nothing_is_registered_while(
    local: LocalModels, expect: Expect, name: str, setting: str, value: Any
) -> None:
    refused_while(local, expect, name, {setting: value})


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        deciding("osml.settings.max-model-on-node.zero", MOST_MODELS),
        deciding("osml.settings.max-deploy-tasks.zero", MOST_DEPLOYS),
    ],
)
def test_nothing_is_deployed_while(local: LocalModels, expect: Expect, name: str, setting: str) -> None:
    fails_while(local, expect, name, {setting: 0})


@requirement("osml.settings.local-model.off")
def test_without_local_models(local: LocalModels, expect: Expect) -> None:
    deployed, model, body = local.deployed(), local.uploaded(), local.url_body()
    before = local.set({LOCAL_MODELS: False})
    refused = [local.register(body), local.ml.deploy(model), local.predict(deployed)]
    local.set(before)
    # The page says what is impossible; that it is told with a 4xx is osml.wire.no-server-error.
    for answered in refused:
        expect.refused("osml.settings.local-model.off", answered)
    expect.accepted("osml.settings.local-model.off", local.predict(deployed))


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        deciding("osml.settings.native-threshold.zero", NATIVE_MEMORY),
        deciding("osml.settings.heap-threshold.zero", HEAP_MEMORY),
    ],
)
def test_no_memory_is_allowed(local: LocalModels, expect: Expect, name: str, setting: str) -> None:
    nothing_runs_while(local, expect, name, setting, 0)


@pytest.mark.parametrize(
    ("name", "setting", "column"),
    [
        deciding("osml.settings.native-threshold", NATIVE_MEMORY, "ram.percent"),
        deciding("osml.settings.heap-threshold", HEAP_MEMORY, "heap.percent"),
    ],
)
def test_as_much_memory_as_is_used(
    local: LocalModels, expect: Expect, name: str, setting: str, column: str
) -> None:
    used = local.memory_used(column)
    if not used or used[0] <= LITTLE or used[-1] >= MUCH:
        raise Untestable(f"of the nodes' memory not between {LITTLE} and {MUCH} % seem to be used: {used}")
    model = local.uploaded()
    before = local.set({setting: MUCH})
    ended = local.ended(local.ml.deploy(model))
    state, told = ended.member("state"), f"{setting} is {MUCH}, of which {used[-1]} % are used at most"
    expect.equal(name, state, "COMPLETED", f"state of the task of a deploy while {told}")
    expect.accepted(name, local.predict(model))
    local.set(before)
    nothing_runs_while(local, expect, name, setting, LITTLE)


@requirement("osml.settings.trusted-url.default")
def test_any_address_is_trusted(local: LocalModels, expect: Expect) -> None:
    # Whether the target reaches the run's endpoint is found out where any URL is trusted by the setting.
    local.set({TRUSTED_URLS: ".*"})
    local.model()
    local.set({TRUSTED_URLS: None})
    ended = local.ended(local.register(local.url_body()))
    expect.equal("osml.settings.trusted-url.default", ended.member("state"), "COMPLETED", "state of the task")


@requirement("osml.settings.trusted-url.values")
def test_a_regular_expression(local: LocalModels, expect: Expect) -> None:
    for value in (".*", "^(https?|ftp)://[-a-z0-9.:/]*$", NOWHERE):
        expect.accepted("osml.settings.trusted-url.values", local.ml.try_setting(TRUSTED_URLS, value))


@requirement("osml.settings.max-model-on-node")
def test_one_model_a_node(local: LocalModels, expect: Expect) -> None:
    first, second = local.uploaded(), local.uploaded()
    local.set({MOST_MODELS: 1})
    if local.deploy(first).member("state") != "COMPLETED":
        raise Untestable("the nodes hold a local model of somebody else already")
    ended = local.ended(local.ml.deploy(second))
    found = local.in_memory_of(second)
    expect.that(
        "osml.settings.max-model-on-node",
        (ended.status >= 400 or ended.member("state") == "FAILED") and not found,
        expected="no deploy of a second model where each node takes one",
        came=f"{ended.summary}; in the memory of {found}",
        exchange=ended,
    )
    expect.accepted("osml.settings.max-model-on-node", local.predict(first))
    local.ml.take_down(first)
    again = local.ended(local.ml.deploy(second))
    expect.equal(
        "osml.settings.max-model-on-node", again.member("state"), "COMPLETED", "state of the task, with room"
    )


@requirement("osml.settings.max-register-tasks")
def test_one_registration_a_node(local: LocalModels, expect: Expect) -> None:
    local.model()
    local.set({MOST_REGISTRATIONS: 1})
    nodes = len(local.session.facts.nodes)
    begun = [local.register(local.url_body(FileName.LATE)) for _ in range(nodes + 1)]
    # All go on until one has ended, which is the one too many where the setting does what it says.
    local.session.settle(lambda: [_ended(local, answered) for answered in begun], any, budget=LATE_SECONDS)
    local.session.endpoint.let_go()
    ended = [local.ended(answered) for answered in begun]
    completed = sum(task.member("state") == "COMPLETED" for task in ended)
    expect.that(
        "osml.settings.max-register-tasks",
        1 <= completed <= nodes,
        expected=f"of {nodes + 1} registrations at once at least one and at most {nodes} succeed",
        came="; ".join(task.summary for task in ended),
    )
    again = local.ended(local.register(local.url_body()))
    expect.equal(
        "osml.settings.max-register-tasks", again.member("state"), "COMPLETED", "state of a task afterwards"
    )


@requirement("osml.settings.max-deploy-tasks")
def test_one_deploy_a_node(local: LocalModels, expect: Expect) -> None:
    models = [local.model(FileName.LARGE) for _ in range(2)]
    local.set({MOST_DEPLOYS: 1})
    begun = [local.ml.deploy(model) for model in models]
    first = local.ended(begun[0])
    # A deploy that was accepted is counted where it goes on, which may be later than its answer.
    waits = begun[1].status == 200 and _state(local, begun[1]) == "CREATED"
    ended = [first, local.ended(begun[1])]
    completed = sum(task.member("state") == "COMPLETED" for task in ended)
    if first.member("state") == "COMPLETED" and (waits or (completed > 1 and not _together(*ended))):
        raise Untestable("the first deploy had ended before the second began")
    expect.that(
        "osml.settings.max-deploy-tasks",
        completed == 1,
        expected="of two deploys at once to the same nodes one succeeds",
        came="; ".join(task.summary for task in ended),
    )
    refused = models[first.member("state") == "COMPLETED"]
    again = local.ended(local.ml.deploy(refused))
    expect.equal("osml.settings.max-deploy-tasks", again.member("state"), "COMPLETED", "state afterwards")


def _together(first: Exchange, second: Exchange) -> bool:
    """Whether two deploys of models of one size that both succeeded went on at the same time: one that began
    when the first had ended ends as much later as the first took."""
    began, ended = first.member("create_time"), first.member("last_update_time")
    later = second.member("last_update_time")
    if not all(isinstance(time, int) for time in (began, ended, later)):
        return True
    return bool(later - ended < (ended - began) / 2)


def _ended(local: LocalModels, answered: Exchange) -> bool:
    return answered.status != 200 or _state(local, answered) in ENDED


def _state(local: LocalModels, answered: Exchange) -> Any:
    return local.ml.get_task(str(answered.member("task_id"))).member("state")
