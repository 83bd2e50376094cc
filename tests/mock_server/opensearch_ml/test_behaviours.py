"""Behaviours are named differences, each with a recording that shows it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mock_server.opensearch_ml import behaviours
from mock_server.opensearch_ml.behaviours import CHANGES, deviations_of, read_version, rules_of
from mock_server.opensearch_ml.deviations import DEVIATIONS
from mock_server.opensearch_ml.rules import Rules
from mock_server.parity import read_recording, replay

ROOT = Path(__file__).parents[3]
OBSERVED = ROOT / "tests/observed"
REQUIREMENTS = ROOT / "schemas/opensearch-ml/2.19/requirements.yaml"
FOLDERS = {(2, 19): OBSERVED / "opensearch-2.19.0", (3, 4): OBSERVED / "opensearch-3.4.0"}
RECORDED = re.compile(r"(\w+)#(\d+)")


def _recorded() -> list[Any]:
    return [
        pytest.param(deviation, version, id=f"{deviation.id}-{version[0]}.{version[1]}")
        for deviation in DEVIATIONS
        for version in deviation.versions
        if RECORDED.search(deviation.recording or "")
    ]


def test_ids_are_unique() -> None:
    assert len({deviation.id for deviation in DEVIATIONS}) == len(DEVIATIONS)


@pytest.mark.parametrize("named", [*CHANGES, *DEVIATIONS], ids=lambda named: ",".join(named.rules))
def test_a_difference_changes_rules_that_there_are(named: Any) -> None:
    assert set(named.rules) <= {field.name for field in dataclasses.fields(Rules)}


def test_a_deviation_breaks_a_requirement_that_there_is() -> None:
    known = {entry["id"] for entry in yaml.safe_load(REQUIREMENTS.read_text())["requirements"]}
    assert {deviation.requirement for deviation in DEVIATIONS} - {None} <= known


@pytest.mark.parametrize(("deviation", "version"), _recorded())
def test_a_deviation_is_seen_where_it_says(
    monkeypatch: pytest.MonkeyPatch, deviation: Any, version: Any
) -> None:
    """Without it, one of the exchanges that it names is answered otherwise than it was recorded."""
    others = tuple(other for other in DEVIATIONS if other is not deviation)
    monkeypatch.setattr(behaviours, "DEVIATIONS", others)
    differing = []
    for scenario, number in RECORDED.findall(deviation.recording or ""):
        recording = read_recording(FOLDERS[version] / f"{scenario}.jsonl")
        compared = replay(recording, behaviour=f"opensearch-{version[0]}.{version[1]}").compared
        differing += [one for one in compared if one.exchange.number == int(number) and not one.values]
    assert differing


def test_documented_deviates_in_nothing() -> None:
    assert deviations_of("documented") == ()
    assert rules_of("documented") == Rules()


def test_a_later_version_of_the_pages_brings_what_changed(make_client: Callable[..., Any]) -> None:
    def deploy_status(version: str) -> str:
        ml = make_client(docs_version=version)
        return str(ml.post(f"~/models/{ml.model()}/_deploy").body["status"])

    assert [deploy_status(version) for version in ("2.19", "3.4", "3.8")] == [
        "DEPLOYING",
        "CREATED",
        "CREATED",
    ]


def test_a_recorded_behaviour_tells_its_own_version(make_client: Callable[..., Any]) -> None:
    ml = make_client(behaviour="opensearch-3.4", docs_version="2.19")
    assert ml.get("/").body["version"]["number"] == "3.4.0"


@pytest.mark.parametrize("text", ["", "3", "3.x", "3.4.0", "².", ".4"])
def test_a_version_has_two_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="expected a documentation version"):
        read_version(text)


def test_after_a_restart_a_model_of_2_19_still_reads_deployed(make_client: Callable[..., Any]) -> None:
    ml = make_client(behaviour="opensearch-2.19")
    ml.setting("model_auto_redeploy.enable", False)
    model_id = ml.deployed()
    deployed_at = ml.get(f"~/models/{model_id}").body["last_deployed_time"]
    ml.post("/_mock/restart")
    ml.time.now += 40
    assert ml.state(model_id) == "DEPLOYED"
    assert ml.get(f"~/profile/models/{model_id}").body == {}
    assert ml.predict(model_id).status == 200
    ml.time.now += 1
    assert ml.get(f"~/models/{model_id}").body["last_deployed_time"] > deployed_at
