"""Connectors may reach the run's own endpoint, and nothing wider."""

from __future__ import annotations

import re
from typing import Any

from mlconform.conformance.targets.connect import TargetOptions, connect
from mlconform.conformance.targets.opensearch_ml import path_of
from mlconform.conformance.targets.opensearch_preparation import prepare
from mlconform.conformance.targets.opensearch_settings import (
    PRIVATE_ADDRESSES,
    SETTINGS,
    TRUSTED_ENDPOINTS,
    change_settings,
    read_settings,
)
from mlconform.conformance.targets.session import Session

TRUSTED = TRUSTED_ENDPOINTS
PRIVATE = PRIVATE_ADDRESSES
AUTO_DEPLOY = "plugins.ml_commons.model_auto_deploy.enable"


def test_what_is_as_needed_is_left_alone(session: Session) -> None:
    prepare(session)
    assert session.tracker.take() == []


def closed(session: Session, trusted: list[str]) -> list[str]:
    """What the connectors of a cluster may reach after a run prepared it that trusted these addresses."""
    session.request("PUT", SETTINGS, {"persistent": {PRIVATE: False, TRUSTED: trusted}})
    prepare(session)
    found = read_settings(session)
    session.clean()
    assert read_settings(session)[TRUSTED] == trusted
    session.request("PUT", SETTINGS, {"persistent": {PRIVATE: None, TRUSTED: None}})
    return [*found[TRUSTED], found[PRIVATE]]


def test_the_runs_own_endpoint_is_trusted_and_nothing_else(session: Session) -> None:
    kept, added, private = closed(session, ["^https://models[.]example[.]org/.*$"])
    assert (kept, private) == ("^https://models[.]example[.]org/.*$", "true")
    assert re.fullmatch(added, session.endpoint.url)
    assert not re.fullmatch(added, session.endpoint.url.replace("127.0.0.1", "127x0.0.1"))
    assert not re.fullmatch(added, session.endpoint.url + "/more")


def test_a_check_may_add_to_what_the_run_trusts_and_nobody_may_take_it_away(session: Session) -> None:
    session.request("PUT", SETTINGS, {"persistent": {TRUSTED: ["^https://models[.]example[.]org/.*$"]}})
    prepare(session)
    trusted = read_settings(session)[TRUSTED]
    session.request("PUT", SETTINGS, {"persistent": {TRUSTED: [*trusted, "^http://192[.]0[.]2[.]7/$"]}})
    assert session.missing() is None
    session.request("PUT", SETTINGS, {"persistent": {TRUSTED: trusted[:1]}})
    assert TRUSTED in str(session.missing())


def test_what_is_trusted_already_is_not_added(session: Session) -> None:
    kept, _ = closed(session, ["^http://127[.].*$"])
    assert kept == "^http://127[.].*$"


def test_private_addresses_stay_closed_where_the_endpoint_is_public(talk_to: Any) -> None:
    answers = {("GET", SETTINGS): (200, {"defaults": {TRUSTED: [], PRIVATE: "false"}})}
    session, target = talk_to({**answers, ("PUT", SETTINGS): (200, {})}, endpoint_host="8.8.8.8")
    prepare(session)
    (changed,) = [body["persistent"] for method, path, body in target.sent if path == SETTINGS and body]
    assert list(changed) == [TRUSTED]
    session.close()


def test_the_record_of_settings_outlasts_the_checks_that_change_some(serve_mock: Any) -> None:
    session = connect("opensearch-ml", TargetOptions(target=serve_mock().url))
    prepare(session)
    mark, record = session.tracker.mark(), path_of("ingest pipeline", f"{session.options.prefix}settings")
    change_settings(session, {AUTO_DEPLOY: True})
    assert session.clean(mark) == []
    assert session.request("GET", record).status == 200
    assert session.clean() == []
    assert session.request("GET", record).status == 404
    session.close()
