"""Behaviours are named differences, each with a recording that shows it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlconform.mock_server.opensearch_ml import behaviours
from mlconform.mock_server.opensearch_ml.behaviours import (
    CHANGES,
    DOCS_VERSIONS,
    deviations_of,
    read_version,
    rules_of,
    show_version,
)
from mlconform.mock_server.opensearch_ml.deviations import DEVIATIONS
from mlconform.mock_server.opensearch_ml.rules import DOCUMENTED, Rules
from mlconform.mock_server.parity import read_recording, replay

ROOT = Path(__file__).parents[3]
OBSERVED = ROOT / "tests/observed"
REQUIREMENTS = tuple((ROOT / "schemas/opensearch-ml").glob("*/requirements.yaml"))
FOLDERS = {
    (2, 19): (OBSERVED / "opensearch-2.19.0",),
    (3, 4): (
        OBSERVED / "opensearch-3.4.0",
        OBSERVED / "opensearch-3.4.0-security",
        OBSERVED / "opensearch-3.4.0-three-nodes",
    ),
}
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
    assert set(named.rules) <= set(Rules.__struct_fields__)


def test_a_deviation_breaks_a_requirement_that_there_is() -> None:
    known = {
        entry["id"] for file in REQUIREMENTS for entry in yaml.safe_load(file.read_text())["requirements"]
    }
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
        for path in (folder / f"{scenario}.jsonl" for folder in FOLDERS[version]):
            if path.exists():
                nodes = 3 if path.parent.name.endswith("three-nodes") else 1
                behaviour = f"opensearch-{version[0]}.{version[1]}"
                replayed = replay(read_recording(path), behaviour=behaviour, nodes=nodes)
                differing += [
                    one for one in replayed.compared if one.exchange.number == int(number) and not one.values
                ]
    assert differing


def test_documented_deviates_in_nothing() -> None:
    assert deviations_of("documented") == ()
    assert rules_of("documented", (2, 19)) is DOCUMENTED


def test_a_later_version_of_the_pages_brings_what_changed(make_client: Callable[..., Any]) -> None:
    def deploy_status(version: str) -> str:
        ml = make_client(docs_version=version)
        ml.setting("allow_registering_model_via_local_file", True)
        local = {
            "name": "local",
            "function_name": "SPARSE_TOKENIZE",
            "model_format": "TORCH_SCRIPT",
            "model_content_hash_value": "0" * 64,
            "model_content_size_in_bytes": 1,
            "total_chunks": 1,
        }
        model_id = ml.post("~/models/_register_meta", local).body["model_id"]
        return str(ml.post(f"~/models/{model_id}/_deploy").body["status"])

    assert [deploy_status(version) for version in ("2.19", "3.4", "3.8")] == [
        "DEPLOYING",
        "CREATED",
        "CREATED",
    ]


def test_a_recorded_behaviour_tells_its_own_version(make_client: Callable[..., Any]) -> None:
    for options in ({}, {"docs_version": "2.19"}):
        ml = make_client(behaviour="opensearch-2.19", **options)
        assert ml.get("/").body["version"]["number"] == "2.19.0"
        assert ml.server.notice is None


def test_a_recorded_behaviour_follows_no_other_pages(make_client: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"behaviour opensearch-2.19 has pages of its own: leave .* 3.4 out"):
        make_client(behaviour="opensearch-2.19", docs_version="3.4")


@pytest.mark.parametrize("version", ["2.18", "1.0", "0.9"])
def test_versions_older_than_all_that_are_known_are_refused(
    make_client: Callable[..., Any], version: str
) -> None:
    with pytest.raises(ValueError, match=f"of 2.19 or later, got '{version}'"):
        make_client(docs_version=version)


@pytest.mark.parametrize(
    ("version", "pages"), [("2.20", "2.19"), ("3.0", "2.19"), ("3.5", "3.4"), ("3.9", "3.8"), ("9.9", "3.8")]
)
def test_other_versions_follow_the_nearest_older_one_and_say_so(
    make_client: Callable[..., Any], version: str, pages: str
) -> None:
    notice = make_client(docs_version=version).server.notice
    assert notice == (
        f"no pages of {version} are known: the mock follows those of {pages} and says it is {version}.0"
    )


def test_known_versions_need_no_notice(make_client: Callable[..., Any]) -> None:
    notices = [make_client(docs_version=show_version(version)).server.notice for version in DOCS_VERSIONS]
    assert notices == [None, None, None]


@pytest.mark.parametrize("text", ["", "3", "3.x", "3.4.0", "².", ".4"])
def test_a_version_has_two_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="expected a documentation version"):
        read_version(text)


@pytest.mark.parametrize("behaviour", ["opensearch-2.19", "opensearch-3.4"])
def test_after_a_restart_a_model_still_reads_deployed_and_then_failed(
    make_client: Callable[..., Any], behaviour: str
) -> None:
    ml = make_client(behaviour=behaviour)
    ml.setting("model_auto_redeploy.enable", False)
    model_id = ml.deployed()
    deployed_at = ml.get(f"~/models/{model_id}").body["last_deployed_time"]
    ml.post("/_mock/restart")
    assert ml.state(model_id) == "DEPLOYED"
    ml.time.now += 40
    assert ml.state(model_id) == "DEPLOY_FAILED"
    assert ml.get(f"~/profile/models/{model_id}").body == {}
    assert ml.predict(model_id).status == 200
    ml.time.now += 1
    assert ml.get(f"~/models/{model_id}").body["last_deployed_time"] > deployed_at
