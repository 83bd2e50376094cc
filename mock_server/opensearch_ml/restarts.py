"""What a restart of every node does to models, and how they come back to memory by themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from mlconform.mock_server.opensearch_ml.environment import Environment
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import AUTO_REDEPLOY, Settings
from mlconform.mock_server.opensearch_ml.store import Model, ModelState, Store

Redeploy = Callable[[Model, float], object]


class Restarts:
    """`lost` are the models that are to be deployed again; `at` is when, in epoch seconds.

    Where the rules have no time for that, it is when the sync-up job runs. `missing` still seem deployed.
    """

    def __init__(
        self, environment: Environment, settings: Settings, store: Store, redeploy: Redeploy
    ) -> None:
        self._rules = environment.rules
        self._clock = environment.clock
        self._settings = settings
        self._models = store.models
        self._redeploy = redeploy
        self._ids = environment.ids
        self._job_comes_first = True
        self.lost: set[str] = set()
        self.missing: set[str] = set()
        self.at = 0.0

    def begin(self, interrupted: Collection[str]) -> None:
        """Every node restarts: nothing is in memory any more; `interrupted` were being deployed."""
        self.at = self._clock.now() + (self._rules.redeploys_after or 0)
        self._job_comes_first = self._ids.happens(self._rules.job_comes_first)
        for _, model in self._models:
            model.forget_requests()
            model.asked_at.clear()
            model.is_kept_as_failed = False
            if not model.in_memory and model.id not in interrupted:
                continue
            if self._settings.on(AUTO_REDEPLOY):
                self.lost.add(model.id)
            if model.in_memory and not self._rules.restart_shows_undeployed:
                model.lost_in_restart = True
                self.missing.add(model.id)
            else:
                self._leave(model, ModelState.UNDEPLOYED)

    def happenings(self) -> Iterator[tuple[float, Callable[[float], None]]]:
        """When models are deployed again, where that has a time of its own."""
        if self.lost and self._rules.auto_redeploy and self._rules.redeploys_after is not None:
            yield self.at, self.deploy_again

    @property
    def need_the_job(self) -> bool:
        """Whether the sync-up job has something to do for models that a restart took from memory."""
        waiting = bool(self.lost) and self._rules.auto_redeploy and self._rules.redeploys_after is None
        return waiting or self._job_looks

    def meet_the_job(self, at: float) -> None:
        """The sync-up job runs: it deploys models again, or finds that no node has them."""
        if self._rules.redeploys_after is None:
            self.deploy_again(at)
        if not self._job_looks:
            return
        missing, self.missing = self.missing, set()
        for model_id in sorted(missing):
            model = self._models.get(model_id)
            if model is not None and model.lost_in_restart:
                self.lost.discard(model_id)
                planned = model.planned_nodes
                model.change_at(int(at * 1000))
                self._leave(model, ModelState.DEPLOY_FAILED)
                model.planned_nodes = planned

    @property
    def _job_looks(self) -> bool:
        """Whether the job finds what is in no memory; by chance not before models are deployed again."""
        may = self._job_comes_first or not self.lost
        return self._rules.lost_models_fail and may and bool(self.missing)

    def deploy_again(self, at: float) -> None:
        """Deploy what is to be deployed again, where the setting still wants that."""
        lost, self.lost = self.lost, set()
        for model_id in sorted(lost):
            model = self._models.get(model_id)
            if model is not None and self._settings.on(AUTO_REDEPLOY):
                self._redeploy(model, at)

    def _leave(self, model: Model, state: ModelState) -> None:
        model.worker_nodes = model.planned_nodes = model.unlisted_nodes = ()
        model.tokenizer, model.lost_in_restart, model.state = None, False, state
        self._models.touch(model.id)
