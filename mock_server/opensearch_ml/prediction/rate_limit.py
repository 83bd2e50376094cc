"""Rate limits: reading them, showing them, and counting calls against them."""

from __future__ import annotations

from msgspec import Struct, field

from mlconform.mock_server.opensearch_ml.bodies.fields import Fields, read_in_order, text_reader
from mlconform.mock_server.opensearch_ml.errors import illegal_argument, parse_error
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.store import Model, RateLimiter

SECONDS = {
    "DAYS": 86_400.0,
    "HOURS": 3_600.0,
    "MINUTES": 60.0,
    "SECONDS": 1.0,
    "MILLISECONDS": 1e-3,
    "MICROSECONDS": 1e-6,
    "NANOSECONDS": 1e-9,
}


def read_rate_limiter(fields: Fields, rules: Rules) -> RateLimiter:
    """A limit and a unit, either of which may be left out. Raises ApiError 400 for a bad value of either.

    The unit is looked at as it is read, the limit once both are.
    """
    read_in_order(fields, {"limit": text_reader("limit"), "unit": lambda given: _unit(given, rules)})
    limit, unit = fields.text("limit"), fields.text("unit")
    if limit is not None and not _is_positive(limit):
        raise parse_error("Limit field must be a positive number.")
    return RateLimiter(limit, unit)


def _unit(fields: Fields, rules: Rules) -> None:
    unit = fields.text("unit")
    if unit not in rules.rate_limit_units_known:
        raise illegal_argument(f"No enum constant java.util.concurrent.TimeUnit.{unit}")


def merged(old: RateLimiter | None, new: RateLimiter) -> RateLimiter:
    """A limiter after an update: what was not sent stays."""
    old = old or RateLimiter()
    return RateLimiter(
        old.limit if new.limit is None else new.limit, old.unit if new.unit is None else new.unit
    )


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False


def view_rate_limiter(limiter: RateLimiter) -> dict[str, str]:
    """A rate limiter as the API shows it."""
    parts = {"limit": limiter.limit, "unit": limiter.unit}
    return {name: value for name, value in parts.items() if value is not None}


class TokenBucket(Struct):
    """Holds up to as many tokens as its limiter says and gains as many a unit; one call takes one token."""

    limiter: RateLimiter
    tokens: float
    filled_at: float

    def take(self, now: float) -> bool:
        """Whether there was a token. `now` is in epoch seconds."""
        limit = float(self.limiter.limit or 0)
        gained = (now - self.filled_at) * limit / SECONDS[self.limiter.unit or "DAYS"]
        self.tokens, self.filled_at = min(limit, self.tokens + gained), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Throttle(Struct):
    """The buckets of the models that have a whole rate limiter, and of users who have one for a model.

    A changed limit begins with a full bucket.
    """

    buckets: dict[str, TokenBucket] = field(default_factory=dict)

    def allows(self, model: Model, now: float) -> bool:
        """Count one call of a model; False when it is one too many."""
        return self._allows(model.id, model.rate_limiter, now)

    def allows_user(self, model: Model, user: str, limiter: RateLimiter | None, now: float) -> bool:
        """Count one call of a model by a user whom a controller gives this limit."""
        return self._allows(f"{model.id}/{user}", limiter, now)

    def _allows(self, key: str, limiter: RateLimiter | None, now: float) -> bool:
        if limiter is None or limiter.limit is None or limiter.unit is None:
            return True
        bucket = self.buckets.get(key)
        if bucket is None or bucket.limiter != limiter:
            bucket = TokenBucket(limiter, float(limiter.limit), now)
            self.buckets[key] = bucket
        return bucket.take(now)

    def forget(self, model_id: str) -> None:
        """The model is gone from memory, or altogether: its next bucket, and those of its users, are full."""
        for key in [key for key in self.buckets if key.partition("/")[0] == model_id]:
            del self.buckets[key]
