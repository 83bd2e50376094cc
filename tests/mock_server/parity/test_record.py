"""The recorder asks a server what a scenario says, writes what came, and leaves the server as it was."""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import urllib3

from mlconform.mock_server.parity import read_recording, replay
from mlconform.mock_server.parity.node import Node, NodeError, inventory, read_users
from mlconform.mock_server.parity.record import main
from mlconform.mock_server.parity.scenario import ScenarioError, read_scenario

GROUP = """
doc: a group is made and asked for
settings: {plugins.ml_commons.safe_delete_model: true}
steps:
- request: POST /_plugins/_ml/model_groups/_register
  body: {name: recorded}
  keep: {group: model_group_id}
- request: GET /_plugins/_ml/model_groups/{{group}}
  until: {status: 200, name: recorded}
- request: POST /_plugins/_ml/model_groups/_register
  raw: "{"
"""


def _scenario(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "asked.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _record(tmp_path: Path, url: str, text: str, *options: str) -> list[dict[str, Any]]:
    path = _scenario(tmp_path, text)
    assert main(["--node", url, "--out", str(tmp_path), *options, str(path)]) == 0
    return [json.loads(line) for line in (tmp_path / "asked.jsonl").read_text().splitlines()]


def _get(url: str) -> Any:
    return urllib3.request("GET", url).json()


def test_a_recording_has_a_header_and_an_exchange_a_line(tmp_path: Path, uvicorn_url: str) -> None:
    header, made, read, refused = _record(tmp_path, uvicorn_url, GROUP)
    assert header["scenario"] == "asked"
    assert header["doc"] == "a group is made and asked for"
    assert header["target"]["number"] == "3.4.0"
    assert made["body"] == {"name": "recorded"}
    assert read["path"].endswith(made["response"]["model_group_id"])
    assert read["settled"] is True
    assert (refused["raw"], refused["status"]) == ("{", 400)
    assert [line["i"] for line in (made, read, refused)] == [1, 2, 3]


def test_what_was_recorded_from_the_mock_is_replayed_on_it(tmp_path: Path, uvicorn_url: str) -> None:
    _record(tmp_path, uvicorn_url, GROUP)
    replayed = replay(read_recording(tmp_path / "asked.jsonl"), behaviour="documented", nodes=2)
    assert [one.values for one in replayed.compared] == [True, True, True]


def test_the_server_is_left_as_it_was(tmp_path: Path, uvicorn_url: str) -> None:
    node = Node([uvicorn_url], {})
    before = inventory(node)
    _record(tmp_path, uvicorn_url, GROUP)
    assert inventory(node) == before


def test_the_server_is_left_as_it_was_after_a_scenario_that_breaks_off(
    tmp_path: Path, uvicorn_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    node = Node([uvicorn_url], {})
    before = inventory(node)
    path = _scenario(tmp_path, GROUP + "- request: GET /_plugins/_ml/models/{{nothing}}\n")
    with pytest.raises(SystemExit, match="2"):
        main(["--node", uvicorn_url, "--out", str(tmp_path), str(path)])
    assert "step 4: nothing is known as 'nothing'" in capsys.readouterr().err
    assert inventory(node) == before


def test_a_served_file_is_in_the_header_and_its_facts_in_the_requests(
    tmp_path: Path, uvicorn_url: str
) -> None:
    (tmp_path / "one.json").write_text("{}")
    text = """
serves:
  model.zip: {zip: {one.json: one.json}, after: 0.5}
steps:
- request: POST /_plugins/_ml/model_groups/_register
  body: {name: "{{sha256:model.zip}}", description: "{{size:model.zip}}"}
- request: POST /_plugins/_ml/model_groups/_register
  upload: {file: model.zip, begin: 0, end: 4}
"""
    header, named, uploaded = _record(tmp_path, uvicorn_url, text)
    served = read_recording(tmp_path / "asked.jsonl").serves["model.zip"]
    assert header["serves"]["model.zip"]["after"] == 0.5
    size, digest = len(served.content), hashlib.sha256(served.content).hexdigest()
    assert named["body"] == {"name": digest, "description": size}
    assert read_recording(tmp_path / "asked.jsonl").exchanges[1].request.body == b"PK\x03\x04"
    assert "base64" in uploaded


def test_a_state_that_never_comes_is_told(tmp_path: Path, uvicorn_url: str) -> None:
    text = "steps: [{request: GET /_nodes/_local, until: {status: 404}, within: 0}]"
    _, asked = _record(tmp_path, uvicorn_url, text)
    assert (asked["status"], asked["settled"]) == (200, False)


CHANCE = """
chance: 5
steps:
- request: POST /_plugins/_ml/model_groups/_register
  body: {name: "tried-{{try}}"}
  keep: {group: model_group_id}
- request: GET /_plugins/_ml/model_groups/{{group}}
  until: {name: [tried-2, tried-4]}
  within: 0
"""


def test_of_what_chance_makes_the_first_try_is_kept_in_which_it_came(
    tmp_path: Path, uvicorn_url: str
) -> None:
    header, made, read = _record(tmp_path, uvicorn_url, CHANCE)
    assert (header["tries"], header["came"]) == (5, 2)
    assert (made["body"], read["response"]["name"]) == ({"name": "tried-2"}, "tried-2")


def test_what_chance_never_made_is_an_error(
    tmp_path: Path, uvicorn_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _scenario(tmp_path, CHANCE.replace("tried-2, tried-4", "tried-6"))
    with pytest.raises(SystemExit, match="2"):
        main(["--node", uvicorn_url, "--out", str(tmp_path), str(path)])
    assert "what is asked for came in none of 5 tries" in capsys.readouterr().err


def test_a_restart_is_run_and_replayed(tmp_path: Path, uvicorn_url: str) -> None:
    restart = f"import urllib3; urllib3.request('POST', '{uvicorn_url}/_mock/restart')"
    command = shlex.join([sys.executable, "-c", restart])
    before = _get(f"{uvicorn_url}/_mock/restart")["restarts"]
    text = "steps: [{run: restart}, {request: GET /_mock/restart}]"
    _, ran, asked = _record(tmp_path, uvicorn_url, text, "--command", f"restart={command}")
    assert (ran["run"], asked["response"]) == ("restart", {"restarts": before + 1})
    replayed = replay(read_recording(tmp_path / "asked.jsonl"), behaviour="documented")
    assert replayed.compared[0].got == {"restarts": 1}


def test_users_and_phases_are_written(tmp_path: Path, uvicorn_url: str) -> None:
    users = tmp_path / "users.yaml"
    users.write_text("admin: a\nalice: b\n")
    text = "steps: [{request: GET /, user: alice, phase: later}, {request: GET /, user: (none)}]"
    _, alice, nobody = _record(tmp_path, uvicorn_url, text, "--users", str(users))
    assert (alice["user"], alice["phase"]) == ("alice", "later")
    assert (nobody["user"], nobody["phase"]) == ("(none)", "later")
    assert read_recording(tmp_path / "asked.jsonl").exchanges[0].user == "alice"


def test_a_node_off_loopback_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--node", "http://192.0.2.1:9200", "--out", str(tmp_path), str(_scenario(tmp_path, GROUP))])
    assert "--anywhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("steps: {}", "expected a list of steps"),
        ("steps: [{request: GET /, sent: 1}]", "expected only"),
        ("steps: [{request: GET}]", "expected a request such as"),
        ("steps: [{body: 1}]", "expected one of request, run and wait, got none"),
        ("steps: []\nserves: {a: {zip: {b: missing.json}}}", "a file of the zip can't be read"),
        ("steps: [", "can't be read as YAML"),
    ],
)
def test_what_is_no_scenario_is_refused_with_the_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        read_scenario(_scenario(tmp_path, text))


def test_a_file_of_users_maps_names_to_passwords(tmp_path: Path) -> None:
    path = tmp_path / "users.yaml"
    path.write_text("- alice\n")
    with pytest.raises(NodeError, match="to map user names to passwords"):
        read_users(path)
