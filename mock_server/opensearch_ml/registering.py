"""Registrations of models whose file has to be fetched: the document is there at once, the file later."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from mlconform.mock_server import codec
from mlconform.mock_server.downloads import Download, Fetched
from mlconform.mock_server.opensearch_ml import model_files
from mlconform.mock_server.opensearch_ml.environment import Environment
from mlconform.mock_server.opensearch_ml.limits import Limits
from mlconform.mock_server.opensearch_ml.loading import chunk_of
from mlconform.mock_server.opensearch_ml.model_files import FileError
from mlconform.mock_server.opensearch_ml.store import LocalFile, Model, ModelState, Store, Task, TaskState
from mlconform.mock_server.opensearch_ml.work import LOCAL_MODEL_SECONDS, Registration

# From a registration's answer to its refusal, as recorded.
_REFUSAL_SECONDS = 0.002
# Where a node keeps what it has fetched, as its errors tell it.
_PLACE = "/data/ml_cache/models_cache/register"
NO_HASH = (
    "Model content Hash code need to be provided when register via url. Please calculate sha 256 Hash code."
)


class Registrations:
    """What is being registered. `deploy` begins the deployment of a model that is to be deployed at once."""

    def __init__(
        self, environment: Environment, store: Store, limits: Limits, deploy: Callable[[Model, float], object]
    ) -> None:
        self._environment = environment
        self._store = store
        self._limits = limits
        self._deploy = deploy
        self._going_on: dict[str, Registration] = {}
        self._downloads: dict[str, Download] = {}
        self._lost: set[str] = set()

    def __iter__(self) -> Any:
        return iter(list(self._going_on.values()))

    @property
    def wait_for_files(self) -> bool:
        """Whether a file is on its way, which may arrive at any moment."""
        return bool(self._downloads)

    def begin(
        self,
        model: Model,
        *,
        url: str | None = None,
        content_hash: str | None = None,
        deploy: bool = False,
        failure: str | None = None,
    ) -> str:
        """Begin to register a model; gives the id of the task.

        `failure` is what is known to go wrong. The file behind `url` is fetched where the mock does that,
        else it is the made-up one that the model comes with.
        """
        environment = self._environment
        now, latency = environment.clock.now(), environment.progress.latency(LOCAL_MODEL_SECONDS)
        failure = self._limits.registration_refusal(len(self._going_on)) or failure
        if failure is not None:
            latency = min(latency, _REFUSAL_SECONDS)
        task_id, stamp = environment.ids.document(), int(now * 1000)
        nodes = (environment.local_node_id,)
        task = Task("REGISTER_MODEL", model.algorithm, TaskState.CREATED, nodes, stamp, stamp, is_async=True)
        self._store.tasks.put(task_id, task)
        download = None if failure is not None or url is None else environment.downloads.begin(url)
        if download is not None:
            self._downloads[task_id] = download
        running_at = now + min(latency / 2, LOCAL_MODEL_SECONDS)
        self._going_on[task_id] = Registration(
            model,
            task_id,
            running_at if environment.rules.registrations_run else math.inf,
            now + latency,
            file=model.file,
            content_hash=content_hash,
            from_url=url is not None,
            deploy=deploy,
            failure=failure,
            begun=now,
        )
        if failure is None:
            model.file = None if model.file is None else LocalFile(model.file.format)
            model.created = model.updated = stamp
            if environment.rules.registering_shows:
                model.state = ModelState.REGISTERING
            self._store.models.put(model.id, model)
        return task_id

    def lose_file(self, model_id: str) -> None:
        """Where the model is being registered what was fetched of its file is lost, so that this fails."""
        for registration in self._going_on.values():
            if registration.model_id == model_id and registration.from_url:
                self._lost.add(model_id)

    def due(self, registration: Registration, now: float) -> float:
        """When a registration ends, in epoch seconds: not before its file is there."""
        download = self._downloads.get(registration.task_id)
        if download is None or registration.due > now:
            return registration.due
        elapsed = math.inf if self._environment.progress.at_once else now - registration.begun
        return math.inf if download.arrived(elapsed) is None else max(registration.due, now)

    def finish(self, registration: Registration, at: float) -> None:
        """End a registration now."""
        del self._going_on[registration.task_id]
        download = self._downloads.pop(registration.task_id, None)
        failure, stamp = registration.failure, int(at * 1000)
        # A copy of the cluster has a model of its own under this id.
        model = self._store.models.get(registration.model.id)
        if failure is None:
            fetched = None if download is None else download.arrived(math.inf)
            failure = self._failure(model, registration, fetched, stamp)
        task = self._store.tasks.get(registration.task_id)
        if task is not None and self._environment.rules.register_task_completes:
            task.state = TaskState.COMPLETED if failure is None else TaskState.FAILED
            task.model_id = registration.model.id if failure is None else None
            task.error, task.updated = failure, stamp
            self._store.tasks.touch(registration.task_id)
        if registration.deploy and failure is None and model is not None:
            self._deploy(model, at)

    def _failure(
        self, model: Model | None, registration: Registration, fetched: Fetched | None, stamp: int
    ) -> str | None:
        """Make a model of what was fetched, or tell why there is none; then its document goes too."""
        if model is None:
            return f"[{registration.model.id}]: document missing"
        try:
            self._require_file(model)
            model.file = self._file(model, registration, fetched, stamp)
        except FileError as error:
            self._forget(model)
            return str(error)
        model.state, model.updated, model.registered_at = ModelState.REGISTERED, stamp, stamp
        self._store.models.touch(model.id)
        return None

    def _require_file(self, model: Model) -> None:
        """Raises FileError where what was fetched was lost."""
        if model.id in self._lost:
            self._lost.discard(model.id)
            raise FileError(f"{_PLACE}/{model.id}/{model.version}/{model.name}.zip")

    def _file(
        self, model: Model, registration: Registration, fetched: Fetched | None, stamp: int
    ) -> LocalFile | None:
        """The file that the model has from now on. Raises FileError for one that is not what was told."""
        told = registration.content_hash
        content = None if fetched is None else self._content(model, fetched)
        if registration.from_url and told is None:
            raise FileError(NO_HASH)
        if fetched is None or content is None:
            return registration.file
        if fetched.error is None and self._environment.rules.content_hash_is_checked:
            model_files.require_hash(content, told or "")
        return self._kept(model, told, content, stamp)

    def _content(self, model: Model, fetched: Fetched) -> bytes:
        """What was fetched. Raises FileError where that failed, and for what is no model."""
        if fetched.error is None:
            if self._environment.rules.fetched_files_are_checked:
                model_files.require_model_files(fetched.content, model.algorithm)
            return fetched.content
        if self._environment.rules.failed_fetches_fail:
            raise FileError(fetched.error)
        return b""

    def _kept(self, model: Model, told: str | None, content: bytes, stamp: int) -> LocalFile:
        """Keep a file in chunks."""
        parts = list(model_files.parts_of(content))
        size = len(content) if self._environment.rules.size_is_measured else 0
        file = LocalFile("" if model.file is None else model.file.format, told, size, len(parts))
        for number, part in enumerate(parts):
            chunk = chunk_of(model, file, number, part)
            chunk.name, chunk.created = model.name, stamp
            self._store.chunks.put(chunk.id, chunk)
        return file

    def _forget(self, model: Model) -> None:
        """Nothing is left of a model that could not be registered, nor of a group that was made for it."""
        self._store.models.delete(model.id)
        group_id = model.group_id or ""
        group = self._store.groups.get(group_id)
        if group is not None and group.name == model.name and group.latest_version <= 1:
            self._store.groups.delete(group_id)

    def dump(self) -> list[Any]:
        """What is being registered, as JSON values."""
        dumped: list[Any] = codec.dump(list(self._going_on.values()))
        return dumped

    def load(self, dumped: Any) -> None:
        """Go on with what was being registered, with files that are made up. Raises CodecError."""
        registrations = codec.load(list[Registration], dumped, "work.registrations")
        self._going_on = {work.task_id: work for work in registrations}
