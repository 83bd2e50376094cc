"""What stands around the API and is never judged as it: a proxy, a cluster without manager, a dead server.

An answer that such a thing gave, or a connection that ended without a byte of an answer, is followed by
looks at the target's root for a bounded time. Where it stays so, the target is unreachable. Where it comes
back, a request that only reads is sent again; of any other it is not known whether it was carried out.

A node that is short of memory turns requests away before it reads them. They are sent again for a while.
"""

from __future__ import annotations

import json
import time
from typing import Final

from mlconform.conformance.errors import TargetUnreachable
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.exchange import Answer, OutgoingRequest
from mlconform.conformance.targets.pools import speaks_tls
from mlconform.conformance.targets.settle import LONGEST_PAUSE_SECONDS, wait
from mlconform.conformance.targets.transport import AnswerCutOff, Forwarding, HttpTransport, NoAnswer

PATIENCE_SECONDS: Final = 10.0
# Of one transport in all: a node that is short of memory for longer lets each check say so at once.
MEMORY_PATIENCE_SECONDS: Final = 30.0
# A root that takes longer than this to begin its answer does not answer.
LOOK_SECONDS: Final = 5.0
_ROOT = OutgoingRequest("GET", "/")
_READING = frozenset({"GET", "HEAD"})
_UNAVAILABLE = frozenset({502, 503, 504})
# How a node says that its cluster cannot work at all.
_NO_CLUSTER = frozenset(
    {
        "cluster_manager_not_discovered_exception",
        "master_not_discovered_exception",
        "cluster_block_exception",
    }
)

# What a node has no memory for before anything was done: what a client sends it, and a predict call that the
# node which was asked passes on to one that has the model.
_READ_FIRST = (b"<http_request>", b"cluster:admin/opensearch/ml/predict")


def not_of_the_api(answer: Answer) -> str | None:
    """What gave this answer instead of the API; None for one of the API's own."""
    if answer.status not in _UNAVAILABLE:
        return None
    kind = _error_type(answer.body)
    if kind is None:
        return f"something before the API answered {answer.status} without its JSON: {_start(answer.body)}"
    if answer.status == 503 and kind in _NO_CLUSTER:
        return f"the cluster cannot work: it answered 503 {kind}"
    return None


def turned_away(answer: Answer) -> bool:
    """Whether a node had no memory to read the request, so that nobody carried it out. Seen on 3.4.0:
    429 `circuit_breaking_exception`, for the data of one of `_READ_FIRST`."""
    if answer.status != 429 or _error_type(answer.body) != "circuit_breaking_exception":
        return False
    return any(b"data for [%b]" % data in answer.body for data in _READ_FIRST)


def _error_type(body: bytes) -> str | None:
    """The type in an error of the API, empty where it has none; None for what is no JSON object."""
    try:
        told = json.loads(body)
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    error = told.get("error")
    return str(error.get("type", "")) if isinstance(error, dict) else ""


def _start(body: bytes) -> str:
    return repr(body[:80].decode("utf-8", "backslashreplace"))


class SteadyTransport(Forwarding):
    """An HTTP transport that tells the API's answers from those of what stands around it.

    Raises what `Transport` raises, and `Untestable` for a request of which it is not known whether it
    was carried out.
    """

    inner: HttpTransport

    def __init__(self, inner: HttpTransport, *, patience: float = PATIENCE_SECONDS) -> None:
        self.inner = inner
        self._patience = patience
        self._waited = 0.0

    def send(self, request: OutgoingRequest) -> Answer:
        try:
            answer = self.inner.send(request)
        except NoAnswer as error:
            # Where others are answered, that this one was not is the target's failure.
            self._await_root(str(error))
            raise
        if turned_away(answer):
            answer = self._sent_again(request)
        told = not_of_the_api(answer)
        if told is None:
            return answer
        self._await_root(told)
        if request.method not in _READING:
            raise Untestable(
                f"{told}; it is not known whether {request.method} {request.path} was carried out"
            )
        answer = self.inner.send(request)
        told = not_of_the_api(answer)
        if told is not None:
            raise TargetUnreachable(self._unreachable(told))
        return answer

    def _sent_again(self, request: OutgoingRequest) -> Answer:
        """The answer once the node has memory to read the request; raises `Untestable`."""
        while self._waited < MEMORY_PATIENCE_SECONDS:
            wait(LONGEST_PAUSE_SECONDS)
            self._waited += LONGEST_PAUSE_SECONDS
            answer = self.inner.send(request)
            if not turned_away(answer):
                return answer
        raise Untestable(
            f"the target has no memory to read {request.method} {request.path}: it answers 429 "
            "circuit_breaking_exception. Give it more, or try when it has less to do."
        )

    def _await_root(self, told: str) -> None:
        """Look until the root is answered by the API; raises `TargetUnreachable` where it is not."""
        if self.base_url.startswith("http:") and speaks_tls(self.base_url):
            raise TargetUnreachable(
                f"expected plain HTTP at {self.base_url}, but the server speaks TLS. "
                "Write the address with https://."
            )
        begin = time.monotonic()
        while True:
            try:
                found = not_of_the_api(self.inner.send(_ROOT, timeout=LOOK_SECONDS))
            except NoAnswer as error:
                found = str(error)
            except AnswerCutOff:
                found = None
            if found is None:
                return
            if time.monotonic() - begin >= self._patience:
                raise TargetUnreachable(self._unreachable(told))
            wait(LONGEST_PAUSE_SECONDS)

    def _unreachable(self, told: str) -> str:
        return (
            f"expected the API to answer at {self.base_url}, but {told}, and so it was for "
            f"{self._patience:g} s more. Check the server, its cluster and what stands before them."
        )

    def at(self, base_url: str) -> SteadyTransport:
        return SteadyTransport(self.inner.at(base_url), patience=self._patience)
