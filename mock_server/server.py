"""The mock server: spaces that are isolated from each other behind one `handle`."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TypeVar

from mlconform.mock_server import codings, interleaving
from mlconform.mock_server.brought import brought
from mlconform.mock_server.clock import Clock
from mlconform.mock_server.core import Profile, Request, Response, json_response
from mlconform.mock_server.downloads import Downloads, LocalDownloads
from mlconform.mock_server.endpoint import RemoteEndpoint
from mlconform.mock_server.fault_injection import Faults
from mlconform.mock_server.faults import MUTANTS, NUGEN, OPENSEARCH_ML, Mutant
from mlconform.mock_server.nugen import rules as nugen_rules
from mlconform.mock_server.nugen.profile import Nugen
from mlconform.mock_server.opensearch_ml.behaviours import (
    BEHAVIOURS,
    pages_of,
    rules_of,
    show_version,
    version_of,
)
from mlconform.mock_server.opensearch_ml.environment import Environment
from mlconform.mock_server.opensearch_ml.nodes import Ids, make_nodes
from mlconform.mock_server.opensearch_ml.profile import OpenSearchMl
from mlconform.mock_server.opensearch_ml.security.accounts import Security
from mlconform.mock_server.opensearch_ml.work import Outcome, Progress
from mlconform.mock_server.space import Space

PROFILES = (OPENSEARCH_ML, NUGEN, *brought())
NAMESPACE_HEADER = "x-mock-namespace"
MAX_NAMESPACES = 1000
DEFAULT_DOCS_VERSION = "3.4"
DEFAULT_NODES = 2  # so that what concerns some nodes can be told from what concerns all

T = TypeVar("T")
_NAMESPACE = re.compile(r"[\w.:-]{1,100}")


class MockServer:
    """A target that answers the model APIs of its profiles, with state of its own.

    `behaviour` names what it follows: the pages of `docs_version` (3.4 unless given), or a recorded version,
    which has pages of its own. `mutant` names one deliberate fault, `nodes` the number of nodes of the
    OpenSearch cluster and `ml_nodes` how many of them are for machine learning (all unless given),
    `progress` when tasks end: `time`, `immediate`, or after so many reads. With `security` that cluster has
    users with roles, and serves nobody else. `downloads` is where files of local models come from that are
    registered by URL: this machine and private networks, unless given; nothing else is asked for over a
    network. Requests with the header `X-Mock-Namespace` have a space of that name to themselves. Two servers
    with one `seed` and one clock give the same answers to the same requests. Raises ValueError for a name
    that is not known; the message lists those that are.
    """

    def __init__(
        self,
        *,
        profiles: Collection[str] = PROFILES,
        docs_version: str | None = None,
        behaviour: str = "documented",
        nodes: int = DEFAULT_NODES,
        ml_nodes: int | None = None,
        clock: Clock | None = None,
        mutant: str | None = None,
        seed: int = 0,
        progress: str = "time",
        nugen_tokens: Collection[str] | None = None,
        security: Security | None = None,
        downloads: Downloads | None = None,
    ) -> None:
        self._fault = _find_mutant(mutant, profiles)
        _require_known("behaviour", behaviour, BEHAVIOURS)
        for profile in profiles:
            _require_known("profile", profile, PROFILES)
        self._names = tuple(name for name in (*brought(), NUGEN, OPENSEARCH_ML) if name in profiles)
        self._version = version_of(behaviour, docs_version, DEFAULT_DOCS_VERSION)
        self._behaviour = behaviour
        self._nodes = nodes
        self._ml_nodes = self._fault.ml_nodes if ml_nodes is None and self._fault is not None else ml_nodes
        self._seed = seed
        self._progress = Progress.named(progress)
        self._tokens = nugen_tokens
        self._security = security
        self._downloads = LocalDownloads() if downloads is None else downloads
        self._chance = random.Random(seed)
        self._published: dict[int, str] = {}
        self.clock = Clock() if clock is None else clock
        self._spaces = {"": Space(self.clock, self._profiles, seed)}

    @property
    def notice(self) -> str | None:
        """What whoever starts the server should know of its version, in one line, if there is something."""
        pages = pages_of(self._version)
        if pages == self._version:
            return None
        told, followed = show_version(self._version), show_version(pages)
        return f"no pages of {told} are known: the mock follows those of {followed} and says it is {told}.0"

    @property
    def node_count(self) -> int:
        """How many nodes the OpenSearch cluster has."""
        return self._nodes

    def publish(self, *addresses: str) -> None:
        """Let the nodes tell that they listen at these: host and port, that of the first node first.

        Without it they tell of no address, as where a load balancer stands before them.
        """
        self._published.clear()
        self._published.update(enumerate(addresses, 1))

    @property
    def faults(self) -> Faults:
        """The faults of the space that requests without a namespace use."""
        return self.space().faults

    def space(self, name: str = "") -> Space:
        """The space of this name, made when it is first asked for.

        Raises ValueError for a name that is none, and when there are too many.
        """
        space = self._spaces.get(name)
        if space is not None:
            return space
        if not _NAMESPACE.fullmatch(name):
            raise ValueError("a namespace is named with 1 to 100 letters, digits and . _ : -")
        if len(self._spaces) > MAX_NAMESPACES:
            raise ValueError(f"there are {MAX_NAMESPACES} namespaces already, which is the most")
        # Two threads may ask at once: the first one's space stays.
        return self._spaces.setdefault(name, Space(self.clock.fork(), self._profiles, self._seed))

    def handle(self, request: Request) -> Response:
        """Answer one request; safe to call from several threads. Never raises."""
        try:
            request = codings.decoded(request)
            response = self.space(request.headers.get(NAMESPACE_HEADER, "")).handle(request)
        except codings.CodingError as error:
            return error.answer
        except ValueError as error:
            response = json_response(400, {"error": str(error)})
        return codings.encoded(request, response)

    def handle_at_once(self, requests: Sequence[Request], *, seed: int | None = None) -> list[Response]:
        """Answer requests that come at the same moment, as `at_once` does; answers in the order given."""
        return self.at_once([partial(self.handle, request) for request in requests], seed=seed)

    def at_once(self, calls: Sequence[Callable[[], T]], *, seed: int | None = None) -> list[T]:
        """Run calls that send requests to this server at the same moment; gives what they return.

        The requests interleave where those of a real node do: between what a request reads and what it
        writes. After each call a little time passes or none, so that what one request set going may or may
        not have ended when another goes on. Who goes on and how much time passes is a function of the seed,
        of this race or else of the server. Only what comes in this way interleaves: requests over HTTP, and
        from threads of one's own, are answered one after the other. No call may wait for another.
        """
        chance = self._chance if seed is None else random.Random(seed)

        def let_time_pass() -> None:
            if chance.random() < 0.5:
                self.clock.advance(chance.choice((0.002, 0.02, 0.1)))

        return interleaving.at_once(calls, chance, let_time_pass)

    def _profiles(
        self, clock: Clock, endpoint: RemoteEndpoint, faults: Faults, let_others_in: Callable[[], None]
    ) -> dict[str, Profile]:
        makers: dict[str, Callable[[], Profile]] = {
            NUGEN: partial(self._nugen, clock),
            OPENSEARCH_ML: partial(self._opensearch, clock, endpoint, faults, let_others_in),
        }
        makers |= {name: partial(make, clock, seed=self._seed) for name, make in brought().items()}
        return {name: makers[name]() for name in self._names}

    def _nugen(self, clock: Clock) -> Profile:
        rules = nugen_rules.DOCUMENTED
        broken = rules if self._fault is None else self._fault.breaks_nugen(rules)
        return Nugen(broken, clock, seed=self._seed, tokens=self._tokens)

    def _opensearch(
        self, clock: Clock, endpoint: RemoteEndpoint, faults: Faults, let_others_in: Callable[[], None]
    ) -> Profile:
        rules = rules_of(self._behaviour, self._version)
        ids = Ids(self._seed)
        return OpenSearchMl(
            Environment(
                rules=rules if self._fault is None else self._fault.breaks(rules),
                clock=clock,
                nodes=make_nodes(self._nodes, ids, self._ml_nodes),
                ids=ids,
                endpoint=endpoint,
                version=f"{self._version[0]}.{self._version[1]}.0",
                progress=self._progress,
                outcomes=_FaultyOutcomes(faults),
                let_others_in=let_others_in,
                security=self._security,
                downloads=self._downloads,
                http_address=self._published.get,
            )
        )


class _FaultyOutcomes:
    """Deployments end as the faults say that are armed."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def deploy_outcome(self, model_id: str) -> Outcome:
        """How the deployment of this model that begins now is going to end."""
        kind = self._faults.deploy_fault(model_id)
        return Outcome.DEPLOYED if kind is None else Outcome(kind.value)


def _find_mutant(name: str | None, profiles: Collection[str]) -> Mutant | None:
    if name is None:
        return None
    _require_known("mutant", name, MUTANTS)
    mutant = MUTANTS[name]
    if mutant.profile not in profiles:
        raise ValueError(f"mutant {name} is one of profile {mutant.profile}, which this server does not have")
    return mutant


def _require_known(what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise ValueError(f"unknown {what} {name!r}: expected one of {', '.join(known)}")
