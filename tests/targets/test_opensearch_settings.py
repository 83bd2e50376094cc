"""Settings of a cluster are changed for a while and put back, also after a run that died."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.connect import PREFIX
from mlconform.conformance.targets.opensearch_settings import (
    SETTINGS,
    change_settings,
    read_settings,
)
from mlconform.conformance.targets.opensearch_sweep import sweep
from mlconform.conformance.targets.session import Session

INTERVAL = "plugins.ml_commons.sync_up_job_interval_in_seconds"
AUTO_DEPLOY = "plugins.ml_commons.model_auto_deploy.enable"


def test_what_was_set_is_put_back(session: Session) -> None:
    change_settings(session, {AUTO_DEPLOY: True})
    session.clean()
    assert read_settings(session)[AUTO_DEPLOY] == "false"


def test_what_was_not_set_is_unset_again(session: Session) -> None:
    change_settings(session, {INTERVAL: 3})
    assert INTERVAL in read_settings(session)
    session.clean()
    assert INTERVAL not in read_settings(session)


def test_the_first_value_wins_where_it_was_changed_twice(session: Session) -> None:
    change_settings(session, {AUTO_DEPLOY: True})
    change_settings(session, {AUTO_DEPLOY: None})
    session.clean()
    assert read_settings(session)[AUTO_DEPLOY] == "false"


def test_a_transient_value_does_not_become_persistent(session: Session) -> None:
    session.request("PUT", SETTINGS, {"transient": {INTERVAL: 7}})
    change_settings(session, {INTERVAL: 3})
    session.clean()
    assert session.request("GET", f"{SETTINGS}?flat_settings=true").member("persistent", INTERVAL) is None
    session.request("PUT", SETTINGS, {"transient": {INTERVAL: None}})


def test_the_cluster_remembers_them_for_a_sweep(session: Session) -> None:
    sweep(session, PREFIX)  # what another test let a run leave in the mock of this process
    change_settings(session, {AUTO_DEPLOY: True})
    change_settings(session, {AUTO_DEPLOY: None, INTERVAL: 3})
    session.tracker.take()  # what a killed run knew is lost
    removed, complaints = sweep(session, PREFIX)
    assert complaints == []
    assert removed == [f"ingest pipeline {session.options.prefix}settings"]
    assert read_settings(session).get(AUTO_DEPLOY) == "false"
    assert INTERVAL not in read_settings(session)


def test_what_the_run_stands_on_stays_where_its_record_cannot_be_read_for_a_moment(talk_to: Any) -> None:
    kept = f"/_ingest/pipeline/{PREFIX}test-settings"
    answers = {("GET", SETTINGS): (200, {"persistent": {}}), ("GET", kept): (429, {"error": "busy"})}
    session, target = talk_to({**answers, ("PUT", SETTINGS): (200, {}), ("PUT", kept): (429, {})})
    with pytest.raises(Untestable, match="kept of the settings could not be read"):
        change_settings(session, {AUTO_DEPLOY: True})
    assert not session.tracker.take()
    assert not [path for method, path, _ in target.sent if method == "PUT"]
    session.close()


def test_a_record_of_other_settings_changes_nothing(session: Session) -> None:
    kept = json.dumps({"cluster.routing.allocation.enable": "none"})
    pipeline = {"description": kept, "processors": []}
    session.request("PUT", f"/_ingest/pipeline/{PREFIX}x-settings", pipeline)
    before = read_settings(session)
    assert sweep(session, PREFIX) == ([f"ingest pipeline {PREFIX}x-settings"], [])
    assert read_settings(session) == before


def test_a_refused_change_is_untestable(session: Session) -> None:
    with pytest.raises(Untestable, match="could not be set"):
        change_settings(session, {INTERVAL: -5})


def test_where_nothing_may_be_changed_nothing_is_sent(talk_to: Any) -> None:
    session, target = talk_to({}, may_change_settings=False)
    with pytest.raises(Untestable, match="--allow-settings"):
        change_settings(session, {INTERVAL: 3})
    assert target.sent == []


def test_defaults_are_told_where_they_are_asked_for(session: Session) -> None:
    assert str(read_settings(session, defaults=True)[INTERVAL]) == "10"
