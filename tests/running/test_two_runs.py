"""Two runs on one cluster: the second says whose turn it is, and waits where it may."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlconform.conformance.report.stream import read
from mlconform.conformance.targets.connect import TargetOptions, connect, prepare
from mlconform.conformance.targets.opensearch_settings import PRIVATE_ADDRESSES, SETTINGS
from mlconform.conformance.targets.session import Session
from mlconform.mock_server import Request
from mlconform.mock_server.fixture import RunningMock

FEW = ("--profile", "opensearch-ml", "--select", "osml.deploy.answer*")


@pytest.fixture
def target(serve_mock: Any) -> RunningMock:
    """A cluster with a setting of its own, which a run changes."""
    mock: RunningMock = serve_mock()
    closed = json.dumps({"persistent": {PRIVATE_ADDRESSES: False}}).encode()
    mock.server.handle(Request("PUT", SETTINGS, "", {"content-type": "application/json"}, closed))
    return mock


def persistent(target: RunningMock) -> Any:
    return json.loads(target.server.handle(Request("GET", SETTINGS, "flat_settings=true")).body)["persistent"]


@pytest.fixture
def first(target: RunningMock) -> Iterator[Session]:
    """The session of a run that has the turn."""
    session = connect("opensearch-ml", TargetOptions(target=target.url, run_id="first"))
    prepare(session)
    yield session
    session.clean()
    session.close()


@pytest.mark.usefixtures("first")
def test_a_second_run_ends_with_exit_code_3(command: Any, target: RunningMock, tmp_path: Path) -> None:
    ended = command("run", "--target", target.url, *FEW, "--out", str(tmp_path))
    assert ended.returncode == 3
    (problem,) = read(tmp_path / "run.ndjson").problems
    assert problem.message.count("the run first of ") == 1
    assert target.requests("POST", "/_plugins/_ml/*") == []


def test_a_second_run_waits_and_then_goes_on(command: Any, first: Session, target: RunningMock) -> None:
    assert persistent(target) == {PRIVATE_ADDRESSES: "true"}
    with command.start("run", "--target", target.url, *FEW, "--wait-for-turn", "60") as second:
        told = second.stdout.readline()
        first.clean()
        rest, stderr = second.communicate(timeout=60)
    assert told.startswith("waiting for the turn: the run first of ")
    assert (second.returncode, stderr) == (0, "")
    assert "Conformant" in rest
    assert persistent(target) == {PRIVATE_ADDRESSES: "false"}
