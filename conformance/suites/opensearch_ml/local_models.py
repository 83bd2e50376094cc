"""Local models through a session: registered from the run's own endpoint or chunk by chunk.

As in `api.py`, a method named after an operation sends it, and one named after a thing makes it and
raises `Untestable` where the target does not let it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.opensearch_ml.api import MlCommons, model_path
from mlconform.conformance.targets import model_file, opensearch_settings
from mlconform.conformance.targets.endpoint import FileName
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.model_file import FORMAT, FUNCTION, ModelFile
from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.registrations import ENDED, models_named, track_registration
from mlconform.conformance.targets.session import STATE_BUDGET_SECONDS
from mlconform.conformance.targets.settle import Settled

VIA_URL = "plugins.ml_commons.allow_registering_model_via_url"
VIA_FILE = "plugins.ml_commons.allow_registering_model_via_local_file"
TRUSTED_URLS = "plugins.ml_commons.trusted_url_regex"
ONLY_ML_NODES = "plugins.ml_commons.only_run_on_ml_node"
LOCAL_ROLES = "plugins.ml_commons.task_dispatcher.eligible_node_role.local_model"
LOCAL_MODELS = "plugins.ml_commons.local_model.enabled"
MOST_MODELS = "plugins.ml_commons.max_model_on_node"
MOST_REGISTRATIONS = "plugins.ml_commons.max_register_model_tasks_per_node"
NATIVE_MEMORY = "plugins.ml_commons.native_memory_threshold"
HEAP_MEMORY = "plugins.ml_commons.jvm_heap_memory_threshold"
MOST_DEPLOYS = "plugins.ml_commons.max_deploy_model_tasks_per_node"
COUNTS = ("planning_worker_node_count", "current_worker_node_count")
# The page requires a configuration of every custom model.
CONFIG = {"model_type": "bert", "embedding_dimension": 384, "framework_type": "sentence_transformers"}
# A text, and what the run's model answers to it: each word once, with its weight.
TEXT = "Hello, world models unheard"
FILES: Mapping[FileName, ModelFile] = {
    FileName.SMALL: model_file.small(),
    FileName.LATE: model_file.small(),
    FileName.GONE: model_file.small(),
    FileName.CUT_OFF: model_file.small(),
    FileName.NO_ZIP: model_file.no_zip(),
    FileName.WITHOUT_TOKENIZER: model_file.without_tokenizer(),
}
# What comes later than this after its task has ended is no delay.
MEMORY_BUDGET_SECONDS = 2.0
# An address of this machine at which nothing listens.
NOBODY = "http://127.0.0.1:9/model.zip"


def goes_on(task: Exchange) -> bool:
    """Whether the task that was read had not ended."""
    return task.status == 200 and task.member("state") not in ENDED


class LocalModels:
    """The operations on models that nodes hold themselves. A check that uses them must run alone.

    `let_in` says that somebody else has allowed what they take, for as long as the check runs.
    """

    def __init__(self, ml: MlCommons, *, let_in: bool = False) -> None:
        self.ml = ml
        self.session = ml.session
        self._is_let_in = let_in

    # what guards them

    def let_in(self) -> tuple[Exchange, ...]:
        """Allow what registering and deploying local models takes; put back after the check.

        Gives the requests that read what it was and changed it, where that was needed. Raises `Untestable`
        where settings may not be changed.
        """
        if self._is_let_in:
            return ()
        wanted: dict[str, Any] = {VIA_URL: "true", VIA_FILE: "true"}
        if not self.ml_nodes:
            wanted[ONLY_ML_NODES] = "false"
        now = opensearch_settings.read_settings(self.session, defaults=True)
        missing = {name: value for name, value in wanted.items() if str(now.get(name)) != value}
        if not missing:
            return ()
        before = self.session.request("GET", f"{opensearch_settings.SETTINGS}?flat_settings=true")
        return before, opensearch_settings.change_settings(self.session, missing)

    def set(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change cluster settings by their full names, and give what they were; put back after the check."""
        before = {name: opensearch_settings.persistent_setting(self.session, name) for name in settings}
        opensearch_settings.change_settings(self.session, settings)
        return before

    @property
    def nodes(self) -> list[str]:
        """The nodes that may hold a local model, sorted: ML nodes where there are some."""
        return sorted(self.ml_nodes or self.session.facts.nodes)

    @property
    def several_nodes(self) -> list[str]:
        """Those nodes, of which there must be two at least. Raises `Untestable`."""
        nodes = self.nodes
        if len(nodes) < 2:
            raise Untestable("only one of the nodes may hold local models", Remedy.NODES)
        return nodes

    @property
    def ml_nodes(self) -> Collection[str]:
        """The nodes with the role `ml`."""
        nodes = self.session.request("GET", "/_nodes").member("nodes")
        found = nodes.items() if isinstance(nodes, dict) else ()
        return [key for key, node in found if isinstance(node, dict) and "ml" in (node.get("roles") or ())]

    # by URL

    def url_body(self, file: FileName = FileName.SMALL, **changes: Any) -> dict[str, Any]:
        """What registers a file of the run's endpoint; a change to None leaves the member out.

        The group is named, so that nothing of a registration that fails is left behind.
        """
        content = FILES.get(file) or model_file.large()
        if file is FileName.LATE:
            self.session.endpoint.hold()
        body: dict[str, Any] = {
            "name": self.session.new_name("model"),
            "version": "1.0.0",
            "description": "made by a conformance run",
            "function_name": FUNCTION,
            "model_format": FORMAT,
            "model_config": CONFIG,
            "model_content_hash_value": content.sha256,
            "url": self.session.endpoint.file_url(file),
        }
        if "model_group_id" not in changes:
            body["model_group_id"] = self.ml.group_id
        return {name: value for name, value in {**body, **changes}.items() if value is not None}

    def register(self, body: Mapping[str, Any], query: str = "") -> Exchange:
        registered = self.session.request("POST", f"{ML}/models/_register{query}", body)
        if registered.answer is not None and registered.status == 200:
            task_id = registered.member("task_id")
            if isinstance(task_id, str):
                track_registration(self.session, task_id, str(body.get("name")))
        return registered

    def ended(self, answered: Exchange) -> Exchange:
        """The task of this registration or deploy once it has ended, or the refusal itself."""
        if answered.status != 200:
            return answered
        task = self.ml.await_task(answered)
        if task is None:
            raise Untestable(f"an answer names no task: {answered.summary}")
        return task

    def model(self, file: FileName = FileName.SMALL, **changes: Any) -> str:
        """A model that was registered from the run's endpoint, not deployed."""
        self.let_in()
        task = self.ended(self.register(self.url_body(file, **changes)))
        told = f"a local model could not be registered by URL: {task.summary}"
        if task.status != 200:
            raise Untestable(told)
        if task.member("state") != "COMPLETED":
            reached = f"the target must reach {self.session.endpoint.files} (--endpoint-host)"
            raise Untestable(f"{told}; {reached}", Remedy.ENDPOINT)
        return str(task.member("model_id"))

    def going_on(self) -> tuple[Exchange, str]:
        """The answer to a registration that goes on for a while, and the name of its model."""
        self.let_in()
        body = self.url_body(FileName.LATE)
        registered = self.register(body)
        if registered.status != 200:
            raise Untestable(f"a local model could not be registered by URL: {registered.summary}")
        return registered, body["name"]

    def found(self, name: str) -> str:
        """The id of the model of this name, once a search finds it."""
        settled = self.session.settle(lambda: models_named(self.session, name), bool, budget=2.0)
        if not settled:
            raise Untestable(f"no search found the model {name}, which is being registered")
        return settled.value[0]

    def still_going_on(self, task: Exchange) -> None:
        """Enough was seen of it; raises `Untestable` where the task had ended already."""
        self.session.endpoint.let_go()
        if not goes_on(task):
            raise Untestable(f"the task ended before it could be looked at: {task.summary}")

    def delete_task(self, task_id: str) -> Exchange:
        return self.session.request("DELETE", f"{ML}/tasks/{quote(task_id, safe='')}")

    # chunk by chunk

    def meta_body(self, file: ModelFile | None = None, chunks: int = 1, **changes: Any) -> dict[str, Any]:
        """What announces a file that comes in chunks; a change to None leaves the member out."""
        content = file or model_file.small()
        body: dict[str, Any] = {
            "name": self.session.new_name("model"),
            "version": "1.0.0",
            "description": "made by a conformance run",
            "function_name": FUNCTION,
            "model_format": FORMAT,
            "model_content_hash_value": content.sha256,
            "model_content_size_in_bytes": content.size,
            "total_chunks": chunks,
        }
        if "model_group_id" not in changes:
            body["model_group_id"] = self.ml.group_id
        return {name: value for name, value in {**body, **changes}.items() if value is not None}

    def register_meta(self, body: Mapping[str, Any]) -> Exchange:
        announced = self.session.request("POST", f"{ML}/models/_register_meta", body)
        self.ml.track_model(announced)
        return announced

    def upload_chunk(self, model_id: str, number: int | str, content: bytes) -> Exchange:
        path = model_path(model_id, f"/upload_chunk/{quote(str(number), safe='')}")
        return self.session.request("POST", path, raw=content)

    def announced(self, chunks: int = 2, **changes: Any) -> str:
        """A model whose chunks are still to come."""
        self.let_in()
        announced = self.register_meta(self.meta_body(chunks=chunks, **changes))
        if announced.status != 200:
            raise Untestable(f"no model could be announced for its chunks: {announced.summary}")
        return str(announced.member("model_id"))

    def uploaded(self, chunks: int = 1, **changes: Any) -> str:
        """A model that was uploaded in so many chunks, not deployed. It takes no way back to the run."""
        model_id = self.announced(chunks, **changes)
        for number, content in enumerate(model_file.small().chunks(chunks)):
            sent = self.upload_chunk(model_id, number, content)
            if sent.status != 200:
                raise Untestable(f"a chunk could not be uploaded: {sent.summary}")
        # The last one is answered before the model is written anew.
        self.ml.settle_state(model_id, "REGISTERED")
        return model_id

    def deployed(self, **changes: Any) -> str:
        """A model that was uploaded and deployed to every node that may hold it."""
        model_id = self.uploaded(**changes)
        self.ml.bring_up(model_id)
        self._await_memory(model_id)
        return model_id

    def deploy(self, model_id: str) -> Exchange:
        """The task of its deploy to every node once that has ended, or the refusal of it."""
        ended = self.ended(self.ml.deploy(model_id))
        if ended.member("state") == "COMPLETED":
            self._await_memory(model_id)
        return ended

    def _await_memory(self, model_id: str) -> None:
        """Of several nodes one may have the model a moment after the task has ended."""
        self.settle_memory(model_id, self.nodes, budget=MEMORY_BUDGET_SECONDS)

    # its use

    def predict(self, model_id: str, text: str = TEXT) -> Exchange:
        return self.ml.predict(model_id, {"text_docs": [text]})

    def predict_by_function(self, model_id: str, text: str = TEXT) -> Exchange:
        return self.session.request("POST", function_path(model_id), {"text_docs": [text]})

    def counts(self, model_id: str) -> tuple[Any, ...]:
        """On how many nodes the model is planned to be, and on how many it is, as it tells."""
        read = self.ml.get(model_id)
        return tuple(read.member(name) for name in COUNTS)

    def settle_counts(self, model_id: str, wanted: tuple[int, int]) -> Settled[tuple[Any, ...]]:
        """Wait until the model tells so."""
        return self.session.settle(lambda: self.counts(model_id), lambda told: told == wanted)

    def memory_used(self, column: str) -> list[float]:
        """What nodes use of a kind of memory, in percent; nothing where they do not tell.

        `column` is that of `_cat/nodes`: heap.percent or ram.percent.
        """
        rows = self.session.request("GET", f"/_cat/nodes?format=json&h=name,{column}").json
        told = [row.get(column) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return sorted(float(used) for used in told if isinstance(used, str) and used.isdigit())

    def profiles(self, model_id: str) -> Mapping[str, Mapping[str, Any]]:
        """What the profile of each node says of the model, by the node's id."""
        profile = self.session.request("GET", f"{ML}/profile/models/{quote(model_id, safe='')}")
        nodes = profile.member("nodes")
        found = nodes.items() if isinstance(nodes, dict) else ()
        return {
            key: node["models"][model_id]
            for key, node in found
            if isinstance(node, dict) and isinstance((node.get("models") or {}).get(model_id), dict)
        }

    def in_memory_of(self, model_id: str) -> list[str]:
        """The nodes whose profile has the model deployed, sorted."""
        profiles = self.profiles(model_id)
        return sorted(key for key, model in profiles.items() if model.get("model_state") == "DEPLOYED")

    def settle_memory(
        self, model_id: str, nodes: list[str], budget: float = STATE_BUDGET_SECONDS
    ) -> list[str]:
        """Wait until these nodes have the model in memory and no others; the nodes that have it then."""
        return self.session.settle(
            lambda: self.in_memory_of(model_id), lambda found: found == nodes, budget=budget
        ).value


def function_path(model_id: str, function: str = FUNCTION.lower()) -> str:
    """The route of a predict that names the function of the model too."""
    return f"{ML}/_predict/{function}/{quote(model_id, safe='')}"


def unsuccessful(expect: Expect, name: str, ended: Exchange, what: str) -> None:
    """Expect a registration that was refused at once, or whose task ended as failed, without a model."""
    failed = ended.status == 200 and ended.member("state") == "FAILED" and ended.member("model_id") is None
    expect.that(
        name,
        400 <= ended.status < 500 or failed,
        expected=f"{what}: a refusal (4xx), or a task that ends FAILED without a model_id",
        came=ended.summary,
        exchange=ended,
    )


def refused_while(local: LocalModels, expect: Expect, name: str, settings: Mapping[str, Any]) -> None:
    """Expect that nothing is registered while the settings are so, and that it is once they are put back."""
    local.model()
    body = local.url_body()
    before = local.set(settings)
    ended = local.ended(local.register(body))
    local.set(before)
    expect.that(
        name,
        ended.status >= 400 or ended.member("state") == "FAILED",
        expected=f"no registration while {_told(settings)}",
        came=ended.summary,
        exchange=ended,
    )
    again = local.ended(local.register({**body, "name": local.session.new_name("model")}))
    expect.equal(name, again.member("state"), "COMPLETED", "state of the task, the settings put back")


def fails_while(local: LocalModels, expect: Expect, name: str, settings: Mapping[str, Any]) -> None:
    """Expect that no deploy succeeds while the settings are so, and that it does once they are put back."""
    model = local.uploaded()
    before = local.set(settings)
    ended = local.ended(local.ml.deploy(model))
    found = local.in_memory_of(model)
    local.set(before)
    expect.that(
        name,
        (ended.status >= 400 or ended.member("state") != "COMPLETED") and not found,
        expected=f"no deploy while {_told(settings)}",
        came=f"{ended.summary}; in the memory of {found}",
        exchange=ended,
    )
    again = local.ended(local.ml.deploy(model))
    expect.equal(name, again.member("state"), "COMPLETED", "state of the task, the settings put back")


def nothing_runs_while(local: LocalModels, expect: Expect, name: str, setting: str, value: int) -> None:
    """Expect that no local model is used, deployed or registered while the setting has this value."""
    deployed, model, body = local.deployed(), local.uploaded(), local.url_body()
    before = local.set({setting: value})
    answered = [local.predict(deployed), local.predict_by_function(deployed)]
    ended = [local.ended(local.ml.deploy(model)), local.ended(local.register(body))]
    local.set(before)
    ran = [exchange for exchange in answered if exchange.status < 400]
    ran += [task for task in ended if task.status == 200 and task.member("state") != "FAILED"]
    for exchange in ran[:1]:
        expect.that(
            name,
            False,
            expected=f"neither a predict nor a deploy nor a registration while {setting} is {value}",
            came="; ".join(each.summary for each in ran),
            exchange=exchange,
        )
    expect.accepted(name, local.predict(deployed))


def _told(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} is {value}" for key, value in settings.items())


def answered_weights(exchange: Exchange) -> Any:
    """The weights of each text of a prediction, wherever the answer is as recorded; else None."""
    results = exchange.member("inference_results")
    try:
        return [result["output"][0]["dataAsMap"]["response"][0] for result in results]
    except (IndexError, KeyError, TypeError):
        return None
