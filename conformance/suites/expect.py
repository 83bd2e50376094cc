"""How a check decides: each expectation names the requirement it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NoReturn

from mlconform.conformance.contract.routes import Routes
from mlconform.conformance.outcomes import InTheWay, Nonconformance
from mlconform.conformance.report.events import AccessSeen
from mlconform.conformance.suites.signatures import of_deed, of_exchange, of_text, operation
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.settle import Ending, Settled

Kind = type | tuple[type, ...]
# A requirement and the signature of a difference.
Finding = tuple[str, str]
# What a refusal owes to whoever is answered meanwhile.
KEPT_APART: Final = "a refusal that is written into no other answer"


class Expect:
    """Evaluates expectations and remembers which requirements were decided by them, and every difference.

    `see` goes on after a difference; every other method raises it as `Nonconformance`. A requirement
    that is not in force on this target is not evaluated; one that the check is not bound to is a
    mistake of the check. A difference from one that is not `selected` is no finding: it is kept apart, a
    search goes on past it, and what would raise it raises `InTheWay`. `evidence` gives the exchanges of
    the moment: those in which a finding was first met are kept. What depends on chance is tried repeatedly;
    each try after the first begins with `again`.
    `known` says whether a difference is accepted already: a search goes on past it.
    `invalid` says what the contract forbids of a request that was sent: who expects its success made a
    mistake.
    """

    def __init__(
        self,
        bound: Collection[str],
        in_force: Callable[[str], bool],
        routes: Routes | None = None,
        evidence: Callable[[], Sequence[Exchange]] = tuple,
        known: Callable[[Nonconformance], bool] = lambda _: False,
        invalid: Callable[[Exchange], str | None] = lambda _: None,
        selected: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._bound = frozenset(bound)
        self._in_force = in_force
        self._routes = routes or Routes({})
        self._evidence = evidence
        self._known = known
        self._invalid = invalid
        self._selected = selected
        self._found: set[Finding] = set()
        self._met_in: dict[Finding, set[int]] = {}
        self.decided: set[str] = set()
        self.differences: list[Nonconformance] = []
        self.unselected: list[Nonconformance] = []
        self.evidence: dict[Finding, tuple[Exchange, ...]] = {}
        self.access: list[AccessSeen] = []
        self.tries = 1
        self._try = 1

    def again(self) -> None:
        """Another try begins: in how many of them a finding is met tells how often it comes."""
        self.tries += 1
        self._try = self.tries

    def back_to(self, number: int) -> None:
        """What is seen from now on belongs to this try, which began before; the first is 1."""
        self._try = number

    def seen(self, finding: Finding) -> int:
        """In how many of the tries it was met."""
        return len(self._met_in.get(finding, ()))

    def see(
        self,
        requirement: str,
        holds: bool,
        *,
        expected: str,
        came: str,
        exchange: Exchange | None = None,
        by: Exchange | None = None,
        timing: bool = False,
    ) -> Nonconformance | None:
        """`holds` decides; the texts are what a reader of the report compares. The difference is
        remembered and returned, and the check may go on.

        `exchange` is the one whose answer tells a difference, `by` the one that did it where it shows
        elsewhere; `timing` says that only a budget of time did.
        """
        if requirement not in self._bound:
            raise LookupError(f"this check is not bound to {requirement}; add it to its @requirement")
        if not self._in_force(requirement):
            return None
        self.decided.add(requirement)
        if holds:
            return None
        if by is not None:
            signature = of_deed(by, expected, self._routes)
        elif exchange is not None:
            signature = of_exchange(exchange, expected, self._routes)
        else:
            signature = of_text(expected, came)
        difference = Nonconformance(
            requirement, expected=expected, came=came, signature=signature, timing=timing
        )
        if not self._selected(requirement):
            self.unselected.append(difference)
            return difference
        self.differences.append(difference)
        finding = (requirement, signature)
        self._met_in.setdefault(finding, set()).add(self._try)
        self.evidence.setdefault(finding, tuple(self._evidence()))
        return difference

    def search(
        self, requirement: str, holds: bool, *, expected: str, came: str, exchange: Exchange | None = None
    ) -> Nonconformance | None:
        """As `see` where it is known or was found before, and the search goes on; else as `that`."""
        difference = self.see(requirement, holds, expected=expected, came=came, exchange=exchange)
        if difference is not None and not self._is_old(difference):
            self._raise(difference)
        return difference

    def see_access(
        self,
        requirement: str,
        holds: bool,
        user: str,
        thing: str,
        *,
        expected: str,
        exchange: Exchange,
        told: str = "",
    ) -> None:
        """As `see`, of whether a user is let in to a thing; kept for the table of operations by user.

        `told` is what the answer means where its status does not say it.
        """
        difference = self.see(requirement, holds, expected=expected, came=exchange.summary, exchange=exchange)
        if not self._selected(requirement):
            return
        route = operation(exchange, self._routes)
        self.access.append(AccessSeen(route, thing, user, exchange.status, difference is not None, told))

    def see_status(self, requirement: str, exchange: Exchange, *allowed: int) -> Nonconformance | None:
        """As `see`, of the status of an answer."""
        return self.see(
            requirement,
            exchange.status in allowed,
            expected=f"{_statuses(allowed)} to {_request(exchange)}",
            came=exchange.summary,
            exchange=exchange,
        )

    def search_status(self, requirement: str, exchange: Exchange, *allowed: int) -> Nonconformance | None:
        """As `search`, of the status of an answer."""
        return self.search(
            requirement,
            exchange.status in allowed,
            expected=f"{_statuses(allowed)} to {_request(exchange)}",
            came=exchange.summary,
            exchange=exchange,
        )

    def _is_old(self, difference: Nonconformance) -> bool:
        found = (difference.requirement, difference.signature) in self._found
        return found or not self._selected(difference.requirement) or self._known(difference)

    def go_past_what_was_found(self) -> bool:
        """From now on a search goes on past all that was met so far; whether anything new is among it."""
        met = set(self._met_in)
        new = met - self._found
        self._found = met
        return bool(new)

    def that(
        self,
        requirement: str,
        holds: bool,
        *,
        expected: str,
        came: str,
        exchange: Exchange | None = None,
        by: Exchange | None = None,
        timing: bool = False,
    ) -> None:
        """As `see`, and the check ends at a difference."""
        difference = self.see(
            requirement, holds, expected=expected, came=came, exchange=exchange, by=by, timing=timing
        )
        if difference is not None:
            self._raise(difference)

    def _raise(self, difference: Nonconformance) -> NoReturn:
        if not self._selected(difference.requirement):
            raise InTheWay(difference)
        # An exploration ends with the smallest case: what was met last is what is shown.
        finding = (difference.requirement, difference.signature)
        self.evidence.pop(finding)
        self.evidence[finding] = tuple(self._evidence())
        raise difference

    def equal(self, requirement: str, came: Any, expected: Any, what: str) -> None:
        self.that(requirement, came == expected, expected=f"{what} = {expected!r}", came=repr(came))

    def settles(self, requirement: str, settled: Settled[Any], expected: Any, what: str) -> None:
        """A wait ended with this value; where it did not, a budget of time decided."""
        self.that(
            requirement,
            settled.value == expected,
            expected=f"{what} = {expected!r}",
            came=repr(settled.value),
            timing=settled.ending is Ending.TIMED_OUT,
        )

    def one_of(self, requirement: str, came: Any, allowed: Collection[Any], what: str) -> None:
        wanted = " or ".join(repr(value) for value in allowed)
        self.that(requirement, came in allowed, expected=f"{what} = {wanted}", came=repr(came))

    def status(self, requirement: str, exchange: Exchange, *allowed: int) -> None:
        self.that(
            requirement,
            exchange.status in allowed,
            expected=f"{_statuses(allowed)} to {_request(exchange)}",
            came=exchange.summary,
            exchange=exchange,
        )

    def accepted(self, requirement: str, exchange: Exchange) -> None:
        """The request was carried out: a 2xx. Raises `ValueError` for what the contract does not allow."""
        self._require_valid(exchange)
        self.that(
            requirement,
            200 <= exchange.status < 300,
            expected=f"success (2xx) of {_request(exchange)}",
            came=exchange.summary,
            exchange=exchange,
        )

    def all_accepted(self, requirements: Collection[str], exchange: Exchange) -> None:
        """As `accepted`, of several requirements that the same request shows: a refusal breaks each."""
        self._require_valid(exchange)
        found = [self.see_status(each, exchange, *range(200, 300)) for each in requirements]
        for difference in found:
            if difference is not None:
                self._raise(difference)

    def _require_valid(self, exchange: Exchange) -> None:
        problem = self._invalid(exchange)
        if problem is not None:
            raise ValueError(f"this check expects success of what the contract does not allow: {problem}")

    def refused(self, requirement: str, exchange: Exchange, expected: str = "a refusal") -> None:
        """The request was not carried out: a 4xx, or a 5xx, which another requirement forbids."""
        self.that(
            requirement, exchange.status >= 400, expected=expected, came=exchange.summary, exchange=exchange
        )

    def client_error(self, requirement: str, exchange: Exchange) -> None:
        """The request was refused as the client's mistake: a 4xx, never a 5xx (RFC 9110, 15.5)."""
        self.that(
            requirement,
            400 <= exchange.status < 500,
            expected=f"refusal (4xx) of {_request(exchange)}",
            came=exchange.summary,
            exchange=exchange,
        )

    def error(self, requirement: str, exchange: Exchange, status: int, reason: str | None = None) -> None:
        """An error of this status whose reason contains this text, in OpenSearch's envelope."""
        self.status(requirement, exchange, status)
        if reason is not None:
            came = exchange.member("error", "reason")
            self.that(
                requirement,
                isinstance(came, str) and reason in came,
                expected=f"error.reason with {reason!r}",
                came=exchange.summary,
                exchange=exchange,
            )

    def members(self, requirement: str, value: Any, kinds: Mapping[str, Kind], what: str) -> None:
        """`value` is an object that has all these members with these JSON types."""
        self.that(
            requirement, isinstance(value, dict), expected=f"{what} is an object", came=repr(value)[:300]
        )
        for name, kind in kinds.items():
            names = kind if isinstance(kind, tuple) else (kind,)
            wanted = " or ".join(k.__name__ for k in names)
            found = value.get(name)
            # JSON's true is no number, though Python's is.
            right = isinstance(found, kind) and (not isinstance(found, bool) or bool in names)
            self.that(
                requirement,
                name in value and right,
                expected=f"{what} has {name} of type {wanted}",
                came=repr(value)[:300] if name not in value else f"{name} = {found!r}",
            )


def _request(exchange: Exchange) -> str:
    return f"{exchange.request.method} {exchange.request.path}"


def _statuses(allowed: Collection[int]) -> str:
    """`a 4xx` for all of a class, else `status 200 or 404`."""
    for hundreds in (200, 400, 500):
        if set(allowed) == set(range(hundreds, hundreds + 100)):
            return f"a {hundreds // 100}xx"
    return f"status {' or '.join(str(status) for status in allowed)}"
