"""Exchanges that a watch is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from mlconform.conformance.outcomes import Nonconformance
from mlconform.conformance.targets.exchange import Answer, Exchange, OutgoingRequest
from mlconform.conformance.watch.watch import Watch

# The target's time, in seconds.
NOW: Final = 1_800_000_000.0
MODEL: Final = "TaGS_qEB79rhJ8XPScId"
ML: Final = "/_plugins/_ml"


def differences(
    watch: Watch, method: str, path: str, status: int, body: Any, sent: Any = None, **headers: str
) -> Sequence[Nonconformance]:
    """How this exchange differs from what it owes, as the watch says."""
    told = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = OutgoingRequest(method, path, {}, None if sent is None else json.dumps(sent).encode())
    answer = Answer(status, {"content-type": "application/json", **headers}, told)
    watch.saw(Exchange(request, answer, 0.0, "http://h", "osml.wire.json"), racing=False)
    return watch.take().differences
