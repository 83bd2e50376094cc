"""What is answered about things that are not there: the error sections of the newest pages."""

from __future__ import annotations

import pytest

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import deciding, requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons
from mlconform.conformance.targets.opensearch_ml import ML


@pytest.mark.parametrize(
    ("name", "path", "reason"),
    [
        deciding("osml.delete.not-found", "models", "Failed to find model"),
        deciding("osml.agent.delete.not-found", "agents", "Fail to find ml agent"),
    ],
)
def test_a_delete_that_is_refused(ml: MlCommons, expect: Expect, name: str, path: str, reason: str) -> None:
    answered = ml.session.request("DELETE", f"{ML}/{path}/{UNKNOWN_ID}")
    expect.error(name, answered, 404, reason)
    expect.equal(name, answered.member("error", "type"), "status_exception", "error.type")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        deciding("osml.connector.delete.not-found", "connectors"),
        deciding("osml.group.delete.not-found", "model_groups"),
    ],
)
def test_a_delete_that_finds_nothing(ml: MlCommons, expect: Expect, name: str, path: str) -> None:
    answered = ml.session.request("DELETE", f"{ML}/{path}/{UNKNOWN_ID}")
    expect.status(name, answered, 200)
    expect.equal(name, answered.member("result"), "not_found", "result")


@requirement("osml.controller.get.none", "osml.controller.needs-model")
def test_a_controller_that_is_not_there(ml: MlCommons, expect: Expect) -> None:
    answered = ml.session.request("GET", f"{ML}/controllers/{ml.model()}")
    expect.status("osml.controller.get.none", answered, 404)
    expect.equal("osml.controller.get.none", answered.member("error", "type"), "status_exception", "type")
    limits = {"user_rate_limiter": {"somebody": {"limit": 1, "unit": "DAYS"}}}
    refused = ml.session.request("POST", f"{ML}/controllers/{UNKNOWN_ID}", limits)
    expect.client_error("osml.controller.needs-model", refused)
