"""The mock server: profiles, clock and control operations behind one `handle`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection

from mock_server.clock import Clock
from mock_server.control import Control
from mock_server.core import Profile, Request, Response, json_response
from mock_server.endpoint import RemoteEndpoint
from mock_server.faults import MUTANTS, NUGEN, OPENSEARCH_ML, Mutant
from mock_server.nugen import rules as nugen_rules
from mock_server.nugen.profile import Nugen
from mock_server.opensearch_ml.behaviours import BEHAVIOURS, read_version, rules_of, version_of
from mock_server.opensearch_ml.environment import Environment
from mock_server.opensearch_ml.nodes import Ids, make_nodes
from mock_server.opensearch_ml.profile import OpenSearchMl

PROFILES = (OPENSEARCH_ML, NUGEN)

_LOG = logging.getLogger(__name__)


class MockServer:
    """A target that answers the model APIs of its profiles, with state of its own and no I/O.

    `behaviour` names what it follows: the pages of `docs_version`, or a recorded version, which has pages of
    its own. `mutant` names one deliberate fault, `nodes` how many nodes the OpenSearch cluster has. Two
    servers with one `seed` and one clock give the same answers to the same requests.
    Raises ValueError for a name that is not known; the message lists those that are.
    """

    def __init__(
        self,
        *,
        profiles: Collection[str] = PROFILES,
        docs_version: str = "2.19",
        behaviour: str = "documented",
        nodes: int = 1,
        clock: Clock | None = None,
        mutant: str | None = None,
        seed: int = 0,
        nugen_tokens: Collection[str] | None = None,
    ) -> None:
        fault = _find_mutant(mutant, profiles)
        _require_known("behaviour", behaviour, BEHAVIOURS)
        for profile in profiles:
            _require_known("profile", profile, PROFILES)
        version = version_of(behaviour, read_version(docs_version))
        self.clock = Clock() if clock is None else clock
        self._lock = threading.Lock()
        self._endpoint = RemoteEndpoint()
        self._profiles: dict[str, Profile] = {}
        if NUGEN in profiles:
            rules = nugen_rules.DOCUMENTED
            broken = rules if fault is None else fault.breaks_nugen(rules)
            self._profiles[NUGEN] = Nugen(broken, self.clock, seed=seed, tokens=nugen_tokens)
        if OPENSEARCH_ML in profiles:
            ml_rules = rules_of(behaviour, version)
            ids = Ids(seed)
            environment = Environment(
                rules=ml_rules if fault is None else fault.breaks(ml_rules),
                clock=self.clock,
                nodes=make_nodes(nodes, ids),
                ids=ids,
                endpoint=self._endpoint,
                version=f"{version[0]}.{version[1]}.0",
            )
            self._profiles[OPENSEARCH_ML] = OpenSearchMl(environment)
        self._control = Control(self.clock, self._endpoint, self._profiles)

    def handle(self, request: Request) -> Response:
        """Answer one request; safe to call from several threads, which are served one after the other.

        Never raises: a fault of the mock itself is logged and answered with 500.
        """
        with self._lock:
            try:
                response = self._answer(request)
            except Exception:  # noqa: BLE001 - the last resort, and it is logged
                _LOG.exception("the mock failed at %s %s", request.method, request.path)
                error = {
                    "error": {"type": "mock_server_error", "reason": "The mock failed; its log says why."}
                }
                response = json_response(500, error | {"status": 500})
        return Response(response.status, response.headers, b"") if request.method == "HEAD" else response

    def _answer(self, request: Request) -> Response:
        if self._control.owns(request.path):
            return self._control.handle(request)
        for profile in self._profiles.values():
            if profile.owns(request.path):
                return profile.handle(request)
        return json_response(404, {"detail": "Not Found"}, content_type="application/json")


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
