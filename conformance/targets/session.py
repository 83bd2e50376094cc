"""The one way to talk to a target: requests, waiting, time, and a memory of what was created."""

from __future__ import annotations

import copy
import itertools
import json as json_codec
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeVar

from mlconform.conformance.contract.model import Condition, Remedy
from mlconform.conformance.errors import PrerequisiteMissing, TargetUnreachable
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.clock import TargetClock
from mlconform.conformance.targets.credentials import Credentials
from mlconform.conformance.targets.endpoint import ModelEndpoint
from mlconform.conformance.targets.exchange import Answer, Exchange, OutgoingRequest
from mlconform.conformance.targets.interruption import raise_if_came
from mlconform.conformance.targets.restart import by_command
from mlconform.conformance.targets.settle import Settled, settle, wait
from mlconform.conformance.targets.tracker import Remaining, Resource, Tracker, complaints, remove_all
from mlconform.conformance.targets.transport import AnswerCutOff, Transport

T = TypeVar("T")
ABSENT: Final = object()
JSON_TYPE = "application/json"
# What a user gives to a target that lacks a capability.
_GIVES: Final = {
    "restart": Remedy.RESTART,
    "change settings": Remedy.SETTINGS,
    "second node": Remedy.NODES,
    "several addresses": Remedy.NODES,
    "leaving node": Remedy.NODE_COMMANDS,
}
# A deploy of a remote model was recorded to take 0.3 s on one node and 1 s on three.
STATE_BUDGET_SECONDS = 20.0
# How the addresses begin at which a mock is controlled, and that at which it lets a node leave and come back.
CONTROL: Final = "/_mock/"
CONTROLLED_NODES = f"{CONTROL}nodes"
REMOVAL_BUDGET_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What the user said about talking to the target.

    `credentials` are the run's own account, `users` those of others whom it may act as; with `create_users`
    it may make more of them. `max_wait` is the most real seconds that one check may let
    pass. `prefix` starts the name of everything the run creates. `shared` says that others may use the
    target meanwhile. `wait_for_turn` is the most seconds to wait for another run to leave it.
    `restart_command` restarts the target; `stop_node_command` stops one of its nodes, and
    `start_node_command` starts it again. `endpoint_url` is the model behind the connectors where
    somebody else has started it.
    """

    prefix: str
    credentials: Credentials | None = None
    may_change_settings: bool = True
    max_wait: float = 120.0
    endpoint_host: str = "127.0.0.1"
    model_ids: tuple[str, ...] = ()
    shared: bool = False
    wait_for_turn: float = 0.0
    endpoint_url: str | None = None
    restart_command: str | None = None
    stop_node_command: str | None = None
    start_node_command: str | None = None
    users: tuple[Credentials, ...] = ()
    create_users: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What discovery learned of a target.

    `settings_refused` is the answer that says that the account may not change cluster settings, and
    `endpoint_refused` why connectors may not reach the run's own endpoint; empty where they may. `unmet`
    are the conditions of which it is known that they do not hold. `held` are the models that nodes had in
    memory when the run began, by their ids.
    """

    profile: str
    product: str
    version: str
    nodes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    settings_refused: str = ""
    endpoint_refused: str = ""
    unmet: frozenset[Condition] = frozenset()
    held: frozenset[str] = frozenset()


class Watch(Protocol):
    """Is shown every exchange of a session, in the order in which the answers came."""

    def saw(self, exchange: Exchange, *, racing: bool) -> None:
        """`racing` says that other requests were under way."""


@dataclass
class Session:
    """A conversation with one target under one profile.

    `wire_requirement` is the requirement that an answer broken on the wire violates. `exclusive`
    says that no other check runs beside this one, so that time may be moved while settling.
    `shared` are the requests that made or allowed what several checks use, by the id or word that shows in a
    request that it does: they belong to the evidence.
    `grounds` are what the run stands on; each says what is missing of it, or None.
    `watch`, where there is one, is shown every exchange. `keeper` is who removes what is made here, where
    that is somebody else. `elsewhere` are the ways to the other nodes of the same cluster. `deeds`
    tell what was done to the target itself in this check.
    """

    transport: Transport
    options: SessionOptions
    wire_requirement: str
    facts: Facts = Facts("", "", "")
    exclusive: bool = False
    journal: list[Exchange] = field(default_factory=list)
    tracker: Tracker = field(default_factory=Tracker)
    shared: dict[str, tuple[Exchange, ...]] = field(default_factory=dict)
    grounds: list[Callable[[], str | None]] = field(default_factory=list)
    watch: Watch | None = None
    keeper: Session | None = None
    elsewhere: tuple[Transport, ...] = ()
    deeds: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._names = itertools.count(1)
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self.begin_endpoint()
        self.clock = TargetClock(None, max_wait=self.options.max_wait)
        self._let_in = False
        self._can_restart = False
        self._can_stop_nodes = False
        self._requests = 0
        self._seconds = 0.0
        self._racing = False

    def begin_endpoint(self) -> None:
        """Have an endpoint that nobody has used; that of before, if there was one, is left as it is."""
        self.endpoint = ModelEndpoint(self.options.endpoint_host, elsewhere=self.options.endpoint_url)

    def beside(self) -> Session:
        """A conversation that goes on beside this one, with the same target: evidence, memory of what it
        makes, and budget of time are its own."""
        other = copy.copy(self)
        other.exclusive, other._racing = False, True
        other.journal, other.tracker = [], Tracker()
        other.clock = TargetClock(None, max_wait=self.options.max_wait)
        other._began = time.monotonic()
        return other

    def acting_as(self, credentials: Credentials | None, *, removes_itself: bool = False) -> Session:
        """This conversation as somebody else, or as nobody; evidence, memory and time are shared.

        What is made so is removed by this session's account, unless it `removes_itself`.
        """
        other = copy.copy(self)
        other.options = replace(self.options, credentials=credentials)
        other.keeper = None if removes_itself else self
        other._let_in = False
        return other

    def at_other_nodes(self) -> tuple[Session, ...]:
        """This conversation through each other node of the target; evidence, memory and time are shared."""
        return tuple(self.through(transport) for transport in self.elsewhere)

    def through(self, transport: Transport) -> Session:
        """This conversation by another way to the same target; what is made so, this one removes."""
        other = copy.copy(self)
        other.transport, other.keeper = transport, self
        return other

    # requests

    def request(
        self,
        method: str,
        path: str,
        json: Any = ABSENT,
        *,
        raw: bytes | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        authorize: bool = True,
        connection: str | None = None,
    ) -> Exchange:
        """Send one request and keep the exchange as evidence.

        `json` is encoded as the body; `raw` is sent as it is. Requests that name the same `connection`
        share it. An answer that is cut off is kept in the exchange and raises `BrokenAnswer` when it is
        looked at. Raises `TargetUnreachable`.
        """
        started = time.monotonic()
        exchange = self._sent(method, path, json, raw, content_type, headers, authorize, connection)
        with self._lock:
            self.journal.append(exchange)
            self._requests += 1
            self._seconds += time.monotonic() - started
            if self.watch is not None:
                self.watch.saw(exchange, racing=self._racing)
        return exchange

    def aside(self, method: str, path: str, json: Any = ABSENT) -> Exchange:
        """As `request`, of what is no evidence: the run looks after itself, also beside the checks."""
        return self._sent(method, path, json)

    def _sent(
        self,
        method: str,
        path: str,
        json: Any,
        raw: bytes | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        authorize: bool = True,
        connection: str | None = None,
    ) -> Exchange:
        body = raw if json is ABSENT else json_codec.dumps(json).encode()
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if body is not None:
            sent.setdefault("content-type", content_type or JSON_TYPE)
        # Who names its own authorization is somebody else.
        credentials = self.options.credentials if authorize and "authorization" not in sent else None
        request = OutgoingRequest(method, path, sent, body, credentials, connection)
        at = time.monotonic() - self._began
        answer, problem = None, None
        try:
            answer = self.transport.send(request)
        except AnswerCutOff as error:
            problem = str(error)
        if answer is not None and credentials is not None:
            self._watch_account(credentials, answer)
        return Exchange(request, answer, at, self.transport.base_url, self.wire_requirement, problem)

    def _watch_account(self, credentials: Credentials, answer: Answer) -> None:
        """Raise `TargetUnreachable` where the run's own account was let in before and is not any more."""
        if answer.status != HTTPStatus.UNAUTHORIZED:
            self._let_in = True
        elif self._let_in:
            # A model's own service may answer 401 too.
            root = self.transport.send(OutgoingRequest("GET", "/", credentials=credentials))
            if root.status == HTTPStatus.UNAUTHORIZED:
                raise TargetUnreachable(
                    f"{self.transport.base_url} accepted the credentials of {credentials.name} before and "
                    "refuses them now (401): a token may have run out, or a password was changed. Give "
                    "them anew, and remove with `mlconform sweep` what the run could not."
                )

    @property
    def seconds_per_request(self) -> float:
        """How long the target took to answer so far, on average."""
        return self._seconds / self._requests if self._requests else 0.0

    def begin_sequence(self, before: Sequence[Exchange] = ()) -> None:
        """Forget the evidence so far but for `before`: a new check, or a new example of one, begins.

        Raises `KeyboardInterrupt` where one came before that was lost.
        """
        raise_if_came()
        with self._lock:
            self.journal[:] = before
            self.deeds.clear()
        self._began = time.monotonic()
        self.clock.start_check()

    def new_name(self, kind: str) -> str:
        """A name that no other resource has and that shows whose it is."""
        with self._lock:
            return f"{self.options.prefix}{kind}-{next(self._names)}"

    def clean(self, back_to: int = 0) -> list[str]:
        """Remove what was created since the tracker's mark; one message a reason why something stayed.

        Where the removal is interrupted, everything is still remembered.
        """
        taken = self.tracker.take(back_to)
        try:
            left = self.remove(taken)
        except BaseException:
            self.tracker.put_back(taken)
            raise
        return complaints(left)

    def remove(self, resources: list[Resource]) -> list[Remaining]:
        """Remove these in this order, and again what stayed, for a while; what is left.

        What is in the way of another thing's removal may itself be gone only a little later: an
        index is refreshed once a second, an undeploy is answered before it is done.
        """
        left = remove_all(resources)

        def again() -> list[Remaining]:
            nonlocal left
            left = remove_all([remaining.resource for remaining in left])
            return left

        if any(not remaining.hopeless for remaining in left):
            self.settle(
                again,
                lambda remaining: all(each.hopeless for each in remaining),
                budget=REMOVAL_BUDGET_SECONDS,
            )
        return left

    def at_once(self, calls: Sequence[Callable[[], T]], *, seed: int) -> list[T]:
        """Run calls that send requests at the same moment; gives what they return, in the order given.

        On a mock in this process the requests interleave as the seed says, elsewhere as it happens.
        """
        self._racing = True
        try:
            return self.transport.at_once(calls, seed)
        finally:
            self._racing = False

    # time

    def let_pass(self, seconds: float, purpose: str) -> None:
        """Let time pass on the target; only exclusive checks may. Raises `Untestable` over budget."""
        self.clock.let_pass(seconds, purpose)

    def settle(
        self,
        read: Callable[[], T],
        until: Callable[[T], bool],
        *,
        budget: float = STATE_BUDGET_SECONDS,
        unless: Callable[[T], bool] | None = None,
    ) -> Settled[T]:
        """Wait for a state; see `mlconform.conformance.targets.settle.settle`.

        The evidence keeps the first and the last look alone: those between say nothing more.
        """
        looks: list[tuple[int, int]] = []

        def look() -> T:
            begin = len(self.journal)
            value = read()
            looks.append((begin, len(self.journal)))
            return value

        moves = self.exclusive and self.clock.movable
        settled = settle(
            look,
            until,
            budget=budget,
            unless=unless,
            pause=(lambda seconds: self.clock.let_pass(seconds, "settling")) if moves else wait,
            now=self.clock.now,
        )
        del self.journal[looks[0][1] : looks[-1][0]]
        return settled

    # what the run stands on

    def missing(self) -> str | None:
        """What the run stands on and somebody took away, or None; without it nothing can be judged."""
        return next((told for ground in self.grounds if (told := ground()) is not None), None)

    # capabilities

    def discover_control(self) -> None:
        """Ask once whether the target lets its time be moved and itself be restarted."""
        clock = self.request("GET", "/_mock/clock", authorize=False)
        if clock.answer is not None and clock.status == 200 and _is_object_with(clock, "now"):
            self.clock = TargetClock(self._advance, max_wait=self.options.max_wait)
        restart = self.request("GET", "/_mock/restart", authorize=False)
        self._can_restart = (
            restart.answer is not None and restart.status == 200 and _is_object_with(restart, "restarts")
        )
        nodes = self.request("GET", CONTROLLED_NODES, authorize=False)
        self._can_stop_nodes = (
            nodes.answer is not None and nodes.status == 200 and _is_object_with(nodes, "running")
        )

    @property
    def capabilities(self) -> dict[str, bool]:
        known = {
            "move time": self.clock.movable,
            "restart": self._can_restart or self.options.restart_command is not None,
            "change settings": self.options.may_change_settings,
        }
        # A service that shows no nodes cannot lack a second one.
        if not self.facts.nodes:
            return known
        return known | {
            "second node": len(self.facts.nodes) > 1,
            "several addresses": bool(self.elsewhere),
            "leaving node": len(self.facts.nodes) > 1
            and (self._can_stop_nodes or self.options.stop_node_command is not None),
        }

    def needs(self, capability: str) -> None:
        """Raise `Untestable` where the target lacks it."""
        if not self.capabilities.get(capability, False):
            raise Untestable(f"the target lacks what this needs: {capability}", remedy_of(capability))

    def restart(self) -> None:
        """Restart the target, or raise `Untestable` where that cannot be done from here."""
        if self.options.restart_command is not None:
            self.let_go()
            self.deeds.append(by_command(self.options.restart_command, self.aside))
            return
        if not self._can_restart:
            raise Untestable(
                "the target cannot be restarted from here; say how with --restart-command", Remedy.RESTART
            )
        answered = self.request("POST", "/_mock/restart", authorize=False)
        if answered.status != 200:
            raise Untestable(f"the restart was refused: {answered.summary}")

    def let_go(self) -> None:
        """Close the connections that are idle, to every node: one that finds its port held by connections of
        its last life may not come up again."""
        for transport in (self.transport, *self.elsewhere):
            transport.close()

    def close(self) -> None:
        self.endpoint.close()
        self.let_go()

    def _advance(self, seconds: float) -> None:
        moved = self.request("POST", "/_mock/clock", {"advance": seconds}, authorize=False)
        if moved.status != 200:
            raise PrerequisiteMissing(f"the target's clock could not be moved: {moved.summary}")


def _is_object_with(exchange: Exchange, member: str) -> bool:
    try:
        body = json_codec.loads(exchange.text)
    except ValueError:
        return False
    return isinstance(body, dict) and isinstance(body.get(member), int | float)


def remedy_of(capability: str) -> Remedy | None:
    """What gives a target this capability; None where a user can give nothing."""
    return _GIVES.get(capability)
