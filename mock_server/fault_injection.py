"""Faults on purpose: what goes wrong on the way to the mock, in it, and on the way back.

Which requests a fault strikes is decided by method, path, probability and count; chances come from a seeded
source, so that one seed and one order of requests give the same faults.
"""

from __future__ import annotations

import fnmatch
import math
import random
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from mlconform.mock_server.core import Request, Response, WireFault, json_response


class FaultError(ValueError):
    """A fault that can't be; the message says what was expected."""


class Kind(StrEnum):
    """What goes wrong."""

    DELAY = "delay"
    RESET = "reset"
    TRUNCATED = "truncated"
    GARBAGE = "garbage"
    STATUS = "status"
    STALE_READ = "stale-read"
    DEPLOY_FAILED = "deploy-failed"
    PARTIALLY_DEPLOYED = "partially-deployed"
    NEVER_ENDS = "never-ends"


DEPLOYMENT_KINDS = frozenset({Kind.DEPLOY_FAILED, Kind.PARTIALLY_DEPLOYED, Kind.NEVER_ENDS})
MEMBERS = ("kind", "method", "path", "probability", "times", "delay", "status", "executed")
READS = frozenset({"GET", "HEAD", "OPTIONS"})
_DISTRIBUTIONS = {
    "fixed": ("seconds",),
    "uniform": ("low", "high"),
    "exponential": ("mean",),
    "normal": ("mean", "deviation"),
}
_STATUSES = {
    429: ("rejected_execution_exception", "The mock was told to refuse this request as one too many"),
    503: ("cluster_block_exception", "The mock was told to be unavailable for this request"),
}


class Delay(Struct, frozen=True):
    """Seconds that an answer waits: `fixed`, `uniform`, `exponential` or `normal`, never below zero."""

    distribution: str
    parameters: Mapping[str, float]

    def draw(self, source: random.Random) -> float:
        """One delay."""
        given = self.parameters
        if self.distribution == "uniform":
            return source.uniform(given["low"], given["high"])
        if self.distribution == "exponential":
            return source.expovariate(1 / given["mean"]) if given["mean"] else 0.0
        if self.distribution == "normal":
            return max(0.0, source.gauss(given["mean"], given["deviation"]))
        return given["seconds"]


class Fault(Struct, frozen=True):
    """One fault and whom it strikes.

    `path` is a pattern with `*`; for faults of deployments it is matched against the deployed model's id.
    `times` is how often it may strike in all. `status` is that of a refusal. With `executed` a request has
    effect though its connection is reset.
    """

    kind: Kind
    method: str | None = None
    path: str = "*"
    probability: float = 1.0
    times: int | None = None
    delay: Delay | None = None
    status: int = 503
    executed: bool = False

    def matches(self, request: Request) -> bool:
        """Whether a request is one that the fault may strike."""
        if self.kind is Kind.STALE_READ and request.method not in READS:
            return False
        return self.method in (None, request.method) and fnmatch.fnmatchcase(request.path, self.path)


class _Armed(Struct):
    fault: Fault
    struck: int = 0


class Strike(Struct, frozen=True):
    """What one request suffers."""

    wire: WireFault = field(default_factory=WireFault)
    refusal: Response | None = None
    garbage: bool = False
    stale: bool = False


class Faults:
    """The faults that are armed, in the order in which they were added."""

    def __init__(self, seed: int = 0) -> None:
        self._armed: list[_Armed] = []
        self._random = random.Random(seed)

    def arm(self, faults: Iterable[Fault]) -> None:
        """Add faults to those that there are."""
        self._armed += [_Armed(fault) for fault in faults]

    def clear(self, seed: int | None = None) -> None:
        """Disarm everything; with a seed, chances begin anew."""
        self._armed.clear()
        if seed is not None:
            self._random = random.Random(seed)

    def struck(self) -> list[tuple[Fault, int]]:
        """Every fault with how often it has struck."""
        return [(armed.fault, armed.struck) for armed in self._armed]

    @property
    def has_stale_reads(self) -> bool:
        """Whether answers from before the last write may be asked for."""
        return any(armed.fault.kind is Kind.STALE_READ for armed in self._armed)

    def strike(self, request: Request) -> Strike | None:
        """What this request suffers, or None when nothing does."""
        if not self._armed:
            return None
        strike = Strike()
        for armed in self._armed:
            if (
                armed.fault.kind not in DEPLOYMENT_KINDS
                and armed.fault.matches(request)
                and self._hits(armed)
            ):
                strike = self._suffer(strike, armed.fault)
        return strike

    def deploy_fault(self, model_id: str) -> Kind | None:
        """The fault that the deployment of this model suffers."""
        for armed in self._armed:
            kind = armed.fault.kind
            concerned = kind in DEPLOYMENT_KINDS and fnmatch.fnmatchcase(model_id, armed.fault.path)
            if concerned and self._hits(armed):
                return kind
        return None

    def garble(self, body: bytes) -> bytes:
        """As many bytes of no meaning."""
        return self._random.randbytes(len(body))

    def _hits(self, armed: _Armed) -> bool:
        fault = armed.fault
        if fault.times is not None and armed.struck >= fault.times:
            return False
        if fault.probability < 1 and self._random.random() >= fault.probability:
            return False
        armed.struck += 1
        return True

    def _suffer(self, strike: Strike, fault: Fault) -> Strike:
        wire = strike.wire
        if fault.kind is Kind.DELAY and fault.delay is not None:
            return replace(strike, wire=replace(wire, delay=wire.delay + fault.delay.draw(self._random)))
        if fault.kind is Kind.RESET:
            refusal = strike.refusal if fault.executed else strike.refusal or Response(503, (), b"")
            return replace(strike, wire=replace(wire, reset=True), refusal=refusal)
        if fault.kind is Kind.TRUNCATED:
            return replace(strike, wire=replace(wire, truncated=True))
        if fault.kind is Kind.GARBAGE:
            return replace(strike, garbage=True)
        if fault.kind is Kind.STALE_READ:
            return replace(strike, stale=True)
        return replace(strike, refusal=refusal_of(fault.status))


def refusal_of(status: int) -> Response:
    """OpenSearch's envelope with this status."""
    kind, reason = _STATUSES.get(status, ("status_exception", "The mock was told to refuse this request"))
    cause = {"type": kind, "reason": reason}
    return json_response(status, {"error": {"root_cause": [cause], **cause}, "status": status})


def read_fault(values: Any) -> Fault:
    """A fault from its JSON form. Raises FaultError for what is none."""
    if not isinstance(values, dict):
        raise FaultError(f"expected an object for each fault, got {type(values).__name__}")
    _require_known(values, "a fault", MEMBERS)
    if values.get("kind") not in list(Kind):
        raise FaultError(
            f"expected the kind of a fault, one of {', '.join(Kind)}, got {values.get('kind')!r}"
        )
    kind, times = Kind(values["kind"]), values.get("times")
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise FaultError(f"expected how many times the fault strikes, a number above zero, got {times!r}")
    status = values.get("status", 503)
    if isinstance(status, bool) or not isinstance(status, int) or not 400 <= status < 600:
        raise FaultError(f"expected a status from 400 to 599, got {status!r}")
    return Fault(
        kind=kind,
        method=_text(values, "method"),
        path=_text(values, "path") or "*",
        probability=_number(values, "probability", 1.0, 1.0),
        times=times,
        delay=read_delay(values.get("delay")) if kind is Kind.DELAY else None,
        status=status,
        executed=values.get("executed") is True,
    )


def view_fault(fault: Fault, struck: int) -> dict[str, Any]:
    """The JSON form of a fault, with how often it has struck."""
    shown: dict[str, Any] = {"kind": str(fault.kind), "path": fault.path, "probability": fault.probability}
    if fault.method is not None:
        shown["method"] = fault.method
    if fault.times is not None:
        shown["times"] = fault.times
    if fault.delay is not None:
        shown["delay"] = {"distribution": fault.delay.distribution, **fault.delay.parameters}
    if fault.kind is Kind.STATUS:
        shown["status"] = fault.status
    if fault.kind is Kind.RESET:
        shown["executed"] = fault.executed
    return shown | {"struck": struck}


def _require_known(values: Mapping[str, Any], what: str, known: tuple[str, ...]) -> None:
    unknown = ", ".join(sorted(set(values) - set(known)))
    if unknown:
        raise FaultError(f"{what} has no {unknown}: there are {', '.join(known)}")


def _text(values: dict[str, Any], name: str) -> str | None:
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise FaultError(f"expected a text for {name}, got {value!r}")
    return value


def _number(values: Mapping[str, Any], name: str, default: float | None, most: float) -> float:
    value = values.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        bound = "" if math.isinf(most) else f" to {most:g}"
        raise FaultError(f"expected a number from 0{bound} for {name}, got {value!r}")
    return float(value)


def read_delay(values: Any) -> Delay:
    """A delay from its JSON form, which may be a number of seconds. Raises FaultError for what is none."""
    if isinstance(values, int | float) and not isinstance(values, bool):
        values = {"distribution": "fixed", "seconds": values}
    distribution = values.get("distribution") if isinstance(values, dict) else None
    if distribution not in _DISTRIBUTIONS:
        raise FaultError(
            f"expected delay as seconds or as an object with a distribution of {', '.join(_DISTRIBUTIONS)}"
        )
    names = _DISTRIBUTIONS[distribution]
    _require_known(values, f"a {distribution} delay", ("distribution", *names))
    return Delay(distribution, {name: _number(values, name, None, 3600.0) for name in names})
