"""Property-based exploration: hypothesis makes the cases, the session sends them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from hypothesis.strategies import SearchStrategy

from mlconform.conformance.outcomes import Nonconformance
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.settle import Budget

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# Enough to meet the boundaries of every field on a target that answers at once, few enough that a
# node which takes a tenth of a second is done in seconds.
_MOST_EXAMPLES = 40
_FEWEST_EXAMPLES = 5
_SECONDS_PER_CHECK = 4.0
# A search that found something goes on past it for so long.
_SECONDS_PER_SEARCH = 12.0
# Making a case smaller takes hundreds of requests: only a target that answers so fast is asked for it.
_SHRINKING_SECONDS_PER_REQUEST = 0.005
# A fault that shows in one of ten tries is missed by so many in less than one of a hundred runs: 0.9 ** 44.
TRIES = 44
_SECONDS_PER_CHANCE = 15.0
# What concurrent calls began goes on after their answers: a recorded node changed a state 1 s later still.
_REST_SECONDS = 2.0


class Runner(Protocol[T_co]):
    """Runs a property of one value."""

    def __call__(self, prop: Callable[[T_co], None]) -> None: ...


class Explore:
    """Runs a property over generated values.

    The number of examples follows from how long the target took to answer so far; the seed makes
    them repeatable. Each example starts with the evidence of what was made for all of them, and leaves
    nothing behind.
    """

    def __init__(self, session: Session, *, seed: int) -> None:
        self._session = session
        self._seed = seed

    def examples(self, requests: int, *, most: int = _MOST_EXAMPLES) -> int:
        """How many examples of that many requests fit the time that one check may take."""
        cost = max(self._session.seconds_per_request, 1e-6) * requests
        return max(_FEWEST_EXAMPLES, min(most, int(_SECONDS_PER_CHECK / cost)))

    @property
    def _shrinks(self) -> bool:
        return self._session.seconds_per_request <= _SHRINKING_SECONDS_PER_REQUEST

    def settings(self, requests: int, *, most: int = _MOST_EXAMPLES, **more: Any) -> settings:
        return settings(
            max_examples=self.examples(requests, most=most),
            deadline=None,
            database=None,
            print_blob=False,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if self._shrinks else [])],
            **more,
        )

    def every(self, values: SearchStrategy[T], *, requests: int = 1, most: int = _MOST_EXAMPLES) -> Runner[T]:
        """Decorate a property of one value and run it at once; `requests` is how many it sends an example."""

        def run(prop: Callable[[T], None]) -> None:
            before = tuple(self._session.journal)

            def example(value: T) -> None:
                mark = self._session.tracker.mark()
                self._session.begin_sequence(before)
                prop(value)
                # After a difference the check's own cleaning removes it: its requests are no evidence.
                self._session.clean(mark)

            explored = hypothesis.given(values)(example)
            self.settings(requests, most=most)(hypothesis.seed(self._seed)(explored))()
            self._session.begin_sequence(before)

        return run

    def search(self, expect: Expect, explored: Callable[[], None]) -> None:
        """Explore, and once more past each difference that was new, until there is no more or no time."""
        budget = Budget(_SECONDS_PER_SEARCH)
        while True:
            try:
                return explored()
            except (Nonconformance, Flaky):
                if not expect.go_past_what_was_found() or budget.spent:
                    raise

    def by_chance(self, expect: Expect) -> Iterator[random.Random]:
        """Tries of what chance decides, each with its own chance: as many as it takes not to miss a fault
        that shows in one of ten, or as fit the time, which `max_wait` bounds too. What a try makes is
        removed after it."""
        for chance in self._chances(expect):
            mark = self._session.tracker.mark()
            yield chance
            self._session.clean(mark)

    def at_rest(
        self,
        expect: Expect,
        attempt: Callable[[random.Random], Callable[[], None]],
        *,
        rest: float = _REST_SECONDS,
    ) -> None:
        """Tries as of `by_chance`, and a look at what each has left when all that it began has ended.

        `attempt` is one try and gives the look, which adds to the try's evidence; `rest` are the seconds
        between the last try and the first look.
        """
        looks = []
        for chance in self._chances(expect):
            look = attempt(chance)
            looks.append((expect.tries, look, tuple(self._session.journal)))
        self._session.settle(lambda: False, bool, budget=rest)
        for number, look, before in looks:
            expect.back_to(number)
            self._session.begin_sequence(before)
            look()

    def _chances(self, expect: Expect) -> Iterator[random.Random]:
        budget = Budget(min(_SECONDS_PER_CHANCE, self._session.options.max_wait))
        before = tuple(self._session.journal)
        for number in range(TRIES):
            if number and budget.spent:
                return
            if number:
                expect.again()
            self._session.begin_sequence(before)
            yield random.Random(f"{self._seed} {number}")

    def machine(self, machine: type[RuleBasedStateMachine], *, steps: int, most: int) -> None:
        """Run a state machine; each of its steps counts as three requests."""
        wanted = self.settings(steps * 3, most=most, stateful_step_count=steps)
        run_state_machine_as_test(hypothesis.seed(self._seed)(machine), settings=wanted)
