"""What happens to models as time passes: deployments that finish, the sync-up job, TTLs, restarts.

Nothing runs in the background. `settle` brings the cluster to the clock's present by letting everything
that was due happen in order, and it is called before each request is answered: a moved clock needs no
waiting.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mock_server.opensearch_ml.environment import Environment
from mock_server.opensearch_ml.settings import AUTO_REDEPLOY, SYNC_INTERVAL, Settings
from mock_server.opensearch_ml.store import Model, ModelState, Store, Task, TaskState

Happening = tuple[float, Callable[[float], None]]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment under way. Times are epoch seconds."""

    model_id: str
    task_id: str
    nodes: tuple[str, ...]
    on_all_nodes: bool
    running_at: float
    due: float


class Lifecycle:
    """The states of models and of the tasks that move them."""

    def __init__(self, environment: Environment, settings: Settings, store: Store) -> None:
        self._rules = environment.rules
        self._clock = environment.clock
        self._node_ids = environment.node_ids
        self._ids = environment.ids
        self._settings = settings
        self._store = store
        self._deployments: dict[str, Deployment] = {}
        self._lost_in_restart: set[str] = set()
        self._settled_at = self._sync_start = self._clock.now()
        self._quiet_until = -math.inf

    def settle(self) -> None:
        """Let everything happen that was due by now, in order of time."""
        now = self._clock.now()
        while now >= self._quiet_until:
            at, happen = min(self._happenings(), key=lambda due: due[0], default=(math.inf, None))
            if happen is None or at > now:
                self._quiet_until = at
                break
            happen(at)
            self._settled_at = max(self._settled_at, at)
        self._settled_at = max(self._settled_at, now)

    def disturb(self) -> None:
        """Something changed: look again for what is due next; else `settle` trusts what it last saw."""
        self._quiet_until = -math.inf

    def _happenings(self) -> Iterator[Happening]:
        for deployment in self._deployments.values():
            task = self._store.tasks.get(deployment.task_id)
            if task is not None and task.state is TaskState.CREATED:
                yield deployment.running_at, self._starter(deployment.task_id, task)
            elif self._rules.deploys_finish:
                yield deployment.due, self._finisher(deployment)
        tick = self._next_eventful_tick()
        if tick is not None:
            yield tick, self._sync_up

    def _starter(self, task_id: str, task: Task) -> Callable[[float], None]:
        def start(at: float) -> None:
            task.state, task.updated = TaskState.RUNNING, _milliseconds(at)
            self._store.tasks.touch(task_id)

        return start

    def _finisher(self, deployment: Deployment) -> Callable[[float], None]:
        return lambda at: self._finish(deployment, at)

    # The sync-up job: ticks at multiples of its interval since the start or the interval's last change.

    def restart_sync_up(self) -> None:
        """Count the interval of the sync-up job from now; its setting was changed."""
        self._sync_start = self._clock.now()

    def _next_eventful_tick(self) -> float | None:
        interval = self._settings.number(SYNC_INTERVAL)
        if interval == 0:
            return None
        after_settled = math.floor((self._settled_at - self._sync_start) / interval) + 1
        counts = [
            max(after_settled, math.ceil((expiry - self._sync_start) / interval))
            for expiry in self._expiries()
        ]
        if self._lost_in_restart and self._rules.auto_redeploy:
            counts.append(after_settled)
        return self._sync_start + min(counts) * interval if counts else None

    def _expiries(self) -> Iterator[float]:
        return (expiry for _, model in self._store.models if (expiry := self._expiry(model)) is not None)

    def _expiry(self, model: Model) -> float | None:
        ttl = model.ttl_minutes
        if ttl is None or not model.in_memory or model.id in self._deployments or not self._rules.ttl_checked:
            return None
        return model.last_used + (ttl + self._rules.ttl_error_minutes) * 60

    def _sync_up(self, at: float) -> None:
        for _, model in self._store.models:
            expiry = self._expiry(model)
            # A tick is computed by a multiplication, so it may miss its instant by a rounding error.
            if expiry is not None and expiry <= at + 1e-6:
                self._leave_memory(model, self._node_ids)
        lost, self._lost_in_restart = self._lost_in_restart, set()
        for model_id in sorted(lost):
            lost_model = self._store.models.get(model_id)
            if lost_model is not None and self._settings.on(AUTO_REDEPLOY):
                self.deploy(lost_model, None, at=at)

    # Deploy.

    def deploy(self, model: Model, node_ids: tuple[str, ...] | None, *, at: float | None = None) -> str:
        """Begin to deploy a model on these nodes, or on all with None; gives the id of the task.

        A deployment of the same model that is under way ends first.
        """
        self.finish(model)
        start = self._clock.now() if at is None else at
        nodes = self._node_ids if node_ids is None or not self._rules.node_ids_limit_deploy else node_ids
        stamp = _milliseconds(start)
        task_id = self._ids.document()
        task = Task("DEPLOY_MODEL", model.algorithm, TaskState.CREATED, nodes, stamp, stamp, is_async=True)
        if self._rules.deploy_task_names_model:
            task.model_id = model.id
        self._store.tasks.put(task_id, task)
        self._lost_in_restart.discard(model.id)
        latency = self._rules.deploy_latency
        self._deployments[model.id] = Deployment(
            model.id, task_id, nodes, node_ids is None, start + latency / 2, start + latency
        )
        model.state, model.planned_nodes, model.on_all_nodes = ModelState.DEPLOYING, nodes, node_ids is None
        model.updated = stamp
        self._store.models.touch(model.id)
        return task_id

    def finish(self, model: Model) -> None:
        """Let a deployment that is under way end now."""
        deployment = self._deployments.get(model.id)
        if deployment is not None and self._rules.deploys_finish:
            self._finish(deployment, self._clock.now())

    def _finish(self, deployment: Deployment, at: float) -> None:
        del self._deployments[deployment.model_id]
        model = self._store.models.get(deployment.model_id)
        if model is None:
            self._end_task(deployment.task_id, at, dict.fromkeys(deployment.nodes, "Failed to find model"))
            return
        stamp = _milliseconds(at)
        model.updated = model.deployed_at = stamp
        self._store.models.touch(model.id)
        missing = model.connector_id is not None and model.connector_id not in self._store.connectors
        if missing:
            model.state, model.worker_nodes = ModelState.DEPLOY_FAILED, ()
            reason = f"Failed to find connector:{model.connector_id}"
            self._end_task(deployment.task_id, at, dict.fromkeys(deployment.nodes, reason))
            return
        model.state, model.worker_nodes, model.was_deployed = ModelState.DEPLOYED, deployment.nodes, True
        model.last_used = at
        self._end_task(deployment.task_id, at, {})

    def _end_task(self, task_id: str, at: float, errors: dict[str, str]) -> None:
        task = self._store.tasks.get(task_id)
        if task is None or not self._rules.deploy_task_completes:
            return
        task.state = TaskState.FAILED if errors else TaskState.COMPLETED
        task.error = json.dumps(errors, separators=(",", ":")) if errors else None
        task.updated = _milliseconds(at)
        self._store.tasks.touch(task_id)

    # Undeploy and restart.

    def undeploy(self, model: Model, node_ids: tuple[str, ...]) -> dict[str, bool]:
        """Take a model out of the memory of these nodes; tells for each whether it was there.

        A deployment that is under way ends first: the two requests take effect one after the other.
        """
        self.finish(model)
        found = {node: node in model.worker_nodes for node in node_ids}
        if self._deployments.pop(model.id, None) is not None:
            model.state = ModelState.UNDEPLOYED
        self._lost_in_restart.discard(model.id)
        if any(found.values()) and self._rules.undeploy_takes_effect:
            self._leave_memory(model, node_ids)
        return found

    def _leave_memory(self, model: Model, node_ids: tuple[str, ...]) -> None:
        rest = tuple(node for node in model.worker_nodes if node not in node_ids)
        model.worker_nodes = model.planned_nodes = rest
        if rest:
            model.updated, model.on_all_nodes = _milliseconds(self._clock.now()), False
        else:
            model.state = ModelState.UNDEPLOYED
        self._store.models.touch(model.id)

    def use(self, model: Model) -> None:
        """A predict call used the model: its time to live begins anew."""
        if self._rules.ttl_renewed_by_predict:
            model.last_used = self._clock.now()

    def read(self, model: Model) -> None:
        """Somebody looked at the model, which is no use of it."""
        if self._rules.ttl_renewed_by_read:
            model.last_used = self._clock.now()
            self.disturb()

    def restart(self) -> None:
        """Every node restarts: nothing is in memory, and what was under way is lost."""
        now = self._clock.now()
        for deployment in list(self._deployments.values()):
            self._end_task(deployment.task_id, now, dict.fromkeys(deployment.nodes, "node restarted"))
        interrupted = set(self._deployments)
        self._deployments.clear()
        self._sync_start = now
        if not self._rules.restart_empties_memory:
            return
        for _, model in self._store.models:
            if model.in_memory or model.id in interrupted:
                model.worker_nodes, model.planned_nodes = (), ()
                model.state = ModelState.UNDEPLOYED
                self._store.models.touch(model.id)
                if self._settings.on(AUTO_REDEPLOY):
                    self._lost_in_restart.add(model.id)


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
