"""What happens to models as time passes: deployments that finish, the sync-up job, TTLs, restarts.

Nothing runs in the background. `settle` brings the cluster to the clock's present by letting everything
that was due happen in order, and it is called before each request is answered: a moved clock needs no
waiting.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from mlconform.mock_server import codec
from mlconform.mock_server.opensearch_ml.copies import Copies
from mlconform.mock_server.opensearch_ml.departures import Departures
from mlconform.mock_server.opensearch_ml.environment import Environment
from mlconform.mock_server.opensearch_ml.limits import Limits
from mlconform.mock_server.opensearch_ml.loading import loaded, loading_seconds
from mlconform.mock_server.opensearch_ml.model_files import FileError
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import AUTO_REDEPLOY, Settings
from mlconform.mock_server.opensearch_ml.registering import Registrations
from mlconform.mock_server.opensearch_ml.remnants import Remnants
from mlconform.mock_server.opensearch_ml.restarts import Restarts
from mlconform.mock_server.opensearch_ml.store import Model, ModelState, Store, Task, TaskState
from mlconform.mock_server.opensearch_ml.sync_up import SyncUp
from mlconform.mock_server.opensearch_ml.work import LOCAL_MODEL_SECONDS, Deployment, Outcome, Registration

# From the answer to a predict call until the deployment that it began is seen: nodes refuse a call while they
# try to deploy, and write down what they have deployed after they have answered. When is chance: after 4 to
# 430 ms in 80 tries on busy nodes, in half of them after 80 ms or less.
_FAILING_DEPLOY_LAG, _AUTO_DEPLOY_LAG = 0.01, 0.08
_MEAN_AUTO_DEPLOY_LAG, _LONGEST_AUTO_DEPLOY_LAG = 0.12, 0.45

Happening = tuple[float, Callable[[float], None]]


class Lifecycle:
    """The states of models and of the tasks that move them."""

    def __init__(self, environment: Environment, settings: Settings, store: Store) -> None:
        self._rules = environment.rules
        self._clock = environment.clock
        self._node_ids = environment.node_ids
        self._local_node_id = environment.local_node_id
        self._ids = environment.ids
        self._settings = settings
        self._store = store
        self._deployments: dict[str, Deployment] = {}
        self._coming: dict[str, Deployment] = {}
        self._reads: dict[str, int] = {}
        self._progress = environment.progress
        self._outcomes = environment.outcomes
        self._settled_at = self._clock.now()
        self.copies = Copies(environment)
        self.limits = Limits(environment.rules, settings, store)
        self.registrations = Registrations(environment, store, self.limits, self._deploy_everywhere)
        self.sync_up = SyncUp(environment, settings, store)
        self.remnants = Remnants(self.sync_up)
        self.departures = Departures(environment, settings, store, self, self.remnants)
        self.restarts = Restarts(environment, settings, store, self._deploy_everywhere)
        self._quiet_until = -math.inf

    def settle(self) -> None:
        """Let everything happen that was due by now, in order of time."""
        now = self._clock.now()
        while now >= self._quiet_until:
            at, happen = min(self._happenings(now), key=lambda due: due[0], default=(math.inf, None))
            if happen is None or at > now:
                self._quiet_until = -math.inf if self.registrations.wait_for_files else at
                break
            happen(at)
            self._settled_at = max(self._settled_at, at)
        self._settled_at = max(self._settled_at, now)

    def disturb(self) -> None:
        """Something changed: look again for what is due next; else `settle` trusts what it last saw."""
        self._quiet_until = -math.inf

    def _happenings(self, now: float) -> Iterator[Happening]:
        for deployment in self._coming.values():
            yield deployment.begins_at, self._beginner(deployment)
        for work in self._under_way():
            task = self._store.tasks.get(work.task_id)
            if task is not None and task.state is TaskState.CREATED:
                yield work.running_at, self._starter(work.task_id, task)
            if isinstance(work, Registration):
                yield self.registrations.due(work, now), self._finisher(work)
            elif self._rules.deploys_finish:
                yield work.due, self._finisher(work)
        yield from self.restarts.happenings()
        any_lost = self.restarts.need_the_job
        tick = self.sync_up.next_tick(self._settled_at, self._deployments, any_lost=any_lost)
        if tick is not None:
            yield tick, self._sync_up

    def dump(self) -> dict[str, Any]:
        """What is under way, as JSON values."""
        return {
            "coming": codec.dump(list(self._coming.values())),
            "deployments": codec.dump(list(self._deployments.values())),
            "registrations": self.registrations.dump(),
            "lost_in_restart": sorted(self.restarts.lost),
            "redeploy_at": self.restarts.at,
            "gone": sorted(self.departures.gone),
        }

    def load(self, dumped: dict[str, Any]) -> None:
        """Go on with what was under way. Raises CodecError for what is no dump."""
        deployments = list[Deployment]
        coming = codec.load(deployments, dumped.get("coming", []), "work.coming")
        self._coming = {work.model_id: work for work in coming}
        under_way = codec.load(deployments, dumped.get("deployments", []), "work.deployments")
        self._deployments = {work.model_id: work for work in under_way}
        self.registrations.load(dumped.get("registrations", []))
        lost = codec.load(list[str], dumped.get("lost_in_restart", []), "work.lost_in_restart")
        self.restarts.lost = set(lost)
        self.restarts.at = codec.load(float, dumped.get("redeploy_at", 0.0), "work.redeploy_at")
        self.departures.gone = set(codec.load(list[str], dumped.get("gone", []), "work.gone"))
        self.restarts.missing = {key for key, model in self._store.models if model.lost_in_restart}
        for _, model in self._store.models:
            self.sync_up.watch(model)
        self.disturb()

    def _under_way(self) -> list[Deployment | Registration]:
        return [*self.registrations, *self._deployments.values()]

    def _beginner(self, deployment: Deployment) -> Callable[[float], None]:
        return lambda at: self._begin(deployment, at)

    def _starter(self, task_id: str, task: Task) -> Callable[[float], None]:
        def start(at: float) -> None:
            self.copies.before_change(task_id, task, at)
            task.state, task.updated = TaskState.RUNNING, _milliseconds(at)
            self._store.tasks.touch(task_id)

        return start

    def _finisher(self, work: Deployment | Registration) -> Callable[[float], None]:
        return lambda at: self._end(work, at)

    def _end(self, work: Deployment | Registration, at: float) -> None:
        self._reads.pop(work.task_id, None)
        if isinstance(work, Registration):
            self.registrations.finish(work, at)
        else:
            self._finish(work, at)

    def look(self, key: str) -> None:
        """Somebody read the task or the model with this id: work that goes on by being read goes on."""
        if self._progress.reads is None:
            return
        for work in self._under_way():
            if key not in (work.task_id, work.model_id) or _never_ends(work):
                continue
            self._reads[work.task_id] = self._reads.get(work.task_id, 0) + 1
            if self._reads[work.task_id] >= self._progress.reads:
                self._end(work, self._clock.now())

    def _sync_up(self, at: float) -> None:
        for model in self.sync_up.expired(at):
            if model.id not in self._deployments:
                self._leave_memory(model, self._node_ids)
        self.restarts.meet_the_job(at)

    # Deploy.

    def deploy(self, model: Model, node_ids: tuple[str, ...] | None, *, at: float | None = None) -> str:
        """Begin to deploy a model on these nodes, or on all with None; gives the id of the task.

        A deployment of the same model that is under way ends first; recorded nodes may take that ill.
        """
        raced = model.id in self._coming or model.id in self._deployments
        self.finish(model)
        model.redeploys, model.is_unsettled = 0, False
        start = self._clock.now() if at is None else at
        deployment = self._plan(model, node_ids, start)
        if raced and self._ids.happens(self._rules.raced_deploy_fails):
            deployment = replace(deployment, outcome=Outcome.FAILED)
        self._begin(deployment, start)
        return deployment.task_id

    def _deploy_everywhere(self, model: Model, at: float) -> None:
        self.deploy(model, None, at=at)

    def auto_deploy(self, model: Model) -> None:
        """A predict call needs the model: deploy it where it was planned to be, else everywhere.

        The call is answered first: the documents of model and task change a little later.
        """
        if model.id not in self._coming and model.id not in self._deployments:
            node_ids = model.memory_nodes or None
            start = self._clock.now() + self._auto_deploy_lag(model)
            self._coming[model.id] = self._plan(model, node_ids, start, automatic=True)

    def _auto_deploy_lag(self, model: Model) -> float:
        if self.lacks_connector(model):
            return _FAILING_DEPLOY_LAG
        if self._rules.auto_deploy_is_seen_by_chance:
            return self._ids.lasting(_MEAN_AUTO_DEPLOY_LAG, _LONGEST_AUTO_DEPLOY_LAG)
        return _AUTO_DEPLOY_LAG

    def _plan(
        self, model: Model, node_ids: tuple[str, ...] | None, start: float, *, automatic: bool = False
    ) -> Deployment:
        everywhere = self.departures.eligible(model)
        nodes = node_ids if node_ids is not None and self._rules.node_ids_limit_deploy else everywhere
        is_local = model.algorithm != "REMOTE"
        refusals = self.limits.refusals(model, nodes, list(self._deployments.values()))
        quick = LOCAL_MODEL_SECONDS if is_local else self._rules.deploy_latency
        is_refused = bool(nodes) and refusals.keys() >= set(nodes)
        loading = 0.0 if is_refused else loading_seconds(self._store, model)
        latency = self._progress.latency(quick + loading)
        outcome = self._outcomes.deploy_outcome(model.id)
        if automatic and self.lacks_connector(model):
            # The recorded nodes were still trying 30 ms after they had refused the call.
            latency = max(latency, 0.05)
        return Deployment(
            model.id,
            self._ids.document(),
            nodes,
            node_ids is None,
            begins_at=start,
            running_at=start + min(latency / 2, quick),
            due=math.inf if outcome is Outcome.NEVER else start + latency,
            automatic=automatic,
            outcome=outcome,
            refusals=refusals,
        )

    def _begin(self, deployment: Deployment, at: float) -> None:
        self._coming.pop(deployment.model_id, None)
        model = self._store.models.get(deployment.model_id)
        if model is None:
            return
        stamp = _milliseconds(at)
        task = Task(
            "DEPLOY_MODEL", model.algorithm, TaskState.CREATED, deployment.nodes, stamp, stamp, is_async=True
        )
        if self._rules.deploy_task_names_model and self._rules.running_deploy_task_names_model:
            task.model_id = model.id
        self._store.tasks.put(deployment.task_id, task)
        self.restarts.lost.discard(model.id)
        self._deployments[model.id] = deployment
        model.state, model.planned_nodes = ModelState.DEPLOYING, deployment.nodes
        model.on_all_nodes = deployment.on_all_nodes
        model.change_at(stamp)
        self._store.models.touch(model.id)

    def finish(self, model: Model) -> None:
        """Let a deployment that is under way or about to begin end now."""
        now = self._clock.now()
        coming = self._coming.get(model.id)
        if coming is not None:
            self._begin(coming, now)
        deployment = self._deployments.get(model.id)
        if deployment is not None and self._rules.deploys_finish and not _never_ends(deployment):
            self._end(deployment, now)

    def lacks_connector(self, model: Model) -> bool:
        """Whether the model names a connector that is not there, so that no deployment can succeed."""
        return model.connector_id is not None and model.connector_id not in self._store.connectors

    def serves(self, model: Model) -> bool:
        """Whether a predict call can be answered, by what is in memory or is on its way there."""
        under_way = self._coming.get(model.id) or self._deployments.get(model.id)
        succeeds = under_way is not None and under_way.automatic and under_way.outcome is Outcome.DEPLOYED
        return model.in_memory or (
            succeeds and self._rules.deploys_finish and not self.lacks_connector(model)
        )

    def _finish(self, deployment: Deployment, at: float) -> None:
        del self._deployments[deployment.model_id]
        model = self._store.models.get(deployment.model_id)
        if model is None:
            self._end_task(deployment, at, dict.fromkeys(deployment.nodes, "Failed to find model"))
            return
        stamp = _milliseconds(at)
        model.change_at(stamp)
        model.deployed_at = model.updated
        self._store.models.touch(model.id)
        errors = self._errors(deployment, model)
        if len(errors) < len(deployment.nodes):
            errors |= self._load(deployment, model)
        reached = tuple(node for node in deployment.nodes if node not in errors)
        if not self._rules.deploy_reaches_all_nodes:
            reached = reached[:-1] or reached
        self._end_task(deployment, at, errors, reached)
        model.worker_nodes, model.unlisted_nodes = reached, ()
        model.forget_asked_at(reached)
        if not reached:
            rules = self._rules
            ends = rules.failed_auto_deploy_ends if deployment.automatic else rules.failed_deploy_ends
            model.state = ModelState.DEPLOY_FAILED if ends else ModelState.DEPLOYING
            return
        model.state = ModelState.PARTIALLY_DEPLOYED if errors else ModelState.DEPLOYED
        model.was_deployed, model.last_used = True, at
        model.counts_redeploys |= self._settings.on(AUTO_REDEPLOY)
        model.lost_in_restart, model.local_node_forgot_at = False, None
        self.sync_up.watch(model)

    def _errors(self, deployment: Deployment, model: Model) -> dict[str, str]:
        """What went wrong, by node."""
        if model.is_kept_as_failed:
            return dict.fromkeys(deployment.nodes, "Duplicate deploy model task")
        if self.lacks_connector(model):
            model.is_kept_as_failed = self._rules.failed_deploy_is_kept
            return dict.fromkeys(deployment.nodes, f"Failed to find connector:{model.connector_id}")
        if deployment.refusals:
            return deployment.refusals
        if deployment.outcome is Outcome.FAILED:
            return dict.fromkeys(deployment.nodes, _FAULT)
        if deployment.outcome is Outcome.PARTIAL:
            return dict.fromkeys(deployment.nodes[(len(deployment.nodes) + 1) // 2 :], _FAULT)
        return {}

    def _load(self, deployment: Deployment, model: Model) -> dict[str, str]:
        """Make of the model's file what answers, on all nodes alike; what went wrong, by node."""
        try:
            model.tokenizer = loaded(self._store, self._rules, model)
        except FileError as error:
            return dict.fromkeys(deployment.nodes, str(error))
        return {}

    def _end_task(
        self, deployment: Deployment, at: float, errors: dict[str, str], reached: tuple[str, ...] = ()
    ) -> None:
        task = self._store.tasks.get(deployment.task_id)
        if task is None or not self._rules.deploy_task_completes:
            return
        self.copies.before_change(deployment.task_id, task, at)
        failed = TaskState.COMPLETED_WITH_ERROR if reached else TaskState.FAILED
        task.state = failed if errors else TaskState.COMPLETED
        if self._rules.deploy_task_names_model:
            task.model_id = deployment.model_id
        task.error = json.dumps(errors, separators=(",", ":")) if errors else None
        # As recorded, a failure is written down some milliseconds after the model has failed.
        task.updated = _milliseconds(at) + (5 if errors else 0)
        self._store.tasks.touch(deployment.task_id)

    # Undeploy and restart.

    def undeploy(self, model: Model, node_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Take a model out of the memory of these nodes; tells on which of them it was.

        A deployment that is under way and can succeed ends first: the two requests take effect one after
        the other.
        """
        if not self.lacks_connector(model):
            self.finish(model)
        found = tuple(node for node in node_ids if node in model.memory_nodes)
        if not self._rules.deploys_finish and self._deployments.pop(model.id, None) is not None:
            model.state = ModelState.UNDEPLOYED
        self.restarts.lost.discard(model.id)
        if not self._rules.undeploy_keeps_registrations:
            self.registrations.lose_file(model.id)
        model.forget_asked_at(node_ids)
        model.is_kept_as_failed = False
        if found and self._rules.undeploy_takes_effect and not model.is_stuck:
            self._leave_memory(model, node_ids)
            if not model.in_memory and self.sync_up.meets(self._rules.undeploy_meets_sync_up):
                model.state, model.planned_nodes = ModelState.DEPLOY_FAILED, found
                model.change_at(_milliseconds(self._clock.now()))
        if model.is_unsettled and not model.in_memory:
            # The job that looks after models goes on to believe that a node deploys it.
            model.state, model.planned_nodes = ModelState.DEPLOYING, self.departures.eligible(model)
        return found

    def mark_undeployed(self, model: Model) -> None:
        """An undeploy asked nodes that have no such model: its document says from now on that none has."""
        if model.state is ModelState.DEPLOYING:
            return
        model.unlisted_nodes = model.memory_nodes
        model.state, model.planned_nodes, model.worker_nodes = ModelState.UNDEPLOYED, (), ()
        model.change_at(_milliseconds(self._clock.now()))
        self._store.models.touch(model.id)

    def _leave_memory(self, model: Model, node_ids: tuple[str, ...]) -> None:
        rest = tuple(node for node in model.memory_nodes if node not in node_ids)
        if self._local_node_id not in rest:
            model.forget_requests()
        if rest and self._local_node_id in model.worker_nodes and self._local_node_id not in rest:
            model.local_node_forgot_at = self._clock.now()
        model.unlisted_nodes = () if self._rules.undeploy_frees_memory else model.memory_nodes
        model.worker_nodes = model.planned_nodes = rest
        if rest:
            model.on_all_nodes = False
        else:
            model.state = ModelState.UNDEPLOYED
        if not model.in_memory:
            model.tokenizer = None
        self._store.models.touch(model.id)

    def forget(self, model: Model) -> None:
        """A model is deleted; recorded nodes keep one on its way to memory, or that failed to get there."""
        coming = self._coming.pop(model.id, None)
        if model.is_kept_as_failed and self._rules.failed_deploy_outlives_delete:
            self.remnants.keep(model, ModelState.DEPLOYING, model.planned_nodes or (), self._clock.now())
        elif coming is not None and self._ids.happens(self._rules.deleted_stays_in_memory):
            self.remnants.keep(model, ModelState.DEPLOYED, coming.nodes, self._clock.now())
        elif self.sync_up.asked(model):
            self.remnants.remember(model)

    def use(self, model: Model) -> None:
        """A predict call used the model: its time to live begins anew."""
        if self._rules.ttl_renewed_by_predict:
            model.last_used = self._clock.now()

    def read(self, model: Model) -> None:
        """Somebody looked at the model, which is no use of it."""
        self.look(model.id)
        if self._rules.ttl_renewed_by_read:
            model.last_used = self._clock.now()
            self.disturb()

    def restart(self) -> None:
        """Every node restarts: nothing is in memory, deployments under way fail, registrations go on."""
        now = self._clock.now()
        for deployment in list(self._deployments.values()):
            self._end_task(deployment, now, dict.fromkeys(deployment.nodes, "node restarted"))
        interrupted = set(self._deployments)
        self._deployments.clear()
        self._coming.clear()
        self.remnants.restart()
        self.sync_up.restart()
        if self._rules.restart_empties_memory:
            self.restarts.begin(interrupted)


_FAULT = "The mock was told to let this deployment fail"


def _never_ends(work: Deployment | Registration) -> bool:
    return isinstance(work, Deployment) and work.outcome is Outcome.NEVER


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
