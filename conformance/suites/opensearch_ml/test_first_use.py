"""On a cluster on which ML Commons has kept nothing yet, what is not there is asked for as anywhere else.

These checks come before all that make something. Each asks once whether the cluster is still so.
"""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, first, requirement
from mlconform.conformance.suites.opensearch_ml.api import PREDICT_INPUT, UNKNOWN_ID
from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.session import ABSENT, Session

pytestmark = [first, exclusive]

ALL: dict[str, Any] = {"query": {"match_all": {}}}
CHANGE: dict[str, Any] = {"description": "changed"}
LIMITS: dict[str, Any] = {"user_rate_limiter": {"nobody": {"limit": 1, "unit": "DAYS"}}}
_KINDS = ("models", "model_groups", "connectors", "tasks")


def _require_first_use(session: Session) -> None:
    """Raise `Untestable` where something was kept before: a search then has a shard to look into."""
    for kind in _KINDS:
        answered = session.request("POST", f"{ML}/{kind}/_search", ALL)
        shards = answered.member("_shards", "total") if answered.status == 200 else None
        if shards is None:
            raise Untestable(f"nothing tells whether ML Commons was used before: {answered.summary}")
        if shards != 0:
            raise Untestable("ML Commons has kept something on this cluster before", Remedy.FRESH_CLUSTER)


@requirement("osml.first-use.read")
@pytest.mark.parametrize(
    "path", [f"{kind}/{{id}}" for kind in ("models", "model_groups", "connectors", "tasks", "agents")]
)
def test_a_read(session: Session, expect: Expect, path: str) -> None:
    _require_first_use(session)
    answered = session.request("GET", f"{ML}/{path.format(id=UNKNOWN_ID)}")
    expect.status("osml.first-use.read", answered, 404)


@requirement("osml.first-use.search")
@pytest.mark.parametrize("kind", ["models", "model_groups", "connectors", "tasks", "agents"])
def test_a_search(session: Session, expect: Expect, kind: str) -> None:
    _require_first_use(session)
    answered = session.request("POST", f"{ML}/{kind}/_search", ALL)
    nothing = answered.status == 200 and answered.member("hits", "total", "value") == 0
    expect.that(
        "osml.first-use.search",
        nothing or answered.status == 404,
        expected="a search of what was never kept finds nothing, or is answered with 404",
        came=answered.summary,
        exchange=answered,
    )


@requirement("osml.first-use.change")
@pytest.mark.parametrize(
    ("kind", "body"),
    [("models", CHANGE), ("model_groups", CHANGE), ("connectors", CHANGE), ("controllers", LIMITS)],
)
def test_an_update(session: Session, expect: Expect, kind: str, body: Any) -> None:
    _require_first_use(session)
    answered = session.request("PUT", f"{ML}/{kind}/{UNKNOWN_ID}", body)
    expect.client_error("osml.first-use.change", answered)


@requirement("osml.first-use.delete")
@pytest.mark.parametrize("kind", ["models", "model_groups", "connectors", "tasks", "agents", "controllers"])
def test_a_delete(session: Session, expect: Expect, kind: str) -> None:
    _require_first_use(session)
    answered = session.request("DELETE", f"{ML}/{kind}/{UNKNOWN_ID}")
    expect.that(
        "osml.first-use.delete",
        answered.status == 404 or (answered.status == 200 and answered.member("result") == "not_found"),
        expected=f"404, or that nothing was found, to DELETE {ML}/{kind}",
        came=answered.summary,
        exchange=answered,
    )


@requirement("osml.first-use.use")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"models/{UNKNOWN_ID}/_deploy", ABSENT),
        (f"models/{UNKNOWN_ID}/_undeploy", ABSENT),
        ("models/_undeploy", {"model_ids": [UNKNOWN_ID]}),
        (f"models/{UNKNOWN_ID}/_predict", PREDICT_INPUT),
        (f"_predict/remote/{UNKNOWN_ID}", PREDICT_INPUT),
    ],
    ids=["deploy", "undeploy", "undeploy of several", "predict", "predict by function"],
)
def test_a_use(session: Session, expect: Expect, path: str, body: Any) -> None:
    _require_first_use(session)
    answered = session.request("POST", f"{ML}/{path}", body)
    expect.client_error("osml.first-use.use", answered)
