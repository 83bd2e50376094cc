"""ML Commons through a session: the operations as requests, and the steps that checks begin with.

A method named after an operation sends it and returns the exchange, whatever came. A method named
after a thing (`model`, `deployed_model`) is a prerequisite: it makes the thing, waits until it is
there, has it removed after the check, and raises `Untestable` where the target does not let it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets import opensearch_ml, opensearch_settings
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.opensearch_settings import SETTINGS
from mlconform.conformance.targets.registrations import ENDED
from mlconform.conformance.targets.session import ABSENT, STATE_BUDGET_SECONDS, Session
from mlconform.conformance.targets.settle import Settled

AUTO_DEPLOY = "plugins.ml_commons.model_auto_deploy.enable"
AUTO_REDEPLOY = "plugins.ml_commons.model_auto_redeploy.enable"
CUSTOM_PLAN = opensearch_settings.CUSTOM_PLAN
REDEPLOY_RETRIES = "plugins.ml_commons.model_auto_redeploy.lifetime_retry_times"
SAFE_DELETE = "plugins.ml_commons.safe_delete_model"
SYNC_INTERVAL = "plugins.ml_commons.sync_up_job_interval_in_seconds"

# What recordings show while a deploy that was answered goes on, and the only 409 of an update.
_DEPLOYING_TEXT = "Model is deploying"
# Of the sync-up job while checks of time wait: its default, for other checks go on meanwhile.
WAITING_INTERVAL_SECONDS = 10
UNKNOWN_ID = opensearch_ml.UNKNOWN_ID
# The members of the answer to a delete or an update (pages delete-model and update-model, examples).
WRITE_ANSWER = {
    "_index": str,
    "_id": str,
    "_version": int,
    "result": str,
    "_shards": dict,
    "_seq_no": int,
    "_primary_term": int,
}
PREDICT_INPUT: Mapping[str, Any] = {"parameters": {"q": "hello"}}


def model_path(model_id: str, action: str = "") -> str:
    return f"{ML}/models/{quote(model_id, safe='')}{action}"


class MlCommons:
    """The operations of ML Commons on one target.

    `share_connector` makes one connector for the whole run, `share_group` one model group; without them each
    use makes its own.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._shared_connector: str | None = None
        self._shared_group: str | None = None

    # connectors, groups and users of a model

    @property
    def connector_id(self) -> str:
        """A standalone connector to the run's own endpoint."""
        return self._shared_connector or self.connector()

    def on(self, session: Session) -> MlCommons:
        """The same operations through another session with this target; in the run's group where that
        remembers what was made together with this one, for a group is removed with its last model."""
        if session is self.session:
            return self
        other = self.apart(session)
        if session.tracker is self.session.tracker:
            other._shared_group = self._shared_group
        return other

    def apart(self, session: Session) -> MlCommons:
        """The same for another user, who may not register in the run's group, or for a check beside which
        others go on: registrations in one group at the same moment get in each other's way."""
        other = MlCommons(session)
        other._shared_connector = self._shared_connector
        return other

    def share_connector(self) -> None:
        """Make the connector that all checks use, open to all users. Raises `Untestable` where refused."""
        access = (
            {"access_mode": "public"} if opensearch_settings.connectors_are_controlled(self.session) else {}
        )
        created = self.create_connector(self.connector_body(**access))
        self._shared_connector = _made(created, "connector_id")
        self.session.shared[self._shared_connector] = (created,)
        opensearch_ml.stand_on(self.session, "connector", self._shared_connector)

    def connector_body(self, **changes: Any) -> dict[str, Any]:
        """A connector that the recorded versions accept; a change to None leaves the member out.

        Raises `Untestable` where the target lets no connector reach the run's own endpoint.
        """
        if self.session.facts.endpoint_refused:
            raise Untestable(self.session.facts.endpoint_refused, Remedy.PERMISSION)
        body: dict[str, Any] = {
            "name": self.session.new_name("connector"),
            "description": "made by a conformance run",
            "version": 1,
            "protocol": "http",
            "parameters": {"model": "m"},
            "credential": {"key": "mlconform-credential"},
            "actions": [
                {
                    "action_type": "predict",
                    "method": "POST",
                    "url": self.session.endpoint.url,
                    "headers": {"Authorization": "Bearer ${credential.key}"},
                    "request_body": '{ "q": "${parameters.q}" }',
                }
            ],
        }
        body.update(changes)
        return {name: value for name, value in body.items() if value is not None}

    def create_connector(self, body: Mapping[str, Any]) -> Exchange:
        created = self.session.request("POST", f"{ML}/connectors/_create", body)
        self._track(created, "connector", "connector_id")
        return created

    def connector(self) -> str:
        created = self.create_connector(self.connector_body())
        return _made(created, "connector_id")

    def register_group(self, body: Mapping[str, Any]) -> Exchange:
        registered = self.session.request("POST", f"{ML}/model_groups/_register", body)
        self._track(registered, "model group", "model_group_id")
        return registered

    def group_body(self) -> dict[str, Any]:
        return {"name": self.session.new_name("group"), "description": "made by a conformance run"}

    def group(self, **fields: Any) -> str:
        return _made(self.register_group(self.group_body() | fields), "model_group_id")

    @property
    def group_id(self) -> str:
        """A group for models, of no further interest."""
        return self._shared_group or self.group()

    def share_group(self) -> None:
        """Make the group of all models that need none of their own: to make one costs a node a search and two
        more writes, and it can't be deleted until the index was refreshed after its last model went. Raises
        `Untestable`."""
        made = self.register_group(self.group_body())
        group = _made(made, "model_group_id")
        # With a version in it, so that it does not go with the last of those that come.
        self.model(model_group_id=group)
        self._shared_group = group
        self.session.shared[group] = (made,)

    def get_group(self, group_id: str) -> Exchange:
        return self.session.request("GET", f"{ML}/model_groups/{quote(group_id, safe='')}")

    def register_agent(self, body: Mapping[str, Any]) -> Exchange:
        registered = self.session.request("POST", f"{ML}/agents/_register", body)
        self._track(registered, "agent", "agent_id")
        return registered

    def get_task(self, task_id: str) -> Exchange:
        return self.session.request("GET", f"{ML}/tasks/{quote(task_id, safe='')}")

    # the operations on models

    def register(self, body: Mapping[str, Any], query: str = "") -> Exchange:
        registered = self.session.request("POST", f"{ML}/models/_register{query}", body)
        self.track_model(registered)
        return registered

    def track_model(self, registered: Exchange) -> None:
        """Have the model that this answer tells of removed after the check."""
        self._track(registered, "model", "model_id")

    def get(self, model_id: str) -> Exchange:
        return self.session.request("GET", model_path(model_id))

    def update(self, model_id: str, body: Any) -> Exchange:
        return self.session.request("PUT", model_path(model_id), body)

    def delete(self, model_id: str) -> Exchange:
        return self.session.request("DELETE", model_path(model_id))

    def deploy(self, model_id: str, body: Any = ABSENT) -> Exchange:
        return self.session.request("POST", model_path(model_id, "/_deploy"), body)

    def undeploy(self, model_id: str, body: Any = ABSENT) -> Exchange:
        return self.session.request("POST", model_path(model_id, "/_undeploy"), body)

    def undeploy_many(self, body: Any = ABSENT) -> Exchange:
        return self.session.request("POST", f"{ML}/models/_undeploy", body)

    def predict(self, model_id: str, body: Any = PREDICT_INPUT) -> Exchange:
        return self.session.request("POST", model_path(model_id, "/_predict"), body)

    # prerequisites

    def remote_body(self, **fields: Any) -> dict[str, Any]:
        """What registers a remote model on the run's connector; a field of None leaves the member out."""
        body = {
            "name": self.session.new_name("model"),
            "function_name": "remote",
            "description": "made by a conformance run",
            "connector_id": self.connector_id,
        }
        return {name: value for name, value in {**body, **fields}.items() if value is not None}

    def just_registered(self, **fields: Any) -> str:
        """A remote model right after the answer to its registration; in the run's group unless another is
        given, or None."""
        body = self.remote_body(**{"model_group_id": self._shared_group, **fields})
        return _made(self.register(body), "model_id")

    def model(self, **fields: Any) -> str:
        """A registered remote model that can be read, not deployed; its group as of `just_registered`."""
        model_id = self.just_registered(**fields)
        there = self.session.settle(lambda: self.get(model_id), lambda exchange: exchange.status == 200)
        if not there:
            raise Untestable(f"a registered model could not be read: {there.value.summary}")
        return model_id

    def deployed_model(self, **fields: Any) -> str:
        """A remote model that is deployed and settled."""
        model_id = self.model(**fields)
        self.bring_up(model_id)
        return model_id

    def bring_up(self, model_id: str, body: Any = ABSENT) -> Exchange:
        """Deploy and wait for the state; returns the answer to the deploy."""
        answered = self.deploy(model_id, body)
        if answered.status != 200:
            raise Untestable(f"a model could not be deployed: {answered.summary}")
        settled = self.settle_deploy(model_id, answered)
        if not settled:
            raise Untestable(f"a deployed model did not reach DEPLOYED: its state is {settled.value}")
        return answered

    def settle_deploy(self, model_id: str, answered: Exchange) -> Settled[str]:
        """Wait until the deploy of this answer has the model deployed, or its task ended and it failed.

        Of several nodes one may be late to know: as many reads in a row must say so.
        """
        task = self.await_task(answered)
        ended = task is not None and task.member("state") in ENDED
        in_a_row = 0

        def deployed(state: str) -> bool:
            nonlocal in_a_row
            in_a_row = in_a_row + 1 if state == "DEPLOYED" else 0
            return in_a_row >= len(self.session.facts.nodes)

        return self.session.settle(
            lambda: self.state(model_id),
            deployed,
            unless=lambda state: ended and state == "DEPLOY_FAILED",
        )

    def settle_undeploy(self, model_id: str, *, budget: float = STATE_BUDGET_SECONDS) -> Settled[str]:
        """Wait until a model that was deployed reads as undeployed, or as what it does not leave alone."""
        return self.session.settle(
            lambda: self.state(model_id),
            lambda state: state == "UNDEPLOYED",
            unless=lambda state: state == "DEPLOY_FAILED",
            budget=budget,
        )

    def take_down(self, model_id: str) -> Exchange:
        """Undeploy and wait for the state; returns the answer to the undeploy."""
        answered = self.undeploy(model_id)
        if answered.status != 200:
            raise Untestable(f"a model could not be undeployed: {answered.summary}")
        settled = self.settle_undeploy(model_id)
        if not settled:
            raise Untestable(f"an undeployed model did not reach UNDEPLOYED: its state is {settled.value}")
        return answered

    def user_of(self, kind: str, model_id: str) -> str:
        """An ingest pipeline, search pipeline or agent that uses the model; waits until it can be found."""
        if kind == "agent":
            return self._agent(self.session.new_name("agent"), model_id)
        put = self.put_pipeline(kind, model_id)
        if put.status != 200:
            raise Untestable(f"no {kind} could be made: {put.summary}")
        return put.request.path.rpartition("/")[2]

    def put_pipeline(self, kind: str, model_id: str) -> Exchange:
        """Send the pipeline of this kind that uses the model."""
        name = self.session.new_name(kind.replace(" ", "-"))
        put = self.session.request("PUT", opensearch_ml.PATHS[kind] + name, _pipeline(kind, model_id))
        if put.answer is not None and put.status == 200:
            opensearch_ml.track(self.session, kind, name)
        return put

    def remove_user(self, kind: str, name: str) -> None:
        """Remove a user of a model; waits until it can no longer be found."""
        problem = opensearch_ml.remove_plain(self.session, kind, name)
        if problem is not None:
            raise Untestable(f"the {kind} could not be removed: {problem}")
        if kind == "agent":
            self._await_hit(kind, name, lambda hit: hit is None)

    # reading and waiting

    def state(self, model_id: str) -> str:
        """The model's state as it reads, or `absent`."""
        return state_of(self.get(model_id))

    def settle_state(self, model_id: str, *states: str, budget: float = STATE_BUDGET_SECONDS) -> Settled[str]:
        """Wait until the state is one of these."""
        return self.session.settle(lambda: self.state(model_id), lambda state: state in states, budget=budget)

    def await_task(self, answered: Exchange) -> Exchange | None:
        """Wait until the task of this answer has ended, where the answer names one."""
        task_id = answered.member("task_id")
        if not isinstance(task_id, str):
            return None
        settled = self.session.settle(
            lambda: self.get_task(task_id),
            lambda task: task.status == 200 and task.member("state") in ENDED,
        )
        return settled.value

    def await_found(self, kind: str, resource_id: str, **fields: Any) -> None:
        """Wait until a search finds a resource with these fields.

        A node finds what uses a thing by search, and a search sees a change only after the index
        was refreshed. Raises `Untestable` where it does not come to that.
        """
        self._await_hit(kind, resource_id, lambda hit: hit is not None and fields.items() <= hit.items())

    def _await_hit(
        self, kind: str, resource_id: str, until: Callable[[Mapping[str, Any] | None], bool]
    ) -> None:
        path = opensearch_ml.PATHS[kind] + "_search"
        body = {"query": {"ids": {"values": [resource_id]}}}
        settled = self.session.settle(
            lambda: self.session.request("POST", path, body),
            lambda answered: answered.status == 200 and until(first_hit(answered)),
        )
        if not settled:
            raise Untestable(f"a search for the {kind} {resource_id} did not settle: {settled.value.summary}")

    def when_ready(self, send: Callable[[], Exchange]) -> Exchange:
        """Send until the model is no longer answered to be deploying: an answer may come before the deed."""
        return self.session.settle(
            send, lambda exchange: not (exchange.status == 409 and _DEPLOYING_TEXT in exchange.text)
        ).value

    def change(self, model_id: str, body: Mapping[str, Any]) -> None:
        """Update a model for what comes after, once it is no longer deploying: of several nodes one may be
        late. Raises `Untestable` where that is refused."""
        changed = self.when_ready(lambda: self.update(model_id, body))
        if changed.status != 200:
            raise Untestable(f"a model could not be changed to {sorted(body)}: {changed.summary}")

    def set(self, **settings: Any) -> None:
        """Change cluster settings by their names in this module; put back after the check."""
        names = {globals()[name]: value for name, value in settings.items()}
        opensearch_settings.change_settings(self.session, names)

    def try_setting(self, name: str, value: Any) -> Exchange:
        """Set one cluster setting by its full name, whatever the answer; put back after the check."""
        opensearch_settings.remember_settings(self.session, [name])
        return self.put_settings({name: value})

    def put_settings(self, persistent: Mapping[str, Any]) -> Exchange:
        return self.session.request("PUT", SETTINGS, {"persistent": persistent})

    def _agent(self, name: str, model_id: str) -> str:
        tool = {"type": "MLModelTool", "name": "t", "parameters": {"model_id": model_id, "prompt": "x"}}
        body = {"name": name, "type": "flow", "description": "made by a conformance run", "tools": [tool]}
        registered = self.register_agent(body)
        agent_id = _made(registered, "agent_id")
        # A read sees it at once, a search only later.
        self.session.request("GET", f"{ML}/agents/{quote(agent_id, safe='')}")
        self.await_found("agent", agent_id)
        return agent_id

    def _track(self, exchange: Exchange, kind: str, member: str) -> None:
        if exchange.answer is not None and exchange.status == 200:
            created = exchange.member(member)
            if isinstance(created, str):
                opensearch_ml.track(self.session.keeper or self.session, kind, created)


def _made(exchange: Exchange, member: str) -> str:
    if exchange.status != 200 or not isinstance(exchange.member(member), str):
        raise Untestable(
            f"prerequisite: {exchange.request.method} {exchange.request.path} should have given "
            f"{member}, but {exchange.summary}"
        )
    return str(exchange.member(member))


def state_of(read: Exchange) -> str:
    """The state that a read of a model tells, or `absent`."""
    return "absent" if read.status == 404 else str(read.member("model_state"))


def first_hit(exchange: Exchange) -> Mapping[str, Any] | None:
    """The fields of the first thing that a search found, or None."""
    hits = exchange.member("hits", "hits")
    first = hits[0] if isinstance(hits, list) and hits else None
    return first.get("_source", {}) if isinstance(first, dict) else None


def _pipeline(kind: str, model_id: str) -> Mapping[str, Any]:
    def processor(read: str, written: str) -> Iterable[Mapping[str, Any]]:
        inference = {
            "function_name": "remote",
            "model_id": model_id,
            "input_map": [{"q": read}],
            "output_map": [{written: "x"}],
        }
        return [{"ml_inference": inference}]

    if kind == "ingest pipeline":
        return {"processors": processor("text", "out")}
    return {"request_processors": processor("query.match.text.query", "query.match.text.query")}
