"""The sync-up job: ticks at multiples of its interval since the start or the interval's last change."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator

from mlconform.mock_server.opensearch_ml.environment import Environment
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import SYNC_INTERVAL, Settings
from mlconform.mock_server.opensearch_ml.store import Model, Store


class SyncUp:
    """When the job runs next with something to do, and whose time to live it ends."""

    def __init__(self, environment: Environment, settings: Settings, store: Store) -> None:
        self._rules = environment.rules
        self._clock = environment.clock
        self._ids = environment.ids
        self._settings = settings
        self._models = store.models
        self._start = self._clock.now()
        self._mortal: set[str] = set()

    def restart(self) -> None:
        """Count the interval from now."""
        self._start = self._clock.now()

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
        if model.local_node_forgot_at is None:
            return False
        interval = self._interval()
        if interval == 0:
            return True
        moments = (model.local_node_forgot_at, self._clock.now())
        before, now = (math.floor((moment - self._start) / interval) for moment in moments)
        return before == now

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
