"""The sync-up job: ticks at multiples of its interval since the start or the interval's last change."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping

from mlconform.mock_server.opensearch_ml.environment import Environment
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import SYNC_INTERVAL, Settings
from mlconform.mock_server.opensearch_ml.store import Model, Store


class SyncUp:
    """When the job runs next with something to do, whose time to live it ends, what nodes forget by it."""

    def __init__(self, environment: Environment, settings: Settings, store: Store) -> None:
        self._rules = environment.rules
        self._clock = environment.clock
        self._ids = environment.ids
        self._settings = settings
        self._models = store.models
        self._start = self._clock.now()
        self._ran_before = -math.inf
        self._mortal: set[str] = set()

    def restart(self) -> None:
        """Count the interval from now."""
        self._start = self._clock.now()

    def change_from(self, interval: int) -> None:
        """The interval was so many seconds until now: count the one that it is from now."""
        self._ran_before = self._last_run(interval or self._rules.sync_interval_of_zero)
        self.restart()

    def watch(self, model: Model) -> None:
        """Look after a model that has a TTL."""
        if model.ttl_minutes is not None:
            self._mortal.add(model.id)

    def next_tick(self, settled_at: float, busy: Container[str], *, any_lost: bool) -> float | None:
        """The next tick after an instant that has something to do, in epoch seconds; not for busy models."""
        interval = self._interval()
        if interval == 0:
            return None
        following = math.floor((settled_at - self._start) / interval) + 1
        counts = [
            max(following, math.ceil((expiry - self._start) / interval))
            for model, expiry in self._expiries()
            if model.id not in busy
        ]
        if any_lost:
            counts.append(following)
        return self._start + min(counts) * interval if counts else None

    def expired(self, at: float) -> list[Model]:
        """The models whose time ends with the tick at this instant."""
        # A tick is computed by a multiplication, so it may miss its instant by a rounding error.
        return [model for model, expiry in self._expiries() if expiry <= at + 1e-6]

    def is_forgotten(self, model: Model) -> bool:
        """Whether the node that clients talk to lost the model after the last tick."""
        return model.local_node_forgot_at is not None and not self._ran_since(model.local_node_forgot_at)

    def ask(self, model: Model, node: str) -> None:
        """A predict call came to this node, which does not have the model."""
        asked = self.asked(model)
        model.asked_at = {**asked, node: asked.get(node, 0) + 1}
        model.last_asked = self._clock.now()

    def asked(self, model: Model) -> Mapping[str, int]:
        """How many such calls each node remembers; where no node has the model, until the job runs."""
        return {} if not model.in_memory and self._ran_since(model.last_asked) else model.asked_at

    def _ran_since(self, moment: float) -> bool:
        return self._last_run(self._interval()) > moment

    def _last_run(self, interval: int) -> float:
        """When the job ran last, where the interval is so many seconds."""
        runs = math.floor((self._clock.now() - self._start) / interval) if interval else 0
        return self._start + runs * interval if runs else self._ran_before

    def meets(self, seconds: float) -> bool:
        """Whether the job, which looks at the models for so long each time, does so right now: by chance."""
        interval = self._interval()
        return bool(seconds and interval) and self._ids.happens(seconds / interval)

    def _interval(self) -> int:
        """Seconds from one run to the next; none runs where it is 0."""
        return self._settings.number(SYNC_INTERVAL) or self._rules.sync_interval_of_zero

    def _expiries(self) -> Iterator[tuple[Model, float]]:
        for model_id in sorted(self._mortal):
            model = self._models.get(model_id)
            expiry = None if model is None else self._expiry(model)
            if model is not None and expiry is not None:
                yield model, expiry
            elif model is None or not model.in_memory:
                self._mortal.discard(model_id)

    def _expiry(self, model: Model) -> float | None:
        ttl = model.ttl_minutes
        if ttl is None or not model.in_memory or not self._rules.ttl_checked:
            return None
        return model.last_used + (ttl + self._rules.ttl_error_minutes) * 60
