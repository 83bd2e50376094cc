"""One node of a cluster is stopped and started by commands of the user's, or as the mock lets it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from mlconform.conformance.errors import UsageError
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.targets import leaving
from mlconform.conformance.targets.connect import TargetOptions, connect
from mlconform.conformance.targets.leaving import stop_node
from mlconform.conformance.targets.session import Session


def posting(url: str, body: str) -> str:
    """A command that lets a mock do this."""
    request = f"urllib.request.Request({url + '/_mock/nodes'!r}, {body!r}.encode(), method='POST')"
    return shlex.join([sys.executable, "-c", f"import urllib.request; urllib.request.urlopen({request})"])


@pytest.fixture
def opened() -> Iterator[Callable[..., Session]]:
    with ExitStack() as closing:

        def open_session(target: str, **options: Any) -> Session:
            session = connect("opensearch-ml", TargetOptions(target=target, **options))
            closing.callback(session.close)
            return session

        yield open_session


def count(session: Session) -> int:
    return len(session.request("GET", "/_nodes").member("nodes"))


def test_the_mock_lets_a_node_leave_and_come_back(opened: Any) -> None:
    session = opened("mock")
    nodes = session.facts.nodes
    stopped = stop_node(session)
    assert (count(session), stopped.gone in nodes) == (1, True)
    stopped.start()
    assert count(session) == 2
    assert [deed.split()[0] for deed in session.deeds] == ["stopped", "started"]


def test_what_was_stopped_is_started_when_the_check_ends(opened: Any) -> None:
    session = opened("mock")
    stop_node(session)
    assert session.clean() == []
    assert count(session) == 2


def test_commands_are_carried_out(opened: Any, serve_mock: Any) -> None:
    url = serve_mock(nodes=3).url
    session = opened(
        url,
        stop_node_command=posting(url, '{"stop": 2}'),
        start_node_command=posting(url, '{"start": 2}'),
    )
    stopped = stop_node(session)
    assert count(session) == 2
    stopped.start()
    assert count(session) == 3


def test_a_command_that_stops_nothing_decides_nothing(
    opened: Any, serve_mock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "LEAVING_BUDGET_SECONDS", 0.2)
    nothing = shlex.join([sys.executable, "-c", "pass"])
    session = opened(serve_mock(nodes=2).url, stop_node_command=nothing, start_node_command=nothing)
    with pytest.raises(Untestable, match="of 2 nodes the cluster had 2 after the stop command") as error:
        stop_node(session)
    assert error.value.remedy == "node commands"


@pytest.mark.parametrize(("nodes", "able"), [(1, False), (2, True)])
def test_a_single_node_may_not_leave(opened: Any, serve_mock: Any, nodes: int, able: bool) -> None:
    assert opened(serve_mock(nodes=nodes).url).capabilities["leaving node"] is able


@pytest.mark.parametrize("given", ["stop_node_command", "start_node_command"])
def test_one_of_the_commands_alone_is_refused(given: str) -> None:
    options: dict[str, str] = {given: "true"}
    with pytest.raises(UsageError, match="together"):
        RunOptions(target=TargetOptions(target="http://h:1", **options))  # type: ignore[arg-type]


def test_the_mock_in_this_process_takes_no_command() -> None:
    target = TargetOptions(stop_node_command="true", start_node_command="true")
    with pytest.raises(UsageError, match="with a server alone"):
        RunOptions(target=target)
