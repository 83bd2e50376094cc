"""Traffic of a server becomes stubs, which answer in its place."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import urllib3

from mlconform.mock_server import Request
from mlconform.mock_server.fixture import running_mock
from mlconform.mock_server.recorder import Recorder

ML = "/_plugins/_ml"
CONNECTOR = {"name": "c", "version": 1, "protocol": "http", "credential": {"key": "my secret"}}


def send(target: Any, method: str, path: str, body: Any = None) -> Any:
    content = b"" if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", "content-encoding": "gzip", "accept-encoding": "gzip"}
    answer = target.handle(Request(method, path, "", headers, gzip.compress(content) if content else b""))
    return answer.status, json.loads(gzip.decompress(answer.body))


def test_what_was_recorded_is_answered_again_in_its_order() -> None:
    group = {"name": "g"}
    with running_mock() as real:
        recorder = Recorder(real.url)
        first = [send(recorder, "POST", f"{ML}/model_groups/_register", group) for _ in range(2)]
        missing = send(recorder, "GET", f"{ML}/models/none")
    assert [status for status, _ in first] == [200, 400]
    with running_mock() as mock:
        for stub in recorder.stubs:
            mock.stub(stub)
        again = [send(mock.server, "POST", f"{ML}/model_groups/_register", group) for _ in range(2)]
        assert again == first
        assert send(mock.server, "GET", f"{ML}/models/none") == missing


def test_no_secret_is_kept_and_the_request_matches_all_the_same() -> None:
    with running_mock() as real:
        recorder = Recorder(real.url)
        made = send(recorder, "POST", f"{ML}/connectors/_create", CONNECTOR)
    assert "my secret" not in json.dumps(recorder.stubs)
    with running_mock() as mock:
        mock.stub(recorder.stubs[0])
        assert send(mock.server, "POST", f"{ML}/connectors/_create", CONNECTOR) == made


def test_a_server_that_does_not_answer_is_told(free_port: int) -> None:
    status, body = send(Recorder(f"http://127.0.0.1:{free_port}"), "GET", "/")
    assert status == 502
    assert f"expected an answer of http://127.0.0.1:{free_port}" in body["error"]


def _mock(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "mlconform", "mock", "--port", "0", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _asked(process: subprocess.Popen[str], path: str) -> tuple[dict[str, Any], str]:
    """What the mock of this process answers, and what it says until it is interrupted."""
    with process:
        assert process.stdout is not None
        answer: dict[str, Any] = urllib3.request("GET", process.stdout.readline().strip() + path).json()
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=20)
        assert (process.returncode, rest) == (0, ""), said
        return answer, said


def test_the_command_records_into_a_file_and_begins_with_it(tmp_path: Path) -> None:
    file = tmp_path / "stubs.json"
    with running_mock(behaviour="opensearch-2.19") as real:
        recorded, said = _asked(_mock("--record", real.url, "--stubs", str(file)), "/")
    assert f"1 stubs in {file}" in said
    played, said = _asked(_mock("--stubs", str(file), "--log", "requests"), "/")
    assert played == recorded
    assert "GET / 200 " in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--record", "http://127.0.0.1:9"], "--record needs --stubs FILE"),
        (["--record", "127.0.0.1:9", "--stubs", "x"], "expected a URL such as http://127.0.0.1:9200"),
        (["--stubs", "nowhere.json"], "--stubs: "),
        (["--stubs", "BAD"], "expected a list of stubs"),
    ],
)
def test_what_the_command_cannot_do_is_told(command: Any, arguments: list[str], told: str) -> None:
    (command.folder / "BAD").write_text('{"stubs": 1}')
    ended = command("mock", "--port", "0", *arguments)
    assert ended.returncode == 2
    assert told in ended.stderr
