"""What a cluster remembers of ML Commons: documents in indices, each with its version and sequence number."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast

from msgspec import Struct, field

from mlconform.mock_server.opensearch_ml.model_files import Chunk, SparseTokenizer
from mlconform.mock_server.opensearch_ml.nodes import uuid_of

DocumentT = TypeVar("DocumentT")
OtherT = TypeVar("OtherT")
JsonObject = dict[str, Any]

_DELETED_KEPT = 1_000


class ModelState(StrEnum):
    """The states of a model's lifecycle."""

    REGISTERING = "REGISTERING"
    REGISTERED = "REGISTERED"
    TRAINED = "TRAINED"
    DEPLOYING = "DEPLOYING"
    DEPLOYED = "DEPLOYED"
    PARTIALLY_DEPLOYED = "PARTIALLY_DEPLOYED"
    UNDEPLOYED = "UNDEPLOYED"
    DEPLOY_FAILED = "DEPLOY_FAILED"


class TaskState(StrEnum):
    """The states of a task."""

    CREATED = "CREATED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERROR = "COMPLETED_WITH_ERROR"
    FAILED = "FAILED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class Owner(Struct, frozen=True):
    """The user who made something, as that user was then; `tenant_access` is WRITE for an admin."""

    name: str
    backend_roles: list[str]
    roles: list[str]
    tenant_access: str

    def view(self) -> JsonObject:
        """The members in OpenSearch's order."""
        return {
            "name": self.name,
            "backend_roles": self.backend_roles,
            "roles": self.roles,
            "user_requested_tenant": "null",
            "user_requested_tenant_access": self.tenant_access,
            "custom_attribute_names": [],
        }


class Connector(Struct):
    """A connector. `credential` is kept and never shown; every parameter is a text."""

    name: str | None
    version: str | None
    description: str | None
    protocol: str | None
    parameters: JsonObject
    credential: JsonObject
    actions: list[JsonObject] | None
    created: int = 0
    updated: int = 0
    client_config: JsonObject | None = None
    backend_roles: list[str] | None = None
    access: str | None = None
    owner: Owner | None = None


class RateLimiter(Struct):
    """At most `limit` predict calls a `unit`; both are text, as the API shows them."""

    limit: str | None = None
    unit: str | None = None


class LocalFile(Struct, frozen=True):
    """The file of a model that runs on the nodes, as far as it is known; its size is in bytes.

    One that is made up has no content.
    """

    format: str
    content_hash: str | None = None
    size: int | None = None
    chunks: int | None = None
    made_up: bool = False


class Model(Struct):
    """One model version. Times are epoch milliseconds, `last_used`, `last_asked` and
    `local_node_forgot_at` seconds.

    `worker_nodes` is what the document says; after a restart nothing of it may be true, and `unlisted_nodes`
    have the model in memory though the document says that none has. `requests` and
    `inferences` count the predict calls, and those answered, since the model came into memory, `asked_at`
    those that came to nodes without it, the last one when it was `last_asked`. Of nodes that
    may not notice that a model is disabled: `met_by_predict` says that a call asked for it since it left
    memory, `is_disabled_unnoticed` that the next one is answered. `redeploys` counts how often it was
    deployed again by itself since a client asked for it, and its document tells that where it
    `counts_redeploys`; one that `is_unsettled` still seems deployed to
    a node that came back, one that `is_stuck` leaves no memory, and of one that
    `is_kept_as_failed` nodes remember a deploy that failed. `tokenizer` is what nodes made of its file, which
    comes in chunks where it `is_announced`.
    """

    id: str
    name: str
    algorithm: str
    version: str
    state: ModelState
    created: int | None = None
    updated: int | None = None
    group_id: str | None = None
    description: str | None = None
    connector_id: str | None = None
    connector: Connector | None = None
    deploy_setting: JsonObject | None = None
    is_enabled: bool | None = None
    is_controller_enabled: bool | None = None
    rate_limiter: RateLimiter | None = None
    interface: dict[str, str] | None = None
    guardrails: JsonObject | None = None
    model_config: JsonObject | None = None
    file: LocalFile | None = None
    is_announced: bool = False
    learned: JsonObject | None = None
    tokenizer: SparseTokenizer | None = None
    registered_at: int | None = None
    deployed_at: int | None = None
    last_used: float = 0.0
    id_in_document: bool = False
    was_deployed: bool = False
    planned_nodes: tuple[str, ...] | None = None
    worker_nodes: tuple[str, ...] = ()
    unlisted_nodes: tuple[str, ...] = ()
    on_all_nodes: bool = False
    lost_in_restart: bool = False
    local_node_forgot_at: float | None = None
    requests: int = 0
    inferences: int = 0
    asked_at: dict[str, int] = field(default_factory=dict)
    last_asked: float = 0.0
    met_by_predict: bool = False
    is_disabled_unnoticed: bool = False
    redeploys: int = 0
    counts_redeploys: bool = False
    is_unsettled: bool = False
    is_stuck: bool = False
    is_kept_as_failed: bool = False

    @property
    def ttl_minutes(self) -> int | None:
        """Minutes that the model stays in memory unused, or None for ever; so does a negative TTL."""
        ttl = (self.deploy_setting or {}).get("model_ttl_minutes")
        return ttl if ttl is not None and ttl >= 0 else None

    @property
    def may_deploy_itself(self) -> bool:
        """Whether a predict call may deploy the model, as far as the model has a say in it."""
        return (self.deploy_setting or {}).get("is_auto_deploy_enabled") is not False

    def change_at(self, stamp: int) -> None:
        """The document changes now; its time never goes back."""
        self.updated = stamp if self.updated is None else max(stamp, self.updated + 1)

    def forget_requests(self) -> None:
        """The model left the memory of the node that counts."""
        self.requests = self.inferences = 0
        self.met_by_predict = False

    def forget_asked_at(self, nodes: Collection[str]) -> None:
        """These nodes were told to have the model or to have it no more."""
        self.asked_at = {node: count for node, count in self.asked_at.items() if node not in nodes}

    @property
    def memory_nodes(self) -> tuple[str, ...]:
        """The nodes that have the model in memory."""
        return () if self.lost_in_restart else self.worker_nodes or self.unlisted_nodes

    @property
    def in_memory(self) -> bool:
        """Whether at least one node can serve the model."""
        return bool(self.memory_nodes)


class ModelGroup(Struct):
    """A group of model versions; `latest_version` never goes down.

    One that was made without access control has no owner.
    """

    name: str
    description: str | None
    created: int
    updated: int
    latest_version: int = 0
    owner: Owner | None = None
    access: str = "public"
    backend_roles: list[str] | None = None


class Task(Struct):
    """What became of one asynchronous operation. Times are epoch milliseconds, `due` epoch seconds.

    `due` is when the job behind a batch predict is done; the task learns of it when somebody reads it.
    """

    type: str
    function: str
    state: TaskState
    nodes: tuple[str, ...]
    created: int
    updated: int
    is_async: bool = False
    model_id: str | None = None
    error: str | None = None
    input_type: str | None = None
    remote_job: JsonObject | None = None
    due: float | None = None


class Agent(Struct):
    """An agent, as it was registered; `definition` is what the API shows beside the times."""

    definition: JsonObject
    created: int
    updated: int


class Controller(Struct):
    """The rate limits of a model's users, by user name."""

    model_id: str
    limits: dict[str, RateLimiter]


class Write(Struct, frozen=True):
    """What one write to an index did, as every document API of OpenSearch answers it."""

    index: str
    id: str
    version: int
    seq_no: int
    result: str
    forced_refresh: bool
    shards: int
    copies: int

    def answer(self) -> JsonObject:
        """The members in OpenSearch's order."""
        refreshed = {"forced_refresh": True} if self.forced_refresh else {}
        return {
            "_index": self.index,
            "_id": self.id,
            "_version": self.version,
            "result": self.result,
            **refreshed,
            "_shards": {"total": self.copies, "successful": self.shards, "failed": 0},
            "_seq_no": self.seq_no,
            "_primary_term": 1,
        }


class _Sequence(Struct):
    """The number that the next write to an index gets."""

    following: int = 0


class Index(Generic[DocumentT]):
    """Documents by id. Versions outlive their documents for a while, so that a deleted id goes on counting.

    A write goes to `shards` of the `copies` of its shard, which are as many where nothing else is said.
    Documents can be looked up by the value of each field in `fields` too. Documents of another kind in the
    same index are `beside` these: writes to both have one sequence. One that is `made` is there before its
    first document.
    """

    def __init__(
        self,
        name: str,
        shards: int,
        fields: tuple[str, ...] = (),
        *,
        copies: int | None = None,
        beside: Index[Any] | None = None,
        made: bool = False,
    ) -> None:
        self.name = name
        self._made = made
        self.shards = shards
        self.copies = shards if copies is None else copies
        self._keys: dict[str, dict[Any, dict[str, None]]] = {name: {} for name in fields}
        self._values: dict[str, dict[str, Any]] = {name: {} for name in fields}
        self._documents: dict[str, DocumentT] = {}
        self._versions: dict[str, int] = {}
        self._seq_nos: dict[str, int] = {}
        self._sequence: _Sequence = _Sequence() if beside is None else beside._sequence
        self._deleted: dict[str, None] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._documents

    def __iter__(self) -> Iterator[tuple[str, DocumentT]]:
        return iter(list(self._documents.items()))

    def __len__(self) -> int:
        return len(self._documents)

    @property
    def uuid(self) -> str:
        """What OpenSearch knows the index by."""
        return uuid_of(self.name)

    @property
    def exists(self) -> bool:
        """Whether it was made, by somebody or by its first document."""
        return self._made or self._sequence.following > 0

    def get(self, key: str) -> DocumentT | None:
        """The document, or None."""
        return self._documents.get(key)

    def where(self, name: str, value: Any) -> list[str]:
        """The ids of the documents whose field of this name has this value, the first to get it first."""
        return list(self._keys[name].get(value, ()))

    def _look_up(self, key: str) -> None:
        """Bring the look-up of one id to the present."""
        document = self._documents.get(key)
        for name, values in self._values.items():
            value = None if document is None else getattr(document, name)
            before = values.pop(key, None)
            if value is not None:
                values[key] = value
            if value == before:
                continue
            keys = self._keys[name]
            if before is not None:
                del keys[before][key]
                if not keys[before]:
                    del keys[before]
            if value is not None:
                keys.setdefault(value, {})[key] = None

    def put(self, key: str, document: DocumentT, *, forced_refresh: bool = False) -> Write:
        """Create or replace a document."""
        result = "updated" if key in self._documents else "created"
        self._documents[key] = document
        return self._write(key, result, forced_refresh)

    def touch(self, key: str) -> None:
        """Count one more write of a document that was changed in place, unless it is gone meanwhile."""
        if key in self._documents:
            self._write(key, "updated", forced_refresh=False)

    def delete(self, key: str, *, forced_refresh: bool = True) -> Write:
        """Remove a document; an id that is not there is a write too, with the result `not_found`.

        It makes no index where there is none.
        """
        if not self.exists:
            return Write(self.name, key, 1, 0, "not_found", forced_refresh, self.shards, self.copies)
        result = "not_found" if self._documents.pop(key, None) is None else "deleted"
        write = self._write(key, result, forced_refresh)
        self._deleted.pop(key, None)
        self._deleted[key] = None
        if len(self._deleted) > _DELETED_KEPT:
            forgotten = next(iter(self._deleted))
            del self._deleted[forgotten]
            if forgotten not in self._documents:
                del self._versions[forgotten], self._seq_nos[forgotten]
        return write

    def standing(self, key: str) -> tuple[int, int]:
        """Version and sequence number of the last write to an id."""
        return self._versions[key], self._seq_nos[key]

    def standings(self) -> dict[str, list[int]]:
        """Version and sequence number of every id that was ever written."""
        return {key: [version, self._seq_nos[key]] for key, version in self._versions.items()}

    def load(self, documents: dict[str, DocumentT], standings: dict[str, list[int]]) -> None:
        """Take these documents and standings instead of those that there are."""
        self._documents = documents
        for key in documents:
            self._look_up(key)
        missing = {key: [1, number] for number, key in enumerate(documents) if key not in standings}
        self._versions = {key: standing[0] for key, standing in {**missing, **standings}.items()}
        self._seq_nos = {key: standing[-1] for key, standing in {**missing, **standings}.items()}
        last = max(self._seq_nos.values(), default=-1)
        self._sequence.following = max(self._sequence.following, last + 1)

    def with_those(self, beside: Index[OtherT]) -> Index[DocumentT | OtherT]:
        """All documents of an index whose kinds are kept apart, to be read."""
        if not len(beside):
            return cast("Index[DocumentT | OtherT]", self)
        both: Index[DocumentT | OtherT] = Index(self.name, self.shards)
        both.load({**self._documents, **beside._documents}, {**self.standings(), **beside.standings()})
        return both

    def _write(self, key: str, result: str, forced_refresh: bool) -> Write:
        if self._keys:
            self._look_up(key)
        self._versions[key] = self._versions.get(key, 0) + 1
        self._seq_nos[key] = self._sequence.following
        self._sequence.following += 1
        standing = self.standing(key)
        return Write(self.name, key, *standing, result, forced_refresh, self.shards, self.copies)


class Store:
    """Everything clients have made, in indices of one primary, and a replica where there is a second node."""

    def __init__(self, node_count: int) -> None:
        shards = min(node_count, 2)
        self.models: Index[Model] = Index(".plugins-ml-model", shards, ("group_id", "connector_id"))
        # In the index of models, beside them.
        self.chunks: Index[Chunk] = Index(self.models.name, shards, ("model_id",), beside=self.models)
        self.groups: Index[ModelGroup] = Index(".plugins-ml-model-group", shards, ("name",))
        self.connectors: Index[Connector] = Index(".plugins-ml-connector", shards)
        self.tasks: Index[Task] = Index(".plugins-ml-task", shards)
        self.agents: Index[Agent] = Index(".plugins-ml-agent", shards)
        self.controllers: Index[Controller] = Index(".plugins-ml-controller", shards)
        self.shards = shards
        self.indices: dict[str, Index[JsonObject]] = {}
        self.ingest_pipelines: dict[str, JsonObject] = {}
        self.search_pipelines: dict[str, JsonObject] = {}

    def new_index(self, name: str) -> Index[JsonObject]:
        """An index of documents, with the one replica that an index has when nobody says otherwise."""
        return self.indices.setdefault(name, Index(name, self.shards, copies=2, made=True))
