"""The mock answers as the recorded nodes did, and the replay notices where it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlconform.mock_server.parity import Compared, RecordingError, read_recording, replay
from mlconform.mock_server.parity.__main__ import counts, main, replay_folder

OBSERVED = Path(__file__).parents[2] / "observed"
FOLDERS = sorted(path for path in OBSERVED.iterdir() if path.is_dir())


def _named(scenario: str, compared: Compared) -> str:
    return f"{scenario}#{compared.exchange.number}"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_recorded_exchange_has_status_error_type_and_shape(folder: Path) -> None:
    apart = {
        _named(one.recording.scenario, compared)
        for one in replay_folder(folder)
        for compared in one.compared
        if not (compared.status and compared.error_type and compared.shape)
    }
    assert apart == set()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_99_percent_have_the_same_values(folder: Path) -> None:
    exchanges, *_, values = counts([one for replayed in replay_folder(folder) for one in replayed.compared])
    assert exchanges > 30
    assert values >= 0.99 * exchanges


def test_documented_is_apart_from_the_node() -> None:
    folder = OBSERVED / "opensearch-2.19.0"
    replays = replay_folder(folder, behaviour="documented")
    exchanges, *_, values = counts([one for replayed in replays for one in replayed.compared])
    assert values < 0.95 * exchanges


def _tampered(tmp_path: Path, number: int, **changes: Any) -> Compared:
    lines = (OBSERVED / "opensearch-3.4.0/lifecycle.jsonl").read_text().splitlines()
    lines[number] = json.dumps({**json.loads(lines[number]), **changes})
    path = tmp_path / "lifecycle.jsonl"
    path.write_text("\n".join(lines))
    return replay(read_recording(path), behaviour="opensearch-3.4").compared[number - 1]


def test_another_status_is_noticed(tmp_path: Path) -> None:
    assert not _tampered(tmp_path, 16, status=403).status


def test_another_error_type_is_noticed(tmp_path: Path) -> None:
    error = {"root_cause": [{"type": "x", "reason": "r"}], "type": "x", "reason": "r"}
    assert not _tampered(tmp_path, 16, response={"error": error, "status": 404}).error_type


def test_another_shape_is_noticed(tmp_path: Path) -> None:
    compared = _tampered(tmp_path, 5, response={"task_id": "x", "task_type": "y", "status": 5})
    assert (compared.status, compared.shape) == (True, False)


def test_another_value_is_noticed(tmp_path: Path) -> None:
    answer = {"task_id": "bKGS_qEB79rhJ8XPScLT", "task_type": "DEPLOY_MODEL", "status": "DONE"}
    compared = _tampered(tmp_path, 5, response=answer)
    assert (compared.shape, compared.values) == (True, False)


def test_the_command_prints_a_line_a_scenario_and_is_content(capsys: pytest.CaptureFixture[str]) -> None:
    folder = OBSERVED / "opensearch-3.4.0-three-nodes"
    assert main([str(folder)]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines() if line] == [
        "opensearch-3.4.0-three-nodes",
        "scenario",
        "cluster_custom_nodes",
        "cluster_delete_parts_nodes",
        "cluster_deploy_all",
        "cluster_partial_undeploy",
        "cluster_reads",
        "cluster_task_elsewhere",
        "cluster_task_goes_back",
        "cluster_task_kept",
        "local_nodes",
        "local_spread",
        "all",
        "same",
    ]


def test_the_command_fails_where_too_much_is_apart(capsys: pytest.CaptureFixture[str]) -> None:
    folder = OBSERVED / "opensearch-3.4.0-three-nodes"
    assert main([str(folder), "--behaviour", "documented", "--show"]) == 1
    assert "cluster_deploy_all#8 POST" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json"])
def test_a_file_that_is_no_recording_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(RecordingError, match=r"x\.jsonl is no recording"):
        read_recording(path)


def test_a_folder_without_recordings_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path)])
    assert ended.value.code == 2
    assert "holds no recordings" in capsys.readouterr().err
