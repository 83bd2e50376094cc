"""Windows of time: when something may happen at the earliest, and must have happened at the latest."""

from __future__ import annotations

from dataclasses import dataclass

# Late enough for a busy node to have done what its periodic job started: 63.1 s were recorded for a
# window that closes at 63 s.
TOLERANCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Window:
    """From `opens` to `closes`, seconds on the target's clock."""

    opens: float
    closes: float


NEVER = Window(0.0, 0.0)


def ttl_window(used_at: Window, ttl_minutes: float, interval: float) -> Window:
    """When a model must leave memory: not before its TTL after the last use, and at the latest one
    interval of the sync-up job (seconds) after that (page undeploy-model, "Automatically undeploy")."""
    ttl = ttl_minutes * 60
    return Window(used_at.opens + ttl, used_at.closes + ttl + interval + TOLERANCE_SECONDS)
