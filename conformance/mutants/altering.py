"""A transport that makes answers wrong on their way from the mock in this process to the suite."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mlconform.conformance.contract.routes import Routes
from mlconform.conformance.mutants.alterations import (
    Kind,
    Members,
    Mutant,
    Place,
    altered,
    decoded,
    otherwise,
    places,
    remember,
)
from mlconform.conformance.targets.exchange import Answer, OutgoingRequest
from mlconform.conformance.targets.session import CONTROL
from mlconform.conformance.targets.transport import Forwarding, Transport

# What asks for none of the contract's operations, such as an unknown route, can be answered otherwise too.
NO_OPERATION: Final = "no operation"


@dataclass
class Altering(Forwarding):
    """Sends as `inner` does. Without a `mutant` it remembers which answers came, with one it alters them."""

    inner: Transport
    routes: Routes
    mutant: Mutant | None = None
    members: Members = field(default_factory=dict)
    met: set[Place] = field(default_factory=set)
    methods: dict[Place, str] = field(default_factory=dict)
    struck: bool = False
    sent: int = 0

    def send(self, request: OutgoingRequest) -> Answer:
        self.sent += 1
        operation = self.routes.operation(request.method, request.path) or NO_OPERATION
        mutant = self.mutant
        if request.path.startswith(CONTROL):
            return self.inner.send(request)
        if mutant is not None and mutant.kind is Kind.UNDONE and mutant.place.operation == operation:
            return self._undone(request, mutant.place.status)
        answer = self.inner.send(request)
        if mutant is None:
            self._remember(operation, request.method, answer)
            return answer
        if (operation, answer.status) != (mutant.place.operation, mutant.place.status):
            return answer
        return self._altered(answer, mutant)

    def _remember(self, operation: str, method: str, answer: Answer) -> None:
        place = Place(operation, answer.status)
        self.met.add(place)
        self.methods[place] = method
        if operation == NO_OPERATION:
            return
        body = decoded(answer.body)
        for path in {path for path, _ in places(body)}:
            self.met.add(Place(operation, answer.status, path))
        remember(self.members, place, body)

    def _altered(self, answer: Answer, mutant: Mutant) -> Answer:
        if mutant.kind in (Kind.STATUS, Kind.NO_ROUTE):
            self.struck = True
            status, body = otherwise(mutant.kind, answer.status)
            return self._answer(answer, status, body)
        known = self.members.get(mutant.place)
        changed, found = altered(
            decoded(answer.body), mutant.place.path, mutant.kind, known.values if known else ()
        )
        self.struck = self.struck or found
        return self._answer(answer, answer.status, json.dumps(changed).encode()) if found else answer

    def _answer(self, answer: Answer, status: int, body: bytes) -> Answer:
        headers: Mapping[str, str] = {k: v for k, v in answer.headers.items() if k != "content-length"}
        return Answer(status, headers, body)

    def _undone(self, request: OutgoingRequest, status: int) -> Answer:
        """The answer of a copy of this process: what the request did, it did there."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                with os.fdopen(writing, "wb") as out:
                    pickle.dump(self.inner.send(request), out)
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            answer: Answer = pickle.load(told)
        os.waitpid(child, 0)
        if answer.status != status:
            return self.inner.send(request)
        self.struck = True
        return answer

    def at(self, base_url: str) -> Transport:
        """Other nodes answer as they are."""
        return self.inner.at(base_url)
