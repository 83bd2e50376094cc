"""One isolated world of a mock: its clock, its profiles' state, its faults and its journal."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from msgspec.structs import replace

from mlconform.mock_server import interleaving
from mlconform.mock_server.clock import Clock
from mlconform.mock_server.control import Control
from mlconform.mock_server.core import Profile, Request, Response, WireFault, json_response
from mlconform.mock_server.endpoint import RemoteEndpoint
from mlconform.mock_server.fault_injection import READS, Faults
from mlconform.mock_server.journal import Entry, Journal
from mlconform.mock_server.stubs import Stubs

_LOG = logging.getLogger(__name__)

MakeProfiles = Callable[[Clock, RemoteEndpoint, Faults, Callable[[], None]], dict[str, Profile]]


class Space:
    """Answers requests, one after the other."""

    def __init__(self, clock: Clock, make_profiles: MakeProfiles, seed: int) -> None:
        self.clock = clock
        self.faults = Faults(seed)
        self.journal = Journal()
        self._lock = threading.Lock()
        self._stubs = Stubs(seed)
        self._endpoint = RemoteEndpoint(self._stubs)
        self._profiles = make_profiles(clock, self._endpoint, self.faults, self._let_others_in)
        self._control = Control(clock, self._endpoint, self._profiles, self.faults, self.journal, self._stubs)

    def handle(self, request: Request) -> Response:
        """Answer one request; safe to call from several threads.

        Never raises: a fault of the mock itself is logged and answered with 500.
        """
        with self._lock:
            try:
                return self._answer(request)
            except Exception:  # noqa: BLE001 - the last resort, and it is logged
                _LOG.exception("the mock failed at %s %s", request.method, request.path)
                error = {
                    "error": {"type": "mock_server_error", "reason": "The mock failed; its log says why."}
                }
                return json_response(500, error | {"status": 500})

    def _let_others_in(self) -> None:
        """Inside a request that is one of several at once: whoever is chosen goes on."""
        if not interleaving.racing():
            return
        self._lock.release()
        try:
            interleaving.step()
        finally:
            self._lock.acquire()

    def _answer(self, request: Request) -> Response:
        if self._control.owns(request.path):
            return self._control.handle(request)
        for profile in self._profiles.values():
            if profile.owns(request.path):
                response = self._disturbed(profile, request)
                self.journal.write(Entry(self.clock.now(), request, response.status))
                return response
        return json_response(404, {"detail": "Not Found"}, content_type="application/json")

    def _disturbed(self, profile: Profile, request: Request) -> Response:
        strike = self.faults.strike(request)
        if strike is None:
            return self._handled(profile, request)
        if self.faults.has_stale_reads and request.method not in READS:
            profile.remember()
        if strike.refusal is not None:
            response = strike.refusal
        elif strike.stale:
            response = profile.handle_before(request)
        else:
            response = self._handled(profile, request)
        body = self.faults.garble(response.body) if strike.garbage else response.body
        late = strike.wire.delay + (response.fault.delay if response.fault is not None else 0.0)
        wire = replace(strike.wire, delay=late)
        return replace(response, body=body, fault=None if wire == WireFault() else wire)

    def _handled(self, profile: Profile, request: Request) -> Response:
        """The answer of a stub, or of the API, which is late where its model's endpoint was."""
        stubbed = self._stubs.for_request(request)
        if stubbed is not None:
            return stubbed
        response = profile.handle(request)
        late = self._endpoint.take_delay()
        return replace(response, fault=WireFault(delay=late)) if late else response
