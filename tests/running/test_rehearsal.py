"""`mlconform run --dry-run`: it writes nothing, and says what a run then does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mlconform.conformance.cli import main
from mlconform.conformance.targets import connect
from mlconform.conformance.targets.opensearch_settings import PRIVATE_ADDRESSES, SETTINGS
from mlconform.conformance.targets.pace import Pace
from mlconform.mock_server import MockServer
from mlconform.mock_server.asgi import serving
from mlconform.mock_server.core import Request, Response

SELECT = "osml.delete.safe.default,osml.delete.gone,!*test_stateful*,!*test_local*"


class Recorded:
    """A mock that keeps every request but those that steer it."""

    def __init__(self, **options: Any) -> None:
        self.inner = MockServer(profiles=["opensearch-ml"], **options)
        self.met: list[Request] = []

    def handle(self, request: Request) -> Response:
        if not request.path.startswith("/_mock/"):
            self.met.append(request)
        return self.inner.handle(request)

    def set(self) -> set[tuple[str, str]]:
        """The settings that were set, and the values."""
        bodies = [json.loads(each.body) for each in self.met if (each.method, each.path) == ("PUT", SETTINGS)]
        return {
            (name, value if isinstance(value, str) else json.dumps(value))
            for body in bodies
            for name, value in body["persistent"].items()
            if value is not None
        }


@pytest.fixture
def served() -> Iterator[tuple[str, Recorded]]:
    server = Recorded(nodes=1)
    with serving(server) as url:
        yield url, server


def run(url: str, *more: str, select: str = SELECT) -> tuple[int, str]:
    options = ("--target", url, "--profile", "opensearch-ml", "--select", select)
    done = CliRunner().invoke(main, ["run", *options, *more])
    return done.exit_code, done.output


def test_nothing_is_written(served: tuple[str, Recorded]) -> None:
    code, told = run(served[0], "--dry-run")
    assert code == 0, told
    assert {request.method for request in served[1].met} == {"GET"}


def test_what_it_tells_is_what_a_run_does(served: tuple[str, Recorded], tmp_path: Path) -> None:
    url, server = served
    told = json.loads(run(url, "--dry-run", "--json")[1])
    server.met.clear()
    code, ended = run(url, "--out", str(tmp_path))
    assert code == 0, ended
    assert {(each["setting"], value) for each in told["changes"] for value in each["values"]} == server.set()
    assert told["runs"] > 0
    counted = sum(count for operations in told["sends"].values() for count in operations.values())
    # A run discovers the target, which is not counted.
    assert counted <= len(server.met) <= counted * 1.2 + 10
    assert {"model", "ingest pipeline"} <= told["makes"].keys()


def test_what_connectors_lack_here_is_told_with_its_value(served: tuple[str, Recorded]) -> None:
    url, server = served
    closed = json.dumps({"persistent": {PRIVATE_ADDRESSES: False}}).encode()
    server.inner.handle(Request("PUT", SETTINGS, "", {"content-type": "application/json"}, closed))
    _, told = run(url, "--dry-run")
    assert f"  {PRIVATE_ADDRESSES} = true: connectors reach the run's own endpoint" in told.splitlines()


def test_a_check_that_lacks_something_is_left_out_with_the_reason(served: tuple[str, Recorded]) -> None:
    _, told = run(served[0], "--dry-run", select=f"{SELECT},*test_node_ids_limit_the_deployment")
    assert "leaves out of them 1:" in told
    assert "  1, needs a cluster with more than one node" in told


def test_nobody_there_is_exit_code_3(free_port: int) -> None:
    code, told = run(f"http://127.0.0.1:{free_port}", "--dry-run")
    assert (code, "Check the address" in told) == (3, True)


class Hosted(Recorded):
    """A mock of Nugen Intelligence whose time nobody can move."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = MockServer(profiles=["nugen"])

    def handle(self, request: Request) -> Response:
        return Response(404, (), b"") if request.path.startswith("/_mock/") else super().handle(request)


def dry_run(url: str, *more: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["run", "--target", url, "--dry-run", *more])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("options", "uses"),
    [
        ((), "makes nothing, and leaves undecided what needs a model: none is named with --model-id"),
        (("--model-id", "m-1"), "makes nothing; uses m-1, and leaves each in the state in which it was"),
    ],
)
def test_a_profile_that_makes_no_models_says_which_it_uses(options: tuple[str, ...], uses: str) -> None:
    server = Hosted()
    with serving(server) as url:
        code, told = dry_run(url, "--profile", "nugen", "--select", "nugen.auth.*", *options)
    assert code == 0, told
    assert {request.method for request in server.met} == {"GET"}
    lines = told.splitlines()
    assert lines[0].startswith("Nugen Intelligence 25.4.20, judged by nugen ")
    assert lines[2].startswith("sends about ")
    assert {uses, "changes no cluster setting"} <= set(lines)


def test_of_all_profiles_those_that_are_there_are_told(served: tuple[str, Recorded]) -> None:
    code, told = dry_run(served[0], "--select", "osml.delete.gone", "--json")
    assert code == 0, told
    assert [each["profile"] for each in json.loads(told)["profiles"]] == ["opensearch-ml"]


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--dry-run", "--profile", "opensearch-ml", "--select", "osml.delete.gone"),
        ("doctor",),
        ("sweep",),
    ],
)
def test_what_looks_sends_no_faster_than_it_may(
    command: tuple[str, ...], served: tuple[str, Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []

    def pace(per_second: float) -> Pace:
        given.append(per_second)
        return Pace(per_second)

    monkeypatch.setattr(connect, "Pace", pace)
    connect._pace.cache_clear()
    done = CliRunner().invoke(main, [*command, "--target", served[0], "--max-rate", "500"])
    assert done.exit_code == 0, done.output
    assert given[:1] == [500]


@pytest.mark.parametrize("command", ["doctor", "sweep"])
def test_a_pace_that_none_may_have_is_a_usage_error(command: str) -> None:
    done = CliRunner().invoke(main, [command, "--target", "http://127.0.0.1:9", "--max-rate", "0"])
    assert done.exit_code == 2
    assert "expected --max-rate in requests a second" in done.output
