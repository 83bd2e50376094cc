"""Holds each exchange to what every answer owes, as it passes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from mlconform.conformance.contract.answers import Forms, id_prefix
from mlconform.conformance.contract.model import Contract
from mlconform.conformance.contract.routes import Routes
from mlconform.conformance.outcomes import Nonconformance
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.targets.exchange import Answer, Exchange
from mlconform.conformance.targets.session import Facts
from mlconform.conformance.watch import envelopes, wire
from mlconform.conformance.watch.forms import FormRule
from mlconform.conformance.watch.leaks import Leaks
from mlconform.conformance.watch.observation import Held, Observation, Rule, Seen
from mlconform.conformance.watch.relations import Relations
from mlconform.conformance.watch.settings import Settings

READS: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Watched:
    """What a watch learned: the requirements that it decided, the differences that it met, the exchanges in
    which each was met last, and the differences from what is not selected."""

    decided: frozenset[str] = frozenset()
    differences: tuple[Nonconformance, ...] = ()
    met: tuple[Exchange, ...] = ()
    unselected: tuple[Nonconformance, ...] = ()


class Watch:
    """Sees every exchange of a session, in the order in which the answers came.

    Nothing is raised, so that the check that happened to ask goes on; whoever ends the check takes what
    was learned meanwhile.
    """

    def __init__(
        self,
        contract: Contract,
        facts: Facts,
        in_force: Callable[[str], bool],
        now: Callable[[], float],
        selected: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._prefix = id_prefix(contract)
        self._routes = Routes.of(contract.openapi)
        self._expect = Expect(contract.requirements, in_force, self._routes, selected=selected)
        self._known = contract.requirements.keys()
        self._held: set[Held] = set()
        self._read: dict[str, Answer] = {}
        self._refused: Exchange | None = None
        self._rules: Sequence[Rule] = (
            FormRule(self._prefix, Forms.of(contract, facts.version)),
            *(_opensearch(facts.nodes, now) if facts.profile == "opensearch-ml" else ()),
        )

    def saw(self, exchange: Exchange, *, racing: bool) -> None:
        """Look at one exchange; it has been answered, or nothing whole came."""
        if exchange.request.path.startswith("/_mock/") or self._is_repeated(exchange, racing=racing):
            return
        self._see(exchange, wire.observe(self._prefix, exchange, self._refused))
        if exchange.request.method not in READS and exchange.answer is not None and exchange.status >= 400:
            self._refused = exchange
        seen = self._seen(exchange, racing=racing)
        if seen is None:
            return
        for rule in self._rules:
            self._see(exchange, rule(seen))

    @property
    def differences(self) -> Sequence[Nonconformance]:
        """What was met since it was last taken."""
        return self._expect.differences

    def take(self) -> Watched:
        """What was learned since this was last asked."""
        met = tuple(exchange for found in self._expect.evidence.values() for exchange in found)
        watched = Watched(
            frozenset(self._expect.decided),
            tuple(self._expect.differences),
            met,
            tuple(self._expect.unselected),
        )
        self._held.clear()
        self._read.clear()
        self._refused = None
        self._expect.evidence.clear()
        self._expect.decided.clear()
        self._expect.differences.clear()
        self._expect.unselected.clear()
        return watched

    def _is_repeated(self, exchange: Exchange, *, racing: bool) -> bool:
        """Whether a read is answered as it was before, with nothing but reads since: who waits for a state
        asks often, and there is nothing in it that was not looked at."""
        request, answer = exchange.request, exchange.answer
        if racing or request.method != "GET" or request.body or answer is None:
            self._read.clear()
            return False
        if self._read.get(request.path) == answer:
            return True
        self._read[request.path] = answer
        return False

    def _see(self, exchange: Exchange, observations: Iterable[Observation | Held]) -> None:
        # Nearly all hold, and were seen to before.
        for each in observations:
            if isinstance(each, Held):
                if each not in self._held:
                    self._held.add(each)
                    self._hold(each.requirements, exchange)
            elif not each.holds:
                self._differ(each, exchange)
            elif each.requirement not in self._expect.decided:
                self._hold((each.requirement,), exchange)

    def _hold(self, requirements: Iterable[str], exchange: Exchange) -> None:
        for requirement in requirements:
            if requirement in self._known:
                self._expect.see(requirement, True, expected="", came="", exchange=exchange)

    def _differ(self, observation: Observation, exchange: Exchange) -> None:
        requirement, expected, by = observation.requirement, observation.expected, observation.by
        if requirement not in self._known:
            return
        came = observation.told()
        found = self._expect.see(requirement, False, expected=expected, came=came, exchange=exchange, by=by)
        finding = found and (requirement, found.signature)
        if finding in self._expect.evidence:
            # As of a check that is repeated or explores, what was met last is what is shown.
            self._expect.evidence[finding] = (exchange,) if by is None else (by, exchange)

    def _seen(self, exchange: Exchange, *, racing: bool) -> Seen | None:
        """The exchange taken apart; None where there is no body that can be read."""
        if exchange.answer is None:
            return None
        has_body = bool(exchange.answer.body)
        if has_body and exchange.json_problem is not None:
            return None
        path = exchange.request.path.partition("?")[0]
        steps = filter(None, path.split("/"))
        return Seen(
            exchange,
            exchange.status,
            self._routes.operation(exchange.request.method, path),
            tuple(map(unquote, steps) if "%" in path else steps),
            _decoded(exchange.request.body),
            exchange.json if has_body else None,
            racing,
        )


def _opensearch(nodes: Sequence[str], now: Callable[[], float]) -> Sequence[Rule]:
    return (envelopes.errors, Leaks(), envelopes.shards, envelopes.hits, Settings(), Relations(nodes, now))


def _decoded(body: bytes | None) -> Any:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None
